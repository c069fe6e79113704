/**
 * What can be wrong, as kinds: each with its type (the sixteen of the taxonomy and `code_defect`), the kind of command it usually fails in, whose it
 * is, how much a line of it says of the cause, and what to do. Rules of tools name a kind, so a new tool is a line and a new kind is a line.
 */
export type FailureType =
  | 'resource_exhaustion'
  | 'network_connectivity'
  | 'storage_issues'
  | 'service_unavailability'
  | 'dependency_conflicts'
  | 'configuration_errors'
  | 'runtime_exceptions'
  | 'memory_leaks'
  | 'flaky_tests'
  | 'test_environment_issues'
  | 'timing_dependencies'
  | 'external_service_failures'
  | 'vulnerability_blocking'
  | 'certificate_expiration'
  | 'access_control_failures'
  | 'compliance_violations'
  | 'code_defect'
export type CommandClass =
  | 'compile'
  | 'test'
  | 'style'
  | 'docs'
  | 'licence'
  | 'dependency'
  | 'lock'
  | 'policy'
  | 'warnings'
  | 'api'
  | 'checkout'
  | 'execution'
  | 'other'
export type Whose = 'change' | 'environment' | 'flaky' | 'external'

export interface Kind {
  readonly type: FailureType
  readonly class: CommandClass
  readonly whose: Whose
  /** 0..1: how often a line of this kind is the cause where it stands. Set by hand: named faults .9, named symptoms .6, words alone .4. */
  readonly weight: number
  readonly fix: string
  readonly prevention: string
}
const kind = (
  type: FailureType,
  commandClass: CommandClass,
  whose: Whose,
  weight: number,
  fix: string,
  prevention: string,
): Kind => ({ type, class: commandClass, whose, weight, fix, prevention })

export const KINDS = {
  assertion: kind(
    'code_defect',
    'test',
    'change',
    0.85,
    'Run the named test alone; mend the code, or the expectation if the new behaviour is wanted.',
    'Run the tests of the files you touch before pushing.',
  ),
  compile: kind(
    'code_defect',
    'compile',
    'change',
    0.9,
    'Mend the first error the compiler names; later ones often follow from it.',
    'Build before pushing; keep the compiler’s version the same as in CI.',
  ),
  types: kind(
    'code_defect',
    'compile',
    'change',
    0.9,
    'Mend the first type error named.',
    'Run the type checker before pushing.',
  ),
  lint: kind(
    'code_defect',
    'style',
    'change',
    0.8,
    'Run the linter or formatter with its fix option and commit the result.',
    'Run it as a pre-commit hook.',
  ),
  docs: kind('code_defect', 'docs', 'change', 0.8, 'Mend the documentation named.', 'Build the documentation before pushing.'),
  licence: kind(
    'compliance_violations',
    'licence',
    'change',
    0.85,
    'Add the licence header or approve the licence named.',
    'Let the build add headers, and check licences when a dependency is added.',
  ),
  warning: kind(
    'code_defect',
    'warnings',
    'change',
    0.85,
    'Mend the first warning: warnings count as errors here.',
    'Build with warnings as errors before pushing.',
  ),
  api: kind(
    'code_defect',
    'api',
    'change',
    0.85,
    'Keep the old signature, or raise the version and write the exception down.',
    'Check the public interface before pushing.',
  ),
  exception: kind(
    'runtime_exceptions',
    'test',
    'change',
    0.75,
    'Follow the trace to the first frame of your own code.',
    'Cover the path with a test.',
  ),
  crash: kind(
    'runtime_exceptions',
    'test',
    'change',
    0.8,
    'Run the named program under a debugger or sanitizer.',
    'Run a sanitizer in CI.',
  ),
  resolution: kind(
    'dependency_conflicts',
    'dependency',
    'change',
    0.9,
    'Choose versions that fit together; pin or roll back the one named.',
    'Update dependencies one at a time, with a lock file.',
  ),
  missingModule: kind(
    'dependency_conflicts',
    'execution',
    'change',
    0.85,
    'Declare the missing package, or mend the import.',
    'Install from the lock file in a clean folder before pushing.',
  ),
  lock: kind(
    'dependency_conflicts',
    'lock',
    'change',
    0.9,
    'Write the lock file again and commit it.',
    'Change manifest and lock file together.',
  ),
  policy: kind(
    'dependency_conflicts',
    'policy',
    'change',
    0.9,
    'Choose versions that keep the rule named, or exclude the other ones.',
    'Check the rule when a dependency is updated.',
  ),
  checkout: kind(
    'configuration_errors',
    'checkout',
    'change',
    0.85,
    'Check that the branch, tag or commit named still exists and may be read.',
    'Do not delete or rewrite branches while jobs of them run.',
  ),
  network: kind(
    'network_connectivity',
    'dependency',
    'external',
    0.85,
    'Run the job again; if it stays, look at the address named.',
    'Retry downloads, and keep a mirror or cache.',
  ),
  external: kind(
    'external_service_failures',
    'dependency',
    'external',
    0.85,
    'Wait for the service named and run the job again.',
    'Retry with back-off, and keep a mirror or cache.',
  ),
  unavailable: kind(
    'service_unavailability',
    'test',
    'environment',
    0.8,
    'Start the service named, and wait until it is ready.',
    'Use a health check before the tests start.',
  ),
  disk: kind(
    'storage_issues',
    'execution',
    'environment',
    0.95,
    'Free space on the runner, or take one with more.',
    'Remove what is not needed before the build; watch the free space.',
  ),
  memory: kind(
    'resource_exhaustion',
    'execution',
    'environment',
    0.9,
    'Give the job more memory, or let it do less at once.',
    'Limit parallel work; watch the memory used.',
  ),
  timeLimit: kind(
    'resource_exhaustion',
    'execution',
    'environment',
    0.85,
    'Find what hangs or is slow; raise the limit only if the work has grown.',
    'Give single tests a limit, so that the one that hangs is named.',
  ),
  testTimeout: kind(
    'timing_dependencies',
    'test',
    'change',
    0.8,
    'Find what the test waits for; raise its limit only if the work has grown.',
    'Wait for a condition, not for a time.',
  ),
  race: kind('timing_dependencies', 'test', 'change', 0.9, 'Guard what the two accesses share.', 'Run the race detector in CI.'),
  cancelled: kind(
    'test_environment_issues',
    'execution',
    'environment',
    0.5,
    'See who or what cancelled the job; run it again.',
    'Cancel only jobs that a newer push replaces.',
  ),
  runner: kind(
    'service_unavailability',
    'execution',
    'environment',
    0.85,
    'Run the job again; look after the runner if it stays.',
    'Watch the runners; keep spare ones.',
  ),
  access: kind(
    'access_control_failures',
    'execution',
    'environment',
    0.85,
    'Check the token, its scopes and who may read the secret here.',
    'Renew secrets before they end; grant what the job needs in its own file.',
  ),
  expired: kind(
    'certificate_expiration',
    'execution',
    'environment',
    0.9,
    'Renew the certificate or key named.',
    'Watch the dates on which certificates end.',
  ),
  vulnerability: kind(
    'vulnerability_blocking',
    'policy',
    'change',
    0.85,
    'Update what is named to a version without the finding, or write an exception down.',
    'Scan when a dependency is added.',
  ),
  leak: kind(
    'compliance_violations',
    'policy',
    'change',
    0.85,
    'Take the secret out, and make a new one: the old one is known now.',
    'Scan for secrets before each commit.',
  ),
  compliance: kind(
    'compliance_violations',
    'other',
    'change',
    0.8,
    'Bring the change into the form the check asks for.',
    'Say the rule in the template of pull requests.',
  ),
  config: kind(
    'configuration_errors',
    'execution',
    'change',
    0.8,
    'Mend the setting or file named.',
    'Check configuration before it is used.',
  ),
  environment: kind(
    'test_environment_issues',
    'execution',
    'environment',
    0.8,
    'Bring the tool or system in the job to what the build needs.',
    'Pin the image and the versions of tools.',
  ),
  image: kind(
    'configuration_errors',
    'dependency',
    'external',
    0.85,
    'Check the name and tag of the image.',
    'Pin images by digest.',
  ),
  deploy: kind('configuration_errors', 'execution', 'change', 0.8, 'Mend the resource named.', 'Plan or render before merging.'),
  nativeLeak: kind('memory_leaks', 'test', 'change', 0.85, 'Free what the report names.', 'Run the leak check in CI.'),
  flaky: kind(
    'flaky_tests',
    'test',
    'flaky',
    0.7,
    'Put the test aside and mend it; it failed and passed on one commit.',
    'Run new tests many times before merging.',
  ),
  failed: kind('code_defect', 'other', 'change', 0.45, 'Read the lines cited.', 'Let the command say why it fails.'),
} as const satisfies Record<string, Kind>
export type KindName = keyof typeof KINDS
