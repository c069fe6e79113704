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

/**
 * Runs a program, saying what for when it takes more than two seconds. Its output is shown, last lines only, when it fails.
 * An interrupt stops the program too.
 */
export async function step(voice, title, file, args, options = {}) {
  const began = Date.now()
  const seconds = () => Math.round((Date.now() - began) / 1000)
  let output = ''
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', bytes => (output = (output + bytes).slice(-16384)))
  const rewrites = voice.out.isTTY && !voice.quiet
  let spoke = false
  const timer = setInterval(() => {
    if (rewrites) voice.out.write(`\r${title} … ${seconds()} s `)
    else if (!spoke || seconds() % 10 === 0) voice.tell(`${title} … ${seconds()} s`)
    spoke = true
  }, 2000)
  const stopChild = () => child.kill('SIGTERM')
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(name, stopChild)
  try {
    const code = await new Promise((done, fail) => {
      child.once('error', fail)
      child.once('close', (status, signal) => done(status ?? signal))
    })
    if (code === 0) {
      if (spoke) voice.tell(`${rewrites ? '\r' : ''}${title}: done in ${seconds()} s`)
      return output
    }
    const tail = withoutHosts(output).trim().split('\n').slice(-6).join('\n  ')
    throw new Error(`${title} failed (${code}):\n  ${tail}`)
  } finally {
    clearInterval(timer)
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, stopChild)
  }
}
