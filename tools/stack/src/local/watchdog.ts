import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * A small process of its own that holds the other end of a pipe. While a stack is starting, or for as long as a stack is
 * attached to the process that wanted it, the end of that process, however it ends, closes the pipe and the watchdog stops the
 * servers by the `down` of the module `stopsBy` (its URL). `release` sends it home with nothing stopped.
 */
export function watchOver(folder: string, stopsBy: string): { release(): void } {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), folder, stopsBy], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  child.on('error', () => undefined)
  child.stdin.on('error', () => undefined)
  child.unref()
  ;(child.stdin as unknown as { unref?: () => void }).unref?.()
  return { release: () => void child.stdin.end('release') }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined) // the whole group may be told to stop; our work begins then
  let said = ''
  process.stdin.setEncoding('utf8')
  process.stdin.on('data', text => {
    said += text
  })
  process.stdin.on('end', async () => {
    if (said.includes('release')) return
    const { down } = await import(process.argv[3])
    await down({ folder: process.argv[2] })
  })
}
