import { spawn } from 'node:child_process'

/** Lines for a person on standard error, so that what the command itself prints stays clean. */
export function speaker({ quiet = false, out = process.stderr } = {}) {
  const line = text => out.write(`${text}\n`)
  return { quiet, tell: text => quiet || line(text), warn: line, out }
}

/** Hosts and addresses of package registries belong to the machine, not to our messages. */
export const withoutHosts = text =>
  text
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s'")\],]+/gi, '<address>')
    .replace(
      /(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|Unknown host|UnknownHostException:?|Connect to|connect to|host=)(\s*)'?[^\s,;')]+/g,
      '$1$2<host>',
    )

/** The lines worth showing: the first that speak of an error, else the last ones. */
export function telling(output, count = 6) {
  const lines = output
    .split('\n')
    .filter(line => !/^npm (warn|notice)/i.test(line) && line.replace(/^npm error/i, '').trim() !== '')
  const errors = lines.filter(line => /error|fatal|cannot|unable|no space/i.test(line))
  return errors.length > 0 ? errors.slice(0, count) : lines.slice(-count)
}

/**
 * Runs a program, saying what for when it takes more than two seconds. Its output is shown, the telling lines only, when it
 * fails. It has a process group of its own: an interrupt reaches us, and we end the whole group and wait until it is gone, so
 * that nobody still writes when the next set-up begins.
 */
export async function step(voice, title, file, args, options = {}) {
  const began = Date.now()
  const seconds = () => Math.round((Date.now() - began) / 1000)
  let output = ''
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options })
  if (child.pid) voice.onChild?.(child.pid)
  for (const stream of [child.stdout, child.stderr]) stream.on('data', bytes => (output = (output + bytes).slice(-16384)))
  const rewrites = voice.out.isTTY && !voice.quiet
  let spoke = false
  const timer = setInterval(() => {
    if (rewrites) voice.out.write(`\r${title} … ${seconds()} s `)
    else if (!spoke || seconds() % 10 === 0) voice.tell(`${title} … ${seconds()} s`)
    spoke = true
  }, 2000)
  let interrupted = false
  const stopChild = () => {
    if (interrupted) return
    interrupted = true
    endGroup(child.pid, 'SIGTERM')
    setTimeout(() => endGroup(child.pid, 'SIGKILL'), 1500).unref()
  }
  for (const name of signals) process.on(name, stopChild)
  try {
    const code = await new Promise((done, fail) => {
      child.once('error', fail)
      child.once('close', (status, signal) => done(status ?? signal))
    })
    if (code === 0) {
      if (spoke) voice.tell(`${rewrites ? '\r' : ''}${title}: done in ${seconds()} s`)
      return output
    }
    if (interrupted) throw Object.assign(new Error(`interrupted while ${title}; run it again to go on`), { interrupted: true })
    const tail = telling(withoutHosts(output)).join('\n  ')
    throw new Error(`${title} failed (${code}):\n  ${tail}`)
  } finally {
    clearInterval(timer)
    for (const name of signals) process.off(name, stopChild)
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']

function endGroup(pid, signal) {
  try {
    process.kill(-pid, signal)
  } catch {
    // already gone
  }
}
