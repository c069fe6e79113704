import { rulesOf } from './rule.ts'

/** Ruby, PHP, Elixir, Erlang, Perl, R, Julia, Dart, Clojure: their test runners, packagers and linters. */
export const scripting = [
  ...rulesOf('ruby', [
    [
      'resolution',
      /^(?:Bundler could not find compatible versions|Could not find (?:gem )?'?\S+.* in (?:any of the sources|locally installed|rubygems)|Could not find compatible versions|Gem::(?:ConflictError|MissingSpecError|LoadError))/,
      "Could not find gem 'price (~> 2.0)' in rubygems repository",
      0.9,
    ],
    [
      'resolution',
      /An error occurred while installing \S+ \(|ERROR: Failed to build gem native extension/,
      'An error occurred while installing price (2.0), and Bundler cannot continue.',
      0.75,
    ],
    [
      'environment',
      /Your Ruby version is .*, but your Gemfile specified|requires (?:R|r)uby version/,
      'Your Ruby version is 2.6.3, but your Gemfile specified 3.0',
      0.9,
    ],
    [
      'lock',
      /Your (?:bundle is locked|lockfile)|You are trying to install in deployment mode after changing|frozen mode/,
      'You are trying to install in deployment mode after changing your Gemfile.',
      0.85,
    ],
    ['missingModule', /cannot load such file -- /, 'cannot load such file -- price (LoadError)', 0.85],
    ['assertion', /^\s*Failure\/Error: /, '     Failure/Error: expect(total).to eq(4)', 0.85],
    ['assertion', /^rspec \.\/\S+:\d+ # /, 'rspec ./spec/price_spec.rb:12 # Price adds', 0.65],
    [
      'assertion',
      /^(?:Minitest::Assertion: |Minitest::UnexpectedError|\s+\d+\) (?:Failure|Error):|Failure:|Expected: .*)$|^Minitest::Assertion: /,
      'Minitest::Assertion: Expected 4, got 3',
      0.75,
    ],
    ['lint', /^\S+\.(?:rb|rake|gemspec|ru):\d+:\d+: [CWEF]: /, 'lib/price.rb:3:5: C: Style/StringLiterals: Prefer single quotes'],
    ['config', /^No Rakefile found|^Don't know how to build task/, "Don't know how to build task 'lint'", 0.85],
    [
      'exception',
      /\((?:NoMethodError|NameError|ArgumentError|TypeError|RuntimeError|StandardError|Errno::\w+|[A-Z]\w+(?:::\w+)*Error)\)$/,
      "price.rb:3:in `add': undefined method `+' for nil (NoMethodError)",
      0.75,
    ],
    [
      'exception',
      /^(?:NoMethodError|NameError|ArgumentError|LoadError|ActiveRecord::\w+|ActionView::\S+):/,
      "NoMethodError: undefined method `+' for nil",
      0.75,
    ],
    [
      '-failed',
      /^rake aborted!|^\d+ examples?, [1-9]\d* failures?|^\d+ (?:tests|runs), .* [1-9]\d* (?:failures|errors)/,
      'rake aborted!',
      0.3,
    ],
  ]),
  ...rulesOf('php', [
    [
      'resolution',
      /^\s*(?:Your requirements could not be resolved|- Root composer\.json requires|Problem \d+$|- \S+\/\S+ .* requires )/,
      'Your requirements could not be resolved to an installable set of packages.',
      0.85,
    ],
    [
      'lock',
      /The lock file is not up to date with the latest changes in composer\.json|Required package .* is not present in the lock file/,
      'Warning: The lock file is not up to date with the latest changes in composer.json',
      0.7,
    ],
    [
      'exception',
      /^(?:PHP )?(?:Fatal error:\s+)?Uncaught \w+|^In \w+\.php line \d+:/,
      'PHP Fatal error:  Uncaught TypeError: add(): Argument #1',
      0.8,
    ],
    [
      'compile',
      /^(?:PHP )?(?:Parse error|Fatal error): /,
      "PHP Parse error:  syntax error, unexpected '}' in /src/Price.php on line 3",
      0.88,
    ],
    ['assertion', /^Failed asserting that /, 'Failed asserting that 3 matches expected 4.', 0.87],
    ['assertion', /^\d+\) [\w\\]+::\w+/, '1) Shop\\PriceTest::testAdds', 0.75],
    [
      'lint',
      /^\s*\d+ \| ERROR\s+\| |^\s+Line\s+\S+\.php$|^\s*\d+\) \S+\.php(?: \(|$)/,
      ' 12 | ERROR | [x] Expected 1 space',
      0.75,
    ],
    ['-assertion', /^(?:FAILURES!|ERRORS!|Tests: \d+, Assertions: \d+, (?:Errors|Failures))/, 'FAILURES!', 0.2],
  ]),
  ...rulesOf('beam', [
    [
      'compile',
      /^\*\* \((?:CompileError|SyntaxError|TokenMissingError)\)|^== Compilation error in file/,
      '== Compilation error in file lib/price.ex ==',
      0.9,
    ],
    ['assertion', /^\s*Assertion with \S+ failed|^\s*match \(=\) failed/, '     Assertion with == failed', 0.85],
    ['assertion', /^\s*\d+\) (?:test|property|doctest) .+ \(.+\)$/, '  1) test adds (PriceTest)', 0.85],
    ['exception', /^\s*\*\* \((?:\w+\.)*\w*(?:Error|exit|EXIT|throw)\b/, '     ** (ArgumentError) argument error', 0.8],
    [
      'exception',
      /^\{"init terminating in do_boot"|\{'EXIT',|^(?:System process|Error in process) .*(?:terminated|with exit value)|^=+ERROR REPORT|\{badmatch,/,
      '{"init terminating in do_boot",{undef,[{price,start,[],[]}]}}',
      0.75,
    ],
    ['-assertion', /^\d+ (?:tests|doctests?).*, [1-9]\d* failures?/, '12 tests, 1 failure', 0.15],
  ]),
  ...rulesOf('perl', [
    [
      'missingModule',
      /^Can't locate \S+\.pm in @INC/,
      "Can't locate Price.pm in @INC (you may need to install the Price module)",
    ],
    ['assertion', /^#\s+Failed test /, "#   Failed test 'adds'", 0.8],
    ['-assertion', /^Result: FAIL|^Failed \d+\/\d+ (?:tests|subtests)/, 'Result: FAIL', 0.25],
    ['lint', /\(Severity: \d\)$/, 'Use strict first at line 3, column 1.  (Severity: 5)', 0.75],
    [
      'compile',
      /^(?:syntax error|Global symbol .* requires explicit package name|Can't (?:call method|find|open)).* at \S+ line \d+/,
      'syntax error at price.pl line 3, near "}"',
      0.8,
    ],
  ]),
  ...rulesOf('r', [
    [
      'missingModule',
      /there is no package called|^Packages? (?:required but not available|suggested but not available)|^ERROR: dependenc(?:y|ies) .* (?:is|are) not available/,
      'ERROR: dependency ‘price’ is not available for package ‘shop’',
      0.88,
    ],
    [
      'assertion',
      /^(?:── )?(?:Failure|Error) \(.*\.R:\d+|^\d+\. (?:Failure|Error): /,
      '── Failure (test-price.R:12:3): adds',
      0.8,
    ],
    ['-failed', /^Status: \d+ ERROR|^\s*ERROR$|Running the tests in .* failed/, 'Status: 1 ERROR', 0.4],
  ]),
  ...rulesOf('dart', [
    [
      'resolution',
      /^Because .* depends on .*|version solving failed/,
      'Because shop depends on price ^2.0.0 which does not match any versions, version solving failed.',
      0.85,
    ],
    [
      'lint',
      /^\s*(?:error|warning|info) [•-] .* [•-] .*\.dart:\d+/,
      '  error • Undefined name • lib/price.dart:3:5 • undefined_identifier',
      0.8,
    ],
    ['assertion', /^\d\d:\d\d \+\d+(?: ~\d+)? -\d+: .*\[E\]$/, '00:01 +3 -1: adds [E]', 0.75],
  ]),
  ...rulesOf('julia', [
    ['assertion', /^\s*(?:Test Failed|Error During Test) at /, 'Test Failed at /src/test/runtests.jl:3', 0.85],
    [
      'exception',
      /^ERROR: LoadError:|^ERROR: (?:LoadError: )?[A-Z]\w+Error/,
      'ERROR: LoadError: UndefVarError: add not defined',
      0.8,
    ],
  ]),
]
