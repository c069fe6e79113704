import { rulesOf } from './rule.ts'

const GOAL = (plugin: string) => new RegExp(`Failed to execute goal [\\w.-]+:(?:${plugin})[\\w.:-]*`)

/** Maven and its plugins, Gradle, sbt, Ant, Leiningen; javac, kotlinc, scalac; JUnit, TestNG, Spock, ScalaTest. */
export const jvm = [
  ...rulesOf('maven', [
    [
      'resolution',
      /'[\w.]*dependency\.version' for \S+ is missing/,
      "'dependencies.dependency.version' for org.shop:price:jar is missing.",
      0.9,
    ],
    [
      'resolution',
      /Failed to execute goal on project .*: Could not (?:resolve|collect) dependencies/,
      'Failed to execute goal on project shop: Could not resolve dependencies for project org.shop:shop:jar:1',
    ],
    [
      'resolution',
      /Could not (?:find artifact|transfer artifact) \S+/,
      'Could not find artifact org.shop:price:jar:2.0 in central',
      0.85,
    ],
    [
      'resolution',
      /Non-resolvable (?:parent POM|import POM)|Plugin \S+ or one of its dependencies could not be resolved|Unresolveable build extension|Failed to read artifact descriptor for|The following artifacts could not be resolved/,
      'Non-resolvable parent POM for org.shop:shop:1: Could not find artifact org.shop:parent:pom:1',
    ],
    [
      'policy',
      /Rule \d+: \S+ failed with message/,
      '[WARNING] Rule 0: org.apache.maven.plugins.enforcer.DependencyConvergence failed with message:',
      0.9,
    ],
    [
      'policy',
      /Dependency convergence error for|Require upper bound dependencies error for|Found Banned Dependency|Found duplicate (?:classes|and different)|were found in more than one/,
      'Dependency convergence error for org.shop:price:1.0 paths to dependency are:',
      0.92,
    ],
    [
      '-policy',
      GOAL('maven-enforcer-plugin'),
      'Failed to execute goal org.apache.maven.plugins:maven-enforcer-plugin:3.1.0:enforce (enforce) on project shop: Some Enforcer rules have failed.',
      0.6,
    ],
    ['warning', /warnings found and -Werror specified/, '[ERROR] /src/Price.java: warnings found and -Werror specified'],
    [
      'config',
      /Non-parseable POM|Malformed POM|Unrecognised tag|The project .* has \d+ errors?|'[\w.]+' (?:is missing|must be)|No plugin found for prefix|Unknown lifecycle phase|there is no POM in this directory/,
      'Non-parseable POM /src/pom.xml: end tag name must match',
    ],
    [
      'environment',
      /(?:invalid (?:target|source) release|release version \d+ not supported|Source option \d+ is no longer supported|Fatal error compiling: error: invalid|No compiler is provided|class file has wrong version|has been compiled by a more recent version|[Uu]nsupported (?:Java|Python|Node(?:\.js)?|Ruby|Go) version|Unsupported class file major version)/,
      'Fatal error compiling: error: invalid target release: 17',
      0.9,
    ],
    [
      '-licence',
      GOAL('license-maven-plugin|apache-rat-plugin|license'),
      'Failed to execute goal com.mycila:license-maven-plugin:4.1:check (default) on project shop: Some files do not have the expected license header',
      0.6,
    ],
    [
      'licence',
      /(?:Missing header in: |Some files do not have the expected license header|Too many files with unapproved license|Unapproved licenses|not have the required (?:header|license))/,
      '[WARNING] Missing header in: /src/Price.java',
    ],
    [
      '-lint',
      GOAL(
        'maven-checkstyle-plugin|maven-pmd-plugin|spotbugs-maven-plugin|findbugs-maven-plugin|spotless-maven-plugin|[\\w-]*basepom[\\w-]*|formatter-maven-plugin|fmt-maven-plugin|impsort-maven-plugin|detekt[\\w-]*|ktlint[\\w-]*',
      ),
      'Failed to execute goal org.apache.maven.plugins:maven-checkstyle-plugin:3.1.2:check (validate) on project shop: You have 1 Checkstyle violation.',
      0.5,
    ],
    [
      '-api',
      GOAL('japicmp-maven-plugin|animal-sniffer-maven-plugin|revapi-maven-plugin|clirr-maven-plugin'),
      'Failed to execute goal org.codehaus.mojo:animal-sniffer-maven-plugin:1.9:check (default) on project shop: Signature errors found.',
      0.5,
    ],
    [
      'api',
      /Undefined reference: \S+|Incompatibility detected|There is at least one incompatibility|\b(?:METHOD_REMOVED|CLASS_REMOVED|METHOD_RETURN_TYPE_CHANGED)\b|java\.(?:method|class|field)\.\w+Removed|API changes: [1-9]/,
      'Undefined reference: java.util.List java.util.List.of()',
    ],
    [
      '-docs',
      GOAL('maven-javadoc-plugin|asciidoctor-maven-plugin|dokka[\\w-]*'),
      'Failed to execute goal org.apache.maven.plugins:maven-javadoc-plugin:3.4:jar (attach) on project shop: MavenReportException: Error while generating Javadoc',
      0.5,
    ],
    [
      '-resolution',
      GOAL('maven-dependency-plugin'),
      'Failed to execute goal org.apache.maven.plugins:maven-dependency-plugin:3.1:analyze-only (a) on project shop: Dependency problems found',
      0.6,
    ],
    [
      '-assertion',
      GOAL('maven-surefire-plugin|maven-failsafe-plugin|scalatest-maven-plugin|gmavenplus-plugin|karma-maven-plugin'),
      'Failed to execute goal org.apache.maven.plugins:maven-surefire-plugin:2.22.2:test (default-test) on project shop: There are test failures.',
      0.25,
    ],
    [
      '-compile',
      GOAL(
        'maven-compiler-plugin|kotlin-maven-plugin|scala-maven-plugin|takari-lifecycle-plugin|aspectj-maven-plugin|gwt-maven-plugin|groovy[\\w-]*|tycho-compiler-plugin|hibernate[\\w-]*|modernizer-maven-plugin',
      ),
      'Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.8.0:compile (default-compile) on project shop: Compilation failure',
      0.4,
    ],
    [
      'failed',
      /Failed to execute goal \S+/,
      'Failed to execute goal org.shop:price-maven-plugin:1:generate (default) on project shop: no price',
      0.7,
    ],
    [
      'noise',
      /^\[ERROR\]\s*(?:-> )?\[Help \d+\]|^\[ERROR\] (?:To see the full stack trace|Re-run Maven|For more information about the errors|After correcting the problems|Please refer to|-> )/,
      '[ERROR] Re-run Maven using the -X switch to enable full debug logging.',
    ],
    [
      '-failed',
      /^\[INFO\] BUILD FAILURE|^\[(?:INFO|ERROR)\] .*\.{2,} FAILURE \[|^\[INFO\] \d+ errors?\s*$|^\[ERROR\] COMPILATION ERROR|^\[ERROR\]\s+mvn <args>|^\[ERROR\]\s*$/,
      '[INFO] BUILD FAILURE',
      0.12,
    ],
  ]),
  ...rulesOf('surefire', [
    [
      'assertion',
      /^(?:\[ERROR\]\s+)?[\w.$]+(?:\.\w+|\([\w.$]+\)|\(.*\)(?:\[\d+\])?)?\s+(?:--\s+)?Time elapsed: .*<<< FAILURE!/,
      'org.shop.PriceTest.adds  Time elapsed: 0.1 s  <<< FAILURE!',
      0.7,
    ],
    [
      'exception',
      /^(?:\[ERROR\]\s+)?\S.*Time elapsed: .*<<< ERROR!/,
      'adds(org.shop.PriceTest)  Time elapsed: 0.1 s  <<< ERROR!',
      0.7,
    ],
    [
      'memory',
      /java\.lang\.OutOfMemoryError|There is insufficient memory for the Java Runtime/,
      'java.lang.OutOfMemoryError: Java heap space',
    ],
    [
      'crash',
      /The forked VM terminated without (?:properly )?saying (?:properly )?goodbye|A fatal error has been detected by the Java Runtime/,
      'The forked VM terminated without properly saying goodbye. VM crash or System.exit called?',
    ],
    [
      'assertion',
      /^(?:Caused by: )?(?:java\.lang\.AssertionError|junit\.framework\.\w+|org\.junit\.(?!runners\.model\.TestTimedOut)[\w.]+|org\.opentest4j\.\w+|org\.mockito\.exceptions\.[\w.]+|org\.spockframework\.[\w.]+|[\w.]*ComparisonFailure|[\w.]*AssertionFailedError)\b/,
      'java.lang.AssertionError: expected:<3> but was:<4>',
      0.85,
    ],
    [
      'missingModule',
      /^(?:Caused by: )?java\.lang\.(?:NoClassDefFoundError|NoSuchMethodError|NoSuchFieldError|ClassNotFoundException|AbstractMethodError|IncompatibleClassChangeError|UnsupportedClassVersionError|ExceptionInInitializerError)\b/,
      'java.lang.NoSuchMethodError: org.shop.Price.add',
      0.88,
    ],
    [
      'unavailable',
      /^(?:Caused by: )?java\.net\.ConnectException: Connection refused/,
      'Caused by: java.net.ConnectException: Connection refused',
    ],
    [
      'network',
      /^(?:Caused by: )?(?:java\.net\.(?:UnknownHostException|SocketTimeoutException|SocketException)|javax\.net\.ssl\.\w+Exception)\b/,
      'java.net.UnknownHostException: repo.example.org',
    ],
    [
      'testTimeout',
      /^(?:Caused by: )?(?:org\.junit\.runners\.model\.TestTimedOutException|java\.util\.concurrent\.TimeoutException|org\.awaitility\.\S+)/,
      'org.junit.runners.model.TestTimedOutException: test timed out after 10 seconds',
    ],
    ['exception', /^Caused by: [\w.$]+(?:Exception|Error)\b/, 'Caused by: java.lang.IllegalStateException: no price', 0.72],
    [
      '-assertion',
      /^(?:\[ERROR\]\s+)?(?:Tests run: \d+, .*<<< (?:FAILURE|ERROR)!|Tests run: \d+, Failures: (?:[1-9]|\d+, Errors: [1-9])|Failed tests:|Tests in error:|Failures:|Errors:|There are test failures)/,
      'Tests run: 3, Failures: 1, Errors: 0, Skipped: 0',
      0.2,
    ],
    [
      'assertion',
      /^(?:\[ERROR\]\s{2,})[\w$]+(?:\.\w+)+.*(?::\d+|»|expected)/,
      '[ERROR]   PriceTest.adds:12 expected:<3> but was:<4>',
      0.75,
    ],
  ]),
  ...rulesOf('javac', [
    [
      'lint',
      /^(?:\[(?:ERROR|WARN|ant:checkstyle)\](?: \[ERROR\])?\s+)?\S+\.(?:java|kt|xml)(?::\d+|:?\[\d+(?:,\d+)?\])(?::\d+)?:? (?:\(\w+\) \w+:|.*\[\w+\]$)/,
      "[ERROR] src/Price.java:3:1: 'if' has no braces. [NeedBraces]",
      0.86,
    ],
    [
      'compile',
      /^(?:\[ERROR\]\s+)?(?:file:\/\/)?\S+\.(?:java|kt|groovy|scala|aj):(?:\[?\d+[,:]?\d*\]?)[: ]+\s*(?:error: )?\S/,
      '[ERROR] /src/Price.java:[3,5] cannot find symbol',
      0.8,
    ],
    ['compile', /^(?:\[javac\] )?\S+\.java:\d+: error: /, 'src/Price.java:3: error: cannot find symbol'],
    ['compile', /^e: (?:file:\/\/)?\S+\.kts?:?/, 'e: file:///src/Price.kt:3:5 Unresolved reference: add'],
    ['-compile', /^\d+ errors?$|> Compilation failed; see the compiler/, '1 error', 0.15],
  ]),
  ...rulesOf('gradle', [
    [
      'resolution',
      /Could not (?:resolve|find) (?:all (?:files|artifacts|dependencies|task dependencies)|\S+:\S+:\S+|com\.|org\.|io\.|net\.)|Plugin \[id: .*\] was not found/,
      '> Could not resolve org.shop:price:2.0.',
      0.85,
    ],
    [
      'environment',
      /Could not (?:open|create) .*(?:cache|class|toolchain)|No matching toolchains|Could not determine java version|Unsupported Java|Could not find or load main class|SDK location not found|failed to find target|licen[cs]es have not been accepted/,
      'Could not determine java version from 17.0.1.',
      0.88,
    ],
    [
      'config',
      /Could not (?:compile build file|find method|get unknown property|set unknown property)|Task '.*' not found in|A problem occurred evaluating|A problem occurred configuring/,
      "Task 'lint' not found in root project 'shop'.",
      0.75,
    ],
    ['assertion', /^\S+(?: > \S.*)+ FAILED$/, 'org.shop.PriceTest > adds FAILED', 0.7],
    [
      'assertion',
      /^\s+(?:[\w.$]+(?:Error|Exception|Failure|Failed))(?:\b.* at \S+:\d+|: .*)$/,
      '    java.lang.AssertionError at PriceTest.java:12',
      0.8,
    ],
    [
      'lint',
      /(?:The following files had format violations|Checkstyle rule violations were found|spotlessJavaCheck|ktlint .* found|Detekt|Lint found errors)/,
      'The following files had format violations:',
      0.8,
    ],
    ['-compile', /Execution failed for task '.*:compile\w*'/, "Execution failed for task ':compileJava'.", 0.35],
    ['-assertion', /Execution failed for task '.*(?:[tT]est\w*)'/, "Execution failed for task ':test'.", 0.35],
    ['-failed', /Execution failed for task '.*'/, "Execution failed for task ':price:generate'.", 0.45],
    [
      '-failed',
      /^> Task .* FAILED$|^:\S+ FAILED$|^FAILURE: Build (?:failed|completed with)|^BUILD FAILED|^\* What went wrong:|There were failing tests/,
      'FAILURE: Build failed with an exception.',
      0.15,
    ],
    [
      'noise',
      /^> (?:Run with --|Get more help)|^\* (?:Try|Get more help|Exception is)/,
      '> Run with --info option to get more log output of errors.',
    ],
  ]),
  ...rulesOf('sbt', [
    ['compile', /^\[error\] \S+\.(?:scala|java|sbt):\d+(?::\d+)?: /, '[error] /src/Price.scala:3:5: not found: value add'],
    [
      'resolution',
      /^\[error\] .*(?:not found: \S+#|unresolved dependency|Error downloading|sbt\.librarymanagement\.ResolveException)/,
      '[error] sbt.librarymanagement.ResolveException: Error downloading org.shop:price:2.0',
    ],
    ['assertion', /^\[info\] .*\*\*\* FAILED \*\*\*/, '[info] - adds prices *** FAILED ***'],
    [
      '-failed',
      /^\[error\] (?:\(.*\) |Total time|Failed tests|Failed:|\(\d+ errors?|(?:one|two|\w+) errors? found|\s*$)/,
      '[error] (shop / Test / test) sbt.TestsFailedException: Tests unsuccessful',
      0.2,
    ],
  ]),
]
