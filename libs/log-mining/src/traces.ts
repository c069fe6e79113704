/**
 * How the last words of programs look, language by language: what a trace begins with, and the lines that go on with it besides those that any trace
 * has (indented frames, "Caused by", blank lines between its parts).
 */

export interface Trace {
  readonly name: string
  /** A line that can only be the beginning of such a trace, or its headline. */
  readonly begins: RegExp
  /** Lines without indentation that belong to it. */
  readonly goesOn?: RegExp
  /** The line after the first is the message, whatever it says. */
  readonly message?: boolean
  /** The last line; what comes after it is another event. */
  readonly ends?: RegExp
}

export const traces: readonly Trace[] = [
  // first, since "Traceback" may stand anywhere in the line; its frames are indented, and the first line that is not names the exception
  {
    name: 'python',
    begins: /Traceback \(most recent call last\):/,
    goesOn: /^(?:During handling of the above exception|The above exception was the direct cause)/,
  },
  {
    name: 'go',
    begins:
      /^(?:panic: |fatal error: |goroutine \d+ \[|runtime: (?:out of memory|goroutine stack)|SIG[A-Z]{3,6}: |unexpected fault address )/,
    goesOn:
      /^(?:goroutine \d+ \[|created by |\[signal |\[recovered|exit status |runtime stack:|panic: |fatal error: |PC=|(?:r[a-z0-9]{1,3}|[cfg]s|rip|rflags) +0x|[\w./*()-]{1,256}(?:\.|\/)[\w.*()[\]{}-]{1,256}\(.{0,1024}\)$|main\.|runtime\.|panic\()/,
  },
  {
    name: 'rust',
    begins:
      /^(?:thread '[^']{0,128}' (?:\(\d+\) )?panicked at |The application panicked|thread '[^']{0,128}' has overflowed its stack)/,
    goesOn:
      /^(?:stack backtrace:|note: |fatal runtime error: |Caused by:|Message: |Location: |Backtrace |error: | {2}left: | right: |Run with )/,
    message: true,
  },
  {
    name: 'php',
    begins:
      /^(?:PHP )?(?:Fatal error|Parse error|Recoverable fatal error): +|^(?:PHP )?(?:Warning|Notice): +Uncaught |^Uncaught [\w\\]+(?:Exception|Error): |^Next [\w\\]+: /,
    goesOn: /^(?:Stack trace:|#\d+ |Next [\w\\]{1,200}(?:Exception|Error)|\[stacktrace\]|\[previous exception\]|"\}|thrown in )/,
  },
  {
    name: 'node',
    begins:
      /^(?:(?:\/|[A-Za-z]:\\|file:\/\/|node:|webpack:)[^\s:][^\n]{0,512}:\d+$|\(node:\d+\) Unhandled|Uncaught:?$|\[Unhandled)/,
    goesOn:
      /^(?:Node\.js v\d|\(Use `node |Thrown at:|node:|npm ERR!|[A-Z]\w*(?:Error|Exception|Warning)\b|\[?(?:Error|TypeError|RangeError)|[}\])]|\^|throw )/,
    ends: /^Node\.js v\d/,
  },
  {
    name: 'native',
    begins:
      /^(?:terminate called |libc\+\+abi: |\*\*\* (?:stack smashing|Error in |SIG|Aborted at|buffer overflow|glibc detected)|double free or corruption|free\(\): invalid|malloc\w*\(\): |munmap_chunk|corrupted (?:size|double)|Segmentation fault|Aborted \(core|Bus error|Illegal instruction|Floating point exception|Trace\/breakpoint trap|Killed$|Abort trap|[\w./-]{1,128}: [\w./-]{1,128}:\d+: .{1,256}: Assertion `|Assertion failed: |#\d+ +0x[0-9a-f]+ in )/,
    goesOn:
      /^(?:Aborted|Segmentation fault|\*\*\* |#\d+ |=======|PC: |@ +0x|Abort trap|[0-9a-f]{6,16}-[0-9a-f]{6,16} |\S*\(\+?\w*\)?\[0x)/,
  },
  {
    name: 'sanitizer',
    begins:
      /^(?:={20,}$|==\d+==\s?(?:ERROR|WARNING): |==\d+== (?:Invalid|Conditional|Use of|Process terminating)|WARNING: ThreadSanitizer)/,
    goesOn:
      /^(?:==\d+==|READ of size|WRITE of size|#\d+ |0x[0-9a-f]+ is |freed by |previously allocated|allocated by|SUMMARY: |Shadow |HINT: |Address 0x|=>0x|Thread T| {2}0x|\s*[A-Z][\w ]+: +[0-9a-f]{2}|AddressSanitizer|={20,}$|\s*Previous |\s*Location is )/,
    ends: /^==\d+==\s?ABORTING/,
  },
  // A warning of the runtime, with the lines that show where it comes from; no program ends by it.
  { name: 'warning', begins: /^\(node:\d+\) (?!Unhandled)|^\S{1,256}\.py:\d+: \w*Warning: /, goesOn: /^\(Use `node / },
  { name: 'jvm', begins: /^#\s*$|^# A fatal error has been detected by/, goesOn: /^#/ },
  {
    name: 'erlang',
    begins: /^(?:\*\* \(|\*\* Generic |Error in process <|\*\* State machine |Process #PID<[\d.]+> |GenServer \S+ terminating)/,
    goesOn:
      /^(?:\*\* |(?:Last message|State|Function|Args|Initial Call|Ancestors|Message Queue|Messages|Client|Start Call|Restart|Shutdown|Type|Neighbours|Links|Dictionary|Trapping|Status|Heap Size|Stack Size|Reductions|Request|Server|Process)\b.{0,40}:|\[?\{[a-z_]+,)/,
  },
  {
    name: 'ruby',
    begins: /^\S{1,256}\.rb:\d+:in [`'"].{0,256}\)$|^[\w:]+(?:Error|Exception) \(.*\):$/,
    goesOn: /^(?:from )?\S{1,256}\.(?:rb|erb|haml):\d+(?::in |:?$)|^Showing |^bin\/|^Did you mean\?/,
  },
  {
    name: 'swift',
    begins: /^(?:[\w/.-]+\.swift:\d+: )?Fatal error: |^💣 |^Swift\/\w+\.swift:\d+: /,
    goesOn:
      /^(?:Current stack trace:|\d+ +\S|Thread \d+|Registers:|Backtrace|💣|Illegal instruction|Crash|\*\*\* |Images|Stack dump|r[a-z0-9]+ 0x)/,
  },
  {
    name: 'lua',
    begins: /^(?:lua[\d.]{0,4}|nginx|luajit): .{1,256}:\d+: |^stack traceback:/,
    goesOn: /^(?:stack traceback:|\[C\]: |coroutine \d+)/,
  },
  {
    name: 'haskell',
    begins: /^[\w.-]{1,64}: .{0,512}\nCallStack|^[\w.-]{1,64}: (?:Prelude\.|Uncaught exception|.{0,64}Exception: )/,
    goesOn: /^(?:CallStack \(from |HasCallStack|error, called at)/,
  },
  {
    name: 'r',
    begins: /^Error in .{1,256} : ?|^Error: .{0,256}$/,
    goesOn: /^(?:Calls: |Execution halted|Backtrace:|Caused by(?: error)?\b|Stacktrace:|Location:|! |ℹ |✖ )/,
  },
  {
    name: 'julia',
    begins: /^ERROR: (?:LoadError|\w+Error|[A-Z]\w+): /,
    goesOn: /^(?:Stacktrace:|\[\d+\] |in expression starting at|@ |caused by: )/,
  },
  { name: 'dart', begins: /^Unhandled exception:$/, goesOn: /^#\d+ |^<asynchronous suspension>/, message: true },
  { name: 'ocaml', begins: /^Fatal error: exception /, goesOn: /^(?:Raised |Re-raised |Called from )/ },
  {
    name: 'android',
    begins: /^FATAL EXCEPTION: |^\*\*\* \*\*\* \*\*\*|^FATAL EXCEPTION IN /,
    goesOn: /^(?:Process: |PID: |Build fingerprint|ABI: |pid: \d|signal \d|Abort message|backtrace:|#\d+ pc )/,
  },
  {
    name: 'kernel',
    begins: /^(?:BUG: |Oops: |Kernel panic|general protection fault|Unable to handle kernel|------------\[ cut here)/,
    goesOn: /^(?:Call Trace:|RIP: |Code: |CPU: |Modules linked|Hardware name|R[A-Z0-9]{2}: |---\[ end|PGD |FS: |CR2: )/,
  },
  {
    name: 'trace',
    begins:
      /^(?:Exception in thread "|Unhandled [Ee]xception|Uncaught |\[?[Uu]ncaught [Ee]xception|(?:[A-Za-z_$][\w$]{0,80}(?:\.|::|\\)){1,12}[A-Z][\w$]{0,80}(?:Exception|Error|Failure|Throwable)\b|[A-Z][\w$]{0,80}(?:Exception|Error)(?:: |$| \[| \())/,
    goesOn: /^(?:[}\])]+[,;]?$|errno: |code: |syscall: )/,
  },
]
export const traceNamed = (name: string): Trace | undefined => BY_NAME.get(name)
const BY_NAME = new Map(traces.map(trace => [trace.name, trace]))

/** Lines of any trace: frames in every language's form, causes, and the marks between them. */
export const FRAME =
  /^\s+(?:at |from |\.\.\. \d+ (?:more|common)|\S+\.\w{1,8}:\d+|File "|in [\w.<>]+|- locked|Suppressed: |Caused by: |\[CIRCULAR|#\d+ |\^)|^(?:Caused by|Suppressed|Wrapped by): |^\s*--- (?:End of|\[)|^ ?---> |^\s*\.\.\. \d+ (?:more|common frames)|^at (?:async )?(?:[\w$.<>/\\[\]@-]{1,256} ?\(|[\w$./<>]{1,256}:\d+)|^#\d+ (?:\/|\{main\}|\[internal|[\w\\]+(?:->|::)|0x|main )|^(?:BEGIN|Compilation) failed|^PHP (?:Stack trace:| +\d+\. )|^(?:\[stacktrace\]|\[previous exception\]|[Ss]tack ?trace:?|stack (?:traceback|backtrace):|Backtrace:|CallStack \(from .{0,64})$|^"\}/

/** What a line begins, cheaply: most lines are ruled out by their first characters. */
export function traceBeginning(line: string): Trace | undefined {
  if (!HEADS.test(line) && !WORDS.test(line)) return undefined
  return traces.find(({ begins }) => begins.test(line))
}
const HEADS =
  /^(?:panic|fatal|goroutine|runtime: |SIG|unexpected fault|thread '|The application|PHP |[A-Z][a-z]+ error: |Uncaught|Next |[/(]|[A-Z]:\\|file:|node:|webpack|\[[Uu]n|terminate|libc\+\+|\*\*|double free|free\(|malloc|munmap|corrupted|Segm|Abor|Bus|Illegal|Floating|Trace|Killed|#|=====|==\d|WARNING: T|Process #|GenServer|Unhandled|FATAL|BUG|Oops|Kernel|general|Unable|-----|stack tr|lua|nginx: |💣|Swift)/
const WORDS = /Exception|Error|Traceback \(|Assertion|Prelude\.|Failure|Throwable|\.rb:\d|\.swift:\d|\.py:\d/
