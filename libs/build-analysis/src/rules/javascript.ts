import { rulesOf } from './rule.ts'

/** npm, yarn, pnpm; Jest, Vitest, Mocha, Playwright, Cypress, Karma; tsc, eslint, prettier, bundlers; Node and Deno themselves. */
export const javascript = [
  ...rulesOf('npm', [
    [
      'resolution',
      /^npm (?:ERR!|error) (?:code )?ERESOLVE|^npm (?:ERR!|error) code ETARGET|^npm (?:ERR!|error) notarget/,
      'npm ERR! code ERESOLVE',
    ],
    [
      'resolution',
      /^npm (?:ERR!|error) (?:Could not resolve dependency|Conflicting peer dependency|Found:|peer )/,
      'npm ERR! Could not resolve dependency:',
      0.8,
    ],
    [
      'lock',
      /^npm (?:ERR!|error) (?:.*(?:package-lock\.json|npm-shrinkwrap).*(?:in sync|not up to date)|code EUSAGE|Missing: .* from lock file|Invalid: lock file)/,
      'npm ERR! `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync.',
    ],
    ['access', /^npm (?:ERR!|error) (?:code )?(?:E40[13]|ENEEDAUTH|EOTP)|^npm (?:ERR!|error) 40[13] /, 'npm ERR! code E403'],
    [
      'resolution',
      /^npm (?:ERR!|error) (?:code )?E404|^npm (?:ERR!|error) 404 /,
      'npm error 404 Not Found - GET https://registry.example.org/left - Not found',
    ],
    [
      'network',
      /^npm (?:ERR!|error) .*(?:ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ERR_SOCKET_TIMEOUT|network )/,
      'npm ERR! code ECONNRESET',
    ],
    ['external', /^npm (?:ERR!|error) (?:code )?E(?:5\d\d|429)/, 'npm ERR! code E503'],
    [
      'config',
      /^npm (?:ERR!|error) (?:Missing script|code (?:EJSONPARSE|ENOENT|EBADPLATFORM|EBADENGINE)|notsup|missing script|JSON)/,
      'npm ERR! Missing script: "build"',
    ],
    ['vulnerability', /^\d+ vulnerabilities \(.*(?:high|critical)/, '3 vulnerabilities (1 moderate, 2 high)', 0.35],
    ['noise', /^npm (?:WARN|warn|notice)|^npm (?:ERR!|error)?\s*A complete log of this run/, 'npm WARN deprecated left@1.0.0'],
    [
      '-failed',
      /^npm (?:ERR!|error) (?:code ELIFECYCLE|errno|Exit status|Failed at the|Lifecycle script|Test failed|command|path|signal)/,
      'npm ERR! code ELIFECYCLE',
      0.2,
    ],
    ['-failed', /^npm (?:ERR!|error)/, 'npm ERR! This is probably not a problem with npm.', 0.15],
  ]),
  ...rulesOf('yarn', [
    [
      'lock',
      /YN0028|lockfile would have been (?:modified|created)|Your lockfile needs to be updated/,
      '➤ YN0028: │ The lockfile would have been modified by this install, which is explicitly forbidden.',
    ],
    [
      'resolution',
      /^error Couldn't find (?:any versions for|package)|YN0082|YN0035|^error .*The engine "node" is incompatible/,
      'error Couldn\'t find any versions for "left" that matches "^9.0.0"',
    ],
    [
      'config',
      /^error (?:Couldn't find a package\.json|Command "[^"]+" not found)|Usage Error: /,
      'error Command "lint" not found.',
    ],
    [
      'network',
      /^error An unexpected error occurred: ".*(?:ESOCKETTIMEDOUT|ECONNRESET|ETIMEDOUT|request to)/,
      'error An unexpected error occurred: "https://registry.example.org/left: ESOCKETTIMEDOUT".',
    ],
    ['-failed', /^error Command failed with (?:exit code|signal)/, 'error Command failed with exit code 1.', 0.15],
  ]),
  ...rulesOf('pnpm', [
    [
      'lock',
      /ERR_PNPM_(?:OUTDATED_LOCKFILE|FROZEN_LOCKFILE|LOCKFILE|NO_LOCKFILE|BROKEN_LOCKFILE)/,
      'ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date',
    ],
    [
      'resolution',
      /ERR_PNPM_(?:PEER_DEP|NO_MATCHING_VERSION|FETCH_404|NO_VERSIONS|WORKSPACE_PKG)/,
      'ERR_PNPM_NO_MATCHING_VERSION  No matching version found for left@9',
    ],
    [
      'network',
      /ERR_PNPM_(?:FETCH|META_FETCH|TARBALL)/,
      'ERR_PNPM_META_FETCH_FAIL  GET https://registry.example.org/left: request failed',
    ],
    [
      'config',
      /ERR_PNPM_(?:NO_SCRIPT|UNSUPPORTED_ENGINE|BAD_PM_VERSION|NO_PKG_MANIFEST|RECURSIVE_EXEC_NO_PACKAGE)/,
      'ERR_PNPM_NO_SCRIPT  Missing script: build',
    ],
    ['-failed', /ERR_PNPM_RECURSIVE_RUN_FIRST_FAIL|ELIFECYCLE/, ' ELIFECYCLE  Command failed with exit code 1.', 0.15],
  ]),
  ...rulesOf('playwright', [
    [
      'environment',
      /Executable doesn't exist at|browserType\.launch: Exec/,
      "browserType.launch: Executable doesn't exist at /root/.cache/chromium",
    ],
    [
      'testTimeout',
      /Error: (?:locator|page|expect)\..*Timeout \d+ms exceeded|TimeoutError: (?:page|locator)\./,
      'Error: locator.click: Timeout 30000ms exceeded.',
    ],
    [
      'assertion',
      /Error: expect\(.*\)\.\w+\(.*\) failed|Timed out \d+ms waiting for expect/,
      '    Error: expect(locator).toBeVisible() failed',
    ],
    [
      'assertion',
      /^\s*(?:\d+\) )?\[[\w -]+\] › .*\.[cm]?[jt]sx?:\d+:\d+ › /,
      '  1) [chromium] › cart.spec.ts:3:5 › adds prices ───',
      0.7,
    ],
    [
      'testTimeout',
      /CypressError: Timed out retrying|AssertionError: Timed out retrying/,
      'AssertionError: Timed out retrying after 4000ms: expected to find element',
    ],
  ]),
  ...rulesOf('jest', [
    ['assertion', /^\s*expect\(.*\)\.(?:not\.)?\w+\(.*\)/, '    expect(received).toBe(expected) // Object.is equality', 0.8],
    ['assertion', /^\s*● .+/, '  ● cart › adds prices', 0.85],
    [
      'missingModule',
      /Cannot find module '[^']+' (?:from|imported from)|Cannot find (?:module|package) '[^']+'/,
      "    Cannot find module './price' from 'src/cart.test.js'",
    ],
    [
      'testTimeout',
      /Exceeded timeout of \d+ ?ms|Timeout of \d+ms exceeded|Test timeout of \d+ms exceeded|Timeout - Async callback was not invoked|timeout of \d+ms exceeded|Test timed out in \d+ms/,
      '    thrown: "Exceeded timeout of 5000 ms for a test."',
    ],
    [
      'assertion',
      /coverage threshold for .* not met|Coverage for .* does not meet/,
      'Jest: "global" coverage threshold for lines (90%) not met: 88.1%',
    ],
    [
      'config',
      /^● Validation Error|Jest encountered an unexpected token|No tests found, exiting with code 1/,
      'No tests found, exiting with code 1',
    ],
    [
      'assertion',
      /obsolete snapshots? .*(?:failed)|New snapshot was not written/,
      'New snapshot was not written. The update flag must be explicitly passed to write a new snapshot.',
    ],
    ['assertion', /^\s*FAIL\s+\S+\.[cm]?[jt]sx?\b/, 'FAIL src/cart.test.js', 0.5],
    [
      '-assertion',
      /^\s*(?:Tests|Test Suites|Test Files|Snapshots):?\s+.*\d+ failed/,
      'Tests:       1 failed, 12 passed, 13 total',
      0.15,
    ],
  ]),
  ...rulesOf('eslint', [
    [
      '-lint',
      /^✖ \d+ problems?|Code style issues (?:found|fixed)|^\[warn\] Code style|too many warnings \(maximum|Some errors were emitted while applying/,
      '✖ 1 problem (1 error, 0 warnings)',
      0.25,
    ],
  ]),
  ...rulesOf('mocha', [
    [
      'assertion',
      /^\s*(?:AssertionError|AssertionError \[ERR_ASSERTION\])\b/,
      '      AssertionError: expected 3 to equal 4',
      0.85,
    ],
    ['assertion', /^\s*[✕✗×✖✘] .*\S/, '    ✕ adds prices (5 ms)', 0.6],
    ['assertion', /^\s*not ok \d+/, 'not ok 3 adds prices', 0.75],
    ['-assertion', /^\s*\d+ failing$/, '  1 failing', 0.3],
    [
      'assertion',
      /^.*(?:Chrome|Firefox|Headless|HeadlessChrome|jsdom)[\w. ()/]* .* FAILED$/,
      'HeadlessChrome 90.0 (Linux) cart adds prices FAILED',
      0.8,
    ],
  ]),
  ...rulesOf('tsc', [
    [
      'types',
      /(?:^|\s)\S+\.(?:[cm]?tsx?|vue|svelte)(?:\(\d+,\d+\)|:\d+:\d+)(?::| -) error TS\d+/,
      "src/cart.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.",
    ],
    ['types', /\berror TS\d+: /, "error TS5083: Cannot read file 'tsconfig.json'."],
    ['types', /^(?:Type error: |\s*TS\d+(?: \[ERROR\])?: )/, "Type error: Property 'id' does not exist on type 'Cart'."],
    ['-types', /^Found \d+ errors? in /, 'Found 1 error in src/cart.ts:3'],
  ]),
  ...rulesOf('eslint', [
    ['lint', /^\s*\d+:\d+\s+(?:error|Error:?)\s+\S/, "  3:7  error  'a' is assigned a value but never used  no-unused-vars"],
    ['lint', /^\s*\d+:\d+\s+[✖×]\s+\S/, ' 13:2  ✖  Expected double colon  selector-colon'],
    ['noise', /^\s*\d+:\d+\s+warning\s+/i, '  3:7  warning  Unexpected console statement  no-console'],
    ['lint', /^(?:\[?warn\]?:?|\[error\]) \S+\.\w+(?:$|: SyntaxError)/, '[warn] src/cart.ts', 0.75],
    ['lint', /^\S+\.\w+:\d+(?::\d+)? MD\d{3}\//, 'README.md:3:81 MD013/line-length Line length [Expected: 80; Actual: 92]'],
    [
      'config',
      /ESLint couldn't find|Oops! Something went wrong|Failed to load (?:config|plugin)/,
      "ESLint couldn't find a configuration file.",
    ],
  ]),
  ...rulesOf('bundler', [
    [
      'compile',
      /^\s*(?:Module not found: |ERROR in \S|✘ \[ERROR\] |\[vite\]: Rollup failed to resolve import|error during build:|RollupError: |Failed to compile)/,
      "Module not found: Error: Can't resolve './price' in '/app/src'",
    ],
    [
      'compile',
      /^(?:\S+: )?SyntaxError: .*(?:Unexpected|Invalid|Missing)|^Build failed with \d+ error|Error: Build failed/,
      'SyntaxError: Unexpected token (3:5)',
    ],
  ]),
  ...rulesOf('node', [
    [
      'missingModule',
      /^(?:Error|.*Error \[ERR_MODULE_NOT_FOUND\]): Cannot find (?:module|package) /,
      "Error: Cannot find module './db.json'",
    ],
    [
      'memory',
      /FATAL ERROR: .*(?:JavaScript heap out of memory|Allocation failed)/,
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    ],
    [
      'unavailable',
      /^\s*(?:Error: )?connect ECONNREFUSED|MongoNetworkError|SequelizeConnectionRefusedError/,
      'Error: connect ECONNREFUSED 127.0.0.1:5432',
      0.8,
    ],
    [
      'environment',
      /error:0308010C:digital envelope|EBADENGINE.*Unsupported engine|Unsupported engine/,
      'Error: error:0308010C:digital envelope routines::unsupported',
    ],
    [
      'exception',
      /^\s*(?:Uncaught )?(?:TypeError|ReferenceError|RangeError|SyntaxError|URIError|EvalError|DOMException)(?: \[\w+\])?: /,
      "TypeError: Cannot read properties of undefined (reading 'id')",
      0.75,
    ],
    [
      'exception',
      /\[?UnhandledPromiseRejection|Unhandled (?:error|rejection)|unhandledRejection/,
      'UnhandledPromiseRejectionWarning: Error: no price',
      0.6,
    ],
    [
      'compile',
      /^error: (?:Uncaught|TS\d+|Module not found|Relative import path)/,
      'error: Module not found "file:///app/price.ts"',
    ],
  ]),
]
