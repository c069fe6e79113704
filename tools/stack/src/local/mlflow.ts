/** An MLflow server beside the stack, for those who keep their models there: started only where it is asked for, stopped with the stack. */
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkout } from './places.ts'
import { anyFree, isFree } from './ports.ts'
import { isRunning, start, stop } from './processes.ts'
import { StackError } from './stack-error.ts'
import { type RunningServer, writePrivately } from './state.ts'

const PORT = 15000
interface MlflowState extends RunningServer {
  readonly port: number
}
const stateFile = (folder: string): string => path.join(folder, 'mlflow.json')
const readState = (folder: string): MlflowState | undefined => {
  try {
    return JSON.parse(readFileSync(stateFile(folder), 'utf8'))
  } catch {
    return undefined
  }
}
/** Where it answers, where one of this folder runs. */
export const mlflowUrl = (folder: string): string | undefined => {
  const state = readState(folder)
  return state && isRunning(state) ? `http://127.0.0.1:${state.port}` : undefined
}

/** Fetches it where it is missing, starts it, and waits until it answers. Data is in the stack's folder. */
export async function startMlflow(
  folder: string,
  { say = () => undefined, readyWithinMs = 120_000 }: { say?: (line: string) => void; readyWithinMs?: number } = {},
): Promise<string> {
  const running = mlflowUrl(folder)
  if (running) return running
  const { fetchMlflow } = (await import(path.join(checkout, 'tools/setup/mlflow.mjs'))) as {
    fetchMlflow(): Promise<string | undefined>
  }
  const home = await fetchMlflow()
  if (!home) throw new StackError('SERVER_MISSING', 'MLflow is not there: node tools/setup/mlflow.mjs fetches it')
  const data = path.join(folder, 'data', 'mlflow')
  mkdirSync(path.join(folder, 'logs'), { recursive: true, mode: 0o700 })
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const wanted = readState(folder)?.port ?? PORT
  const port = (await isFree(wanted)) ? wanted : await anyFree()
  const args = [
    'server',
    ...['--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
    ...['--backend-store-uri', `sqlite:///${path.join(data, 'mlflow.db')}`],
    ...['--serve-artifacts', '--artifacts-destination', path.join(data, 'artifacts')],
  ]
  const server = start(
    // Nothing it does needs the network.
    { file: path.join(home, 'bin', 'mlflow'), args, cwd: data, env: { MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true' } },
    path.join(folder, 'logs', 'mlflow.log'),
    folder,
  )
  const { pid, born, log } = server
  writePrivately(stateFile(folder), `${JSON.stringify({ pid, born, log, port } satisfies MlflowState)}\n`)
  const url = `http://127.0.0.1:${port}`
  const began = performance.now()
  while (performance.now() - began < readyWithinMs) {
    if (!isRunning(server)) throw new StackError('SERVER_EXITED', `MLflow stopped while starting; its log is ${log}`)
    const answers = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) }).then(
      r => r.ok,
      () => false,
    )
    if (answers) {
      say(`  ${'MLflow'.padEnd(18)} ready after ${((performance.now() - began) / 1000).toFixed(1)} s   ${url}`)
      return url
    }
    await sleep(200)
  }
  await stopMlflow(folder)
  throw new StackError('NOT_READY', `MLflow did not answer within ${readyWithinMs / 1000} s; its log is ${log}`)
}

/** Data stays. */
export async function stopMlflow(folder: string): Promise<boolean> {
  const state = readState(folder)
  return state !== undefined && (await stop(state)) !== 'gone'
}
