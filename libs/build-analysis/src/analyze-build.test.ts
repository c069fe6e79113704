import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { analyzeBuild } from './analyze-build.ts'

const actions = (...steps: readonly (readonly string[])[]): string =>
  [
    'Prepare workflow directory',
    ...steps.flatMap(([command, ...output]) => [
      `##[group]Run ${command}`,
      'shell: /usr/bin/bash -e {0}',
      '##[endgroup]',
      ...output,
    ]),
    'Post job cleanup.',
    'Cleaning up orphan processes',
  ]
    .map((l, i) => `2026-01-02T03:04:${String(i % 60).padStart(2, '0')}.0000000Z ${l}`)
    .join('\n')
const EXIT = '##[error]Process completed with exit code 1.'
const cited = (log: string, pass?: string) => {
  const a = analyzeBuild(log, pass)
  const lines = log.split('\n')
  return { a, f: a.failures[0], first: lines[(a.cited[0] ?? 0) - 1] ?? '' }
}

describe('the cause is cited before what it made fail', () => {
  const cases: readonly (readonly [string, readonly string[], string, string, string])[] = [
    [
      'pytest',
      [
        'pytest',
        'F',
        '____ test_total ____',
        '    def test_total():',
        '>       assert total() == 4',
        'E       assert 3 == 4',
        'FAILED tests/test_cart.py::test_total - assert 3 == 4',
        '= 1 failed in 0.1s =',
        EXIT,
      ],
      'E       assert',
      'code_defect',
      'change',
    ],
    [
      'collection',
      [
        'pytest',
        '__ ERROR collecting tests/test_a.py __',
        "E   ModuleNotFoundError: No module named 'yaml'",
        'ERROR tests/test_a.py',
        '!!! Interrupted: 1 error during collection !!!',
        EXIT,
      ],
      'No module named',
      'dependency_conflicts',
      'change',
    ],
    [
      'npm',
      [
        'npm ci',
        'npm error code ERESOLVE',
        'npm error ERESOLVE could not resolve',
        'npm error A complete log of this run can be found in: /x',
        EXIT,
      ],
      'ERESOLVE',
      'dependency_conflicts',
      'change',
    ],
    [
      'tsc',
      [
        'tsc',
        "src/cart.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.",
        'error Command failed with exit code 2.',
        EXIT,
      ],
      'TS2322',
      'code_defect',
      'change',
    ],
    [
      'cargo',
      [
        'cargo build',
        'error[E0425]: cannot find value `price` in this scope',
        '  --> src/lib.rs:3:5',
        'error: could not compile `shop` (lib) due to 1 previous error',
        EXIT,
      ],
      'E0425',
      'code_defect',
      'change',
    ],
    [
      'go',
      [
        'go test ./...',
        '--- FAIL: TestAdd (0.00s)',
        '    price_test.go:12: got 3, want 4',
        'FAIL',
        'FAIL\texample.org/shop\t0.01s',
        EXIT,
      ],
      'got 3',
      'code_defect',
      'change',
    ],
    [
      'disk',
      ['make', 'cc: error writing to /tmp/a.s: No space left on device', 'make: *** [all] Error 1', EXIT],
      'No space left',
      'storage_issues',
      'environment',
    ],
    [
      'network',
      ['pip install x', 'curl: (6) Could not resolve host: files.example.org', EXIT],
      'Could not resolve',
      'network_connectivity',
      'external',
    ],
    [
      'token',
      ['deploy', '##[error]Input required and not supplied: token'],
      'Input required',
      'access_control_failures',
      'environment',
    ],
    [
      'out of memory',
      ['make -j', 'c++: fatal error: Killed signal terminated program cc1plus', '##[error]Process completed with exit code 137.'],
      'Killed',
      'resource_exhaustion',
      'environment',
    ],
  ]
  test.each(cases)('%s', (_, step, words, type, whose) => {
    const { f, first, a } = cited(actions(['echo ready', 'ready'], step))
    expect(first).toContain(words)
    expect(f).toMatchObject({ type, whose, abstain: false })
    expect(a.command).toBe(step[0])
  })
})

describe('what failed and what did not', () => {
  test('a green log has no failure, though it speaks of errors', () => {
    expect(analyzeBuild(actions(['pytest', 'tests/test_errors.py PASSED', '0 errors, 0 failed', '12 passed'])).failures).toEqual(
      [],
    )
  })
  test('a step that the green run also fails is allowed to', () => {
    const log = actions(['flaky-report', 'report was not sent', EXIT], ['make', 'done'])
    expect(analyzeBuild(log, log).failures).toEqual([])
  })
  test('a step that says nothing is not explained', () => {
    const { f } = cited(actions(['./check.sh', EXIT]))
    expect(f).toMatchObject({ abstain: true, type: null })
  })
  test('a tool nobody knows: its last words, with little confidence', () => {
    const { f, first } = cited(actions(['frobnicate', 'frobnicating 12 widgets', 'widget 7 sits askew', EXIT]))
    expect(first).toContain('widget 7 sits askew')
    expect(f?.abstain).toBe(false)
    expect(f?.confidence).toBeLessThan(0.6)
  })
  test('what a green run says too counts less', () => {
    const noise = 'ERROR: metrics are not configured here'
    const green = actions(['make', noise, 'ok'])
    const { first } = cited(actions(['make', noise, 'ERROR: price list is empty', EXIT]), green)
    expect(first).toContain('price list')
  })
  test('two steps that fail by themselves are two failures', () => {
    const log = actions(
      ['ruff check .', 'shop/cart.py:1:8: F401 [*] `os` imported but unused', 'Found 1 error.', EXIT],
      ['pytest', 'E       assert 3 == 4', 'FAILED tests/test_cart.py::test_total - assert 3 == 4', EXIT],
    )
    expect(new Set(analyzeBuild(log).failures.map(f => f.kind))).toEqual(new Set(['assertion', 'lint']))
  })
  test('Travis: the command that exited', () => {
    const log = [
      'travis_time:start:1',
      '$ make',
      'price.c:3:5: error: no add',
      'travis_time:end:1',
      'The command "make" exited with 2.',
      'Done. Your build exited with 1.',
    ]
    const { first, a } = cited(log.join('\n'))
    expect(first).toContain('price.c')
    expect(a.step).toEqual([1, 5])
    expect(a.files).toEqual(['price.c'])
  })
  test('Maven: what a rule on versions is about', () => {
    const log = [
      '[ERROR] Rule 0: org.apache.maven.plugins.enforcer.RequireUpperBoundDeps failed with message:',
      'Require upper bound dependencies error for org.ink:ink:1.0 paths to dependency are:',
      '+-org.shop:shop:1',
      '  +-org.paper:paper:2.1',
      '    +-org.ink:ink:1.0',
      '[INFO] BUILD FAILURE',
      '[ERROR] Failed to execute goal org.apache.maven.plugins:maven-enforcer-plugin:3.1.0:enforce (enforce) on project shop: Some Enforcer rules have failed.',
    ].join('\n')
    const { f, a } = cited(log)
    expect(f).toMatchObject({ type: 'dependency_conflicts', class: 'policy' })
    expect(a.dependency).toMatchObject({ name: 'org.paper:paper', to: '2.1' })
  })
})

test('every quote stands in its line, every line in the log, and the same log gives the same', () => {
  const words = fc.constantFrom(
    'error: no',
    'E   assert 1 == 2',
    '##[group]Run x',
    '##[endgroup]',
    EXIT,
    '\u001b[31mFAILED\u001b[0m a.py::b',
    'x\ry fatal: z',
    '',
    '  at a.b(C.java:3)',
    'Traceback (most recent call last):',
    'ok',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string())), parts => {
      const log = parts.join('\n')
      const lines = log.split('\n')
      const a = analyzeBuild(log)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes of the terminal start with one
      const bare = (n: number) => (lines[n - 1] as string).replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '')
      for (const f of a.failures) for (const q of f.quotes) expect(bare(q.line)).toContain(q.text)
      for (const n of a.cited) expect(n >= 1 && n <= lines.length).toBe(true)
      for (const [from, to] of a.ranges) expect(from >= 1 && from <= to && to <= lines.length).toBe(true)
      expect(analyzeBuild(log)).toEqual(a)
    }),
    { numRuns: 200 },
  )
})
