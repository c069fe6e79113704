import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StackTraceJoiner } from './join-stack-traces.ts'

const join = (lines: readonly string[]) => {
  const joiner = new StackTraceJoiner<number>()
  return [...lines.flatMap((line, i) => joiner.push('s', line, i)), ...joiner.flush()]
}

describe('stack traces', () => {
  it.each([
    [
      'Java',
      [
        'ERROR request failed',
        'java.lang.IllegalStateException: x',
        '\tat a.B.c(B.java:1)',
        '\t... 12 more',
        'Caused by: java.net.ConnectException: refused',
        '\tat d.E.f(E.java:2)',
      ],
      'java.net.ConnectException',
    ],
    [
      'Python',
      [
        'Traceback (most recent call last):',
        '  File "a.py", line 1, in f',
        '    g()',
        'KeyError: 1',
        '',
        'During handling of the above exception, another exception occurred:',
        '',
        'Traceback (most recent call last):',
        '  File "b.py", line 2, in h',
        'ValueError: bad',
      ],
      'ValueError',
    ],
    [
      'Go',
      [
        'panic: runtime error: index out of range',
        '',
        'goroutine 1 [running]:',
        'main.f(0x1)',
        '\t/src/main.go:12 +0x1d',
        'created by main.main',
        '\t/src/main.go:5 +0x2',
      ],
      'panic',
    ],
    [
      '.NET',
      [
        'Unhandled exception. System.InvalidOperationException: no',
        '   at A.B() in /src/A.cs:line 3',
        '   --- End of inner exception stack trace ---',
        '   at C.D()',
      ],
      'System.InvalidOperationException',
    ],
    [
      'Node',
      ["TypeError: Cannot read properties of undefined (reading 'x')", '    at f (/app/a.js:1:2)', '    at async /app/b.js:3:4'],
      'TypeError',
    ],
  ])('%s', (_, trace, exception) => {
    const events = join(['INFO before', ...trace, 'INFO after'])
    expect(events.map(event => event.lines)).toEqual([1, trace.length, 1])
    expect(events[1]).toMatchObject({ exception, body: trace.join('\n') })
  })

  it.each([
    [
      'Rust',
      [
        "thread 'main' panicked at src/a.rs:4:5:",
        'no ink',
        'stack backtrace:',
        '   0: core::panic',
        '             at /lib/core.rs:1:1',
        'note: run again',
      ],
      'panic',
    ],
    [
      'PHP',
      [
        'PHP Fatal error:  Uncaught InkException: none in /srv/a.php:3',
        'Stack trace:',
        "#0 /srv/b.php(4): A->f('x')",
        '#1 {main}',
        '  thrown in /srv/a.php on line 3',
      ],
      'InkException',
    ],
    ['Ruby', ["a.rb:10:in `f': divided by 0 (ZeroDivisionError)", "\tfrom a.rb:4:in `run'"], 'ZeroDivisionError'],
    [
      'Node with code',
      [
        '/srv/a.js:44',
        "    throw new TypeError('x')",
        '    ^',
        '',
        'TypeError: x',
        '    at f (/srv/a.js:44:11) {',
        "  code: 'E'",
        '}',
        '',
        'Node.js v20.1.0',
      ],
      'TypeError',
    ],
    [
      'C++',
      ["terminate called after throwing an instance of 'std::runtime_error'", '  what():  no ink', 'Aborted (core dumped)'],
      'std::runtime_error',
    ],
    [
      'AddressSanitizer',
      [
        '==7==ERROR: AddressSanitizer: heap-use-after-free on 0x1',
        'READ of size 4',
        '    #0 0x1 in main',
        '',
        'SUMMARY: AddressSanitizer: x',
        '==7==ABORTING',
      ],
      'heap-use-after-free',
    ],
    ['Elixir', ['** (ArithmeticError) bad argument', '    (till 0.1.0) lib/till.ex:5: Till.sum/1'], 'ArithmeticError'],
    [
      'Java, cut off',
      [
        'java.io.IOException: x',
        '\tat a.B.c(B.java:1)',
        '\tSuppressed: a.CException: y',
        '\t\tat a.D.e(D.java:2)',
        'Caused by: a.FException: z',
        '\t... 3 common frames omitted',
      ],
      'a.FException',
    ],
    ['frames without indentation', ['java.io.IOException: x', 'at a.B.c(B.java:1)', 'at a.D.e(D.java:2)'], 'java.io.IOException'],
    [
      'Python group',
      [
        '  + Exception Group Traceback (most recent call last):',
        '  |   File "a.py", line 1',
        '  | ExceptionGroup: two',
        '  +-+---- 1 ----',
        '    | ValueError: a',
        '    +----',
      ],
      'ExceptionGroup',
    ],
    [
      'Go deadlock',
      [
        'fatal error: all goroutines are asleep',
        '',
        'goroutine 1 [chan receive]:',
        'main.main()',
        '\t/a.go:5 +0x1',
        '',
        'goroutine 7 [select]:',
        'main.w(0xc0)',
        '\t/w.go:9 +0x2',
      ],
      'panic',
    ],
    ['Lua', ['lua: a.lua:4: no ink', 'stack traceback:', "\ta.lua:4: in function 'f'"], undefined],
  ])('%s, between lines with headers', (_, trace, exception) => {
    const joiner = new StackTraceJoiner<number>()
    const all = ['before', ...trace, 'after']
    const events = [
      ...all.flatMap((line, i) => joiner.push('s', line, i, 0, { starts: i === 0 || i === all.length - 1 })),
      ...joiner.flush(),
    ]
    expect(events.map(event => event.lines)).toEqual([1, trace.length, 1])
    expect(events[1]).toMatchObject({ body: trace.join('\n'), trace: true })
    expect(events[1].exception).toBe(exception)
  })

  it('keeps what a header announces, and what begins with a mark, with the header', () => {
    const joiner = new StackTraceJoiner<number>()
    const lines = ['headers:', "':method', 'GET'", "'te', 'trailers'", '', 'next', 'text of its own']
    const events = [
      ...lines.flatMap((line, i) => joiner.push('s', line, i, 0, { starts: i === 0 || i === 4 })),
      ...joiner.flush(),
    ]
    expect(events.map(event => event.lines)).toEqual([4, 1, 1])
  })

  it('reads an object over several lines as one record', () => {
    const joiner = new StackTraceJoiner<number>()
    const events = [...['{', '  "msg": "x"', '}', '{', '}'].flatMap((line, i) => joiner.push('s', line, i)), ...joiner.flush()]
    expect(events.map(({ lines, record }) => [lines, record])).toEqual([
      [3, true],
      [2, true],
    ])
  })

  it('never mixes sources', () => {
    const joiner = new StackTraceJoiner<string>()
    joiner.push('a', 'Error: one', 'a1')
    joiner.push('b', 'INFO other', 'b1')
    joiner.push('a', '    at f (x.js:1:1)', 'a2')
    expect(joiner.flush().map(event => event.tags)).toEqual([['a1', 'a2'], ['b1']])
  })

  it('lets go by time', () => {
    const joiner = new StackTraceJoiner<number>({ maxWaitUs: 10 })
    joiner.push('a', 'x', 1, 100)
    expect(joiner.tick(105)).toEqual([])
    expect(joiner.tick(110)).toHaveLength(1)
  })

  const anyLine = fc.constantFrom(
    'INFO a',
    'java.lang.Error: x',
    '\tat a.b(C.java:1)',
    'Caused by: a.BException: y',
    'Traceback (most recent call last):',
    '  File "a", line 1',
    '',
    'ValueError: z',
    'panic: no',
    'goroutine 1 [running]:',
    'main.f()',
  )

  it('loses no line and keeps the order of a source, however input is cut into batches', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), anyLine), { maxLength: 60 }), fc.nat(60), (input, cut) => {
        const options = { maxLines: 5, maxSources: 2 }
        const one = new StackTraceJoiner<number>(options)
        const whole = [...input.flatMap(([source, text], i) => one.push(source, text, i)), ...one.flush()]
        const first = new StackTraceJoiner<number>(options)
        const before = input.slice(0, cut).flatMap(([source, text], i) => first.push(source, text, i))
        const second = new StackTraceJoiner<number>(options)
        second.restore(first.snapshot())
        const after = input.slice(cut).flatMap(([source, text], i) => second.push(source, text, cut + i))
        expect([...before, ...after, ...second.flush()]).toEqual(whole)
        for (const source of ['a', 'b', 'c']) {
          const tags = whole.filter(event => event.source === source).flatMap(event => event.tags)
          expect(tags).toEqual(input.flatMap(([name], i) => (name === source ? [i] : [])))
        }
      }),
      { seed: 5, numRuns: 200 },
    )
  })
})
