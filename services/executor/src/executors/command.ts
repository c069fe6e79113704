import { spawn } from 'node:child_process'
import { type Action, type Executor, type Found, kindOf, nameOf, type Receipt } from '@aegis/domain'

/** How one action is done: the program and its arguments, nothing else. */
export interface CommandTemplate {
  /** Absolute path of the program, then its arguments; `{name}`, `{kind}`, `{environment}`, `{id}` and `{parameter.X}` stand for values. */
  readonly argv: readonly string[]
  /** Ends with 0 when the action has been done; asked when an attempt ended without an answer. */
  readonly check?: readonly string[]
}
export type AllowedCommands = Readonly<Record<string, CommandTemplate>>

/** What a value may look like: no white space, no slash, nothing a program could take for an option. */
const VALUE = /^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,252}$/
const PLACEHOLDER = /\{([a-z]+(?:\.[A-Za-z0-9_-]+)?)\}/g
const KEPT = 1000
const KILL_AFTER_MS = 2000

const valuesOf = (action: Action, id: string): ReadonlyMap<string, string> =>
  new Map([
    ['name', nameOf(action.target)],
    ['kind', kindOf(action.target)],
    ['environment', action.environment],
    ['id', id],
    ...Object.entries(action.parameters).map(([key, value]) => [`parameter.${key}`, value] as const),
  ])

/** The template with values in place. One element stays one argument whatever the values are; a value of another form is refused. */
export const renderArgv = (template: readonly string[], action: Action, id: string): string[] => {
  const values = valuesOf(action, id)
  return template.map(element =>
    element.replace(PLACEHOLDER, (_, key: string) => {
      const value = values.get(key)
      if (value === undefined)
        throw new Error(`${action.action} ${action.target}: the decision has no ${key}, which the command needs`)
      if (!VALUE.test(value))
        throw new Error(`${action.action} ${action.target}: ${key} ${JSON.stringify(value)} may not be part of a command`)
      return value
    }),
  )
}

/**
 * Programs from an allow list, one template per action. No shell is involved: values become arguments and can become nothing else. The program
 * gets a bare environment with the decision's id in AEGIS_DECISION_ID, and a process group of its own that ends with the time allowed.
 */
export class Command implements Executor {
  readonly name = 'command'
  readonly actions: readonly string[]
  readonly #allowed: AllowedCommands
  readonly #dryRun: boolean

  constructor(allowed: AllowedCommands, dryRun = false) {
    this.#allowed = allowed
    this.#dryRun = dryRun
    this.actions = Object.keys(allowed)
  }

  async execute(action: Action, id: string, signal: AbortSignal): Promise<Receipt> {
    const argv = renderArgv(this.#templateOf(action).argv, action, id)
    if (this.#dryRun) return { text: `dry run: ${argv.join(' ')} was not run` }
    const { code, output } = await run(argv, id, signal)
    if (code !== 0) throw new Error(`${argv[0]} for ${action.action} ${action.target} ended with ${code}: ${output.slice(-300)}`)
    return { text: output.trim() || `${argv[0]} ended with 0` }
  }

  async find(action: Action, id: string, signal: AbortSignal): Promise<Found> {
    const { check } = this.#templateOf(action)
    if (!check) return 'unknown'
    const { code, output } = await run(renderArgv(check, action, id), id, signal)
    // Not done yet is not "will not be done": a program that an executor left behind when it was killed may still run.
    return code === 0 ? { text: `found done: ${output.trim()}` } : 'unknown'
  }

  #templateOf(action: Action): CommandTemplate {
    if (!Object.hasOwn(this.#allowed, action.action))
      throw new Error(`no command is allowed for ${action.action}; AEGIS_COMMANDS has ${this.actions.join(', ') || 'none'}`)
    return this.#allowed[action.action]
  }
}

const run = (
  [file, ...args]: readonly string[],
  id: string,
  signal: AbortSignal,
): Promise<{ code: number | string; output: string }> =>
  new Promise((resolve, fail) => {
    signal.throwIfAborted()
    const child = spawn(file, args, {
      shell: false,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', AEGIS_DECISION_ID: id },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => {
        output = (output + bytes).slice(-KEPT)
      })
    const end = (name: NodeJS.Signals) => {
      try {
        if (child.pid) process.kill(-child.pid, name)
      } catch {
        // it has ended
      }
    }
    let killing: NodeJS.Timeout | undefined
    const stop = () => {
      end('SIGTERM')
      killing = setTimeout(() => end('SIGKILL'), KILL_AFTER_MS)
    }
    signal.addEventListener('abort', stop, { once: true })
    const settled = () => {
      clearTimeout(killing)
      signal.removeEventListener('abort', stop)
    }
    child.once('error', error => {
      settled()
      fail(new Error(`${file} could not be run: ${error.message}; check AEGIS_COMMANDS`))
    })
    child.once('close', (code, how) => {
      settled()
      if (signal.aborted) fail(signal.reason)
      else resolve({ code: code ?? how ?? 'no status', output })
    })
  })
