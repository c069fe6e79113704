/** The class of the exception that a trace is of. */

const CLASS =
  /(?:[A-Za-z_$][\w$]{0,80}\.){1,12}(?:Error|Exception|Throwable)\b|(?:[A-Za-z_$][\w$]{0,80}(?:\.|::|\\)){0,12}[A-Z][\w$]{0,80}(?:Exception|Error|Exit|Interrupt|Failure|Fault)\b/
const SPOKEN: readonly RegExp[] = [
  /terminat\w+ (?:called after throwing an instance of|due to uncaught exception of type) '?([\w:<>, ]{1,128}?)'?(?:$|\n|: )/,
  /\*\* \(([A-Z][\w.]{0,128})\)/,
  /AddressSanitizer: ([\w-]{3,64})/,
  /(?:ThreadSanitizer|MemorySanitizer|LeakSanitizer): ([\w -]{3,64})/,
  /\(([A-Z]\w{0,80}(?:::[A-Z]\w{0,80}){0,6})\)$/m,
]
const PANIC = /\bpanic serving |^(?:panic: |thread '[^']{0,128}' (?:\(\d+\) )?panicked at |fatal error: )/m

/** Of the last "Caused by", of the last line of a Python traceback, else the first named. */
export function exceptionOf(body: string): string | undefined {
  const lines = body.split('\n')
  let cause: string | undefined
  for (const line of lines) {
    const m = /^\s*(?:Caused by|Wrapped by): (.*)|^\s*---> (.*)|^\s*\[cause\]: (.*)/.exec(line)
    if (m !== null) cause = CLASS.exec(m[1] ?? m[2] ?? m[3])?.[0] ?? /^[\w.$]+(?=:|$)/.exec(m[1] ?? m[2] ?? m[3])?.[0] ?? cause
  }
  if (cause !== undefined) return cause
  if (body.includes('Traceback (most recent call last):')) {
    const group = /^\s*(?:\| )?((?:[\w.]+\.)?(?:Base)?ExceptionGroup): /m.exec(body)
    if (group !== null) return group[1]
    let named: string | undefined
    let inside = false
    for (const line of lines) {
      if (line.includes('Traceback (most recent call last):')) inside = true
      else if (inside && /^\S/.test(line)) {
        named = /^([\w.]+)(?=:|$)/.exec(line)?.[0] ?? CLASS.exec(line)?.[0] ?? named
        inside = false
      }
    }
    if (named !== undefined) return named
  }
  if (PANIC.test(body)) return 'panic'
  for (const pattern of SPOKEN.slice(0, 4)) {
    const m = pattern.exec(body)
    if (m !== null) return m[1].trim()
  }
  for (const line of lines) {
    const found = CLASS.exec(line)
    if (found !== null && !/^\s+(?:at |throw |raise )/.test(line)) return found[0]
  }
  return (
    SPOKEN[4].exec(lines[0])?.[1] ??
    (/\n\s+at /.test(body) ? /(?:^\s*|Uncaught |: )(Error|Exception)(?=: |$)/m.exec(body)?.[1] : undefined)
  )
}
