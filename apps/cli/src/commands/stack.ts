import { spawnSync } from 'node:child_process'
import { containerLogs } from '@aegis/stack/local/by-docker'
import { mlflowUrl, startMlflow } from '@aegis/stack/local/mlflow'
import { type ServerName, serverNames, servers, stateFolder } from '@aegis/stack/local/places'
import { down, logFile, reset, StackError, status, up } from '@aegis/stack/local/stack'
import { readState } from '@aegis/stack/local/state'
import { Command, Option } from 'commander'

export function stackCommand(): Command {
  const stack = new Command('stack').description('the local servers: Kafka, schema registry, Neo4j, Redis')
  stack
    .command('up')
    .description('start the servers and wait until all of them answer')
    .addOption(new Option('--by <means>', 'how to run them').choices(['auto', 'docker', 'jvm']).default('auto'))
    .addOption(new Option('--with <server>', 'a server that is not needed, as well').choices(['mlflow']))
    .option('--foreground', 'stay, and stop the servers when this command ends')
    .action(bringUp)
  stack.command('down').description('stop the servers; data stays').action(takeDown)
  stack.command('status').description('say what runs and where').option('--json', 'for programs').action(tell)
  stack
    .command('logs')
    .description('print what the servers wrote')
    .argument('[server]', serverNames.join(', '))
    .option('-f, --follow', 'keep printing')
    .option('-n, --lines <count>', 'how many lines', '40')
    .action(printLogs)
  stack.command('reset').description('stop the servers and wipe their data').action(wipe)
  stack.command('env').description('print the addresses as NAME=value lines').action(printEnv)
  return stack
}

const say = (line: string) => console.log(line)

async function bringUp({
  by,
  foreground,
  with: more,
}: {
  by: 'auto' | 'docker' | 'jvm'
  foreground?: boolean
  with?: 'mlflow'
}): Promise<void> {
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopping.abort())
  const stack = await up({ by, attached: foreground, signal: stopping.signal, say })
  const manner = stack.by === 'docker' ? 'in containers' : 'as processes'
  say(stack.startedHere ? `stack ready in ${stack.secondsToReady.toFixed(1)} s, ${manner}` : `stack already running, ${manner}`)
  for (const [name, value] of Object.entries(stack.env)) say(`${name}=${value}`)
  if (more === 'mlflow') say(`MLFLOW_TRACKING_URI=${await startMlflow(stateFolder(), { say })}`)
  if (!foreground || !stack.startedHere) return
  say('Ctrl-C stops it')
  const stay = setInterval(() => undefined, 2 ** 30)
  await new Promise<void>(done => (stopping.signal.aborted ? done() : stopping.signal.addEventListener('abort', () => done())))
  clearInterval(stay)
  await stack.stop()
  say('stack stopped')
}

async function takeDown(): Promise<void> {
  const mlflow = mlflowUrl(stateFolder()) ? ['MLflow'] : []
  const stopped = [...(await down()).map(name => servers[name].title), ...mlflow]
  say(stopped.length > 0 ? `stopped ${stopped.join(', ')}; data stays in ${stateFolder()}` : 'nothing was running')
}

async function tell({ json }: { json?: boolean }): Promise<void> {
  const report = await status()
  if (json) return say(JSON.stringify(report, null, 2))
  for (const { title, state, address, pid } of report.servers)
    say(`${title.padEnd(18)} ${state.padEnd(14)} ${address} ${pid ? `(process ${pid})` : ''}`.trimEnd())
  const url = mlflowUrl(stateFolder())
  if (url) say(`${'MLflow'.padEnd(18)} ${'running'.padEnd(14)} ${url}`)
  if (report.servers.some(server => server.state !== 'ready')) process.exitCode = 1
}

function printLogs(name: string | undefined, { follow, lines }: { follow?: boolean; lines: string }): void {
  const wanted = name === undefined ? serverNames : serverNames.filter(server => server === name)
  if (wanted.length === 0) throw new StackError('NOT_RUNNING', `no server is called ${name}; there are ${serverNames.join(', ')}`)
  const state = readState(stateFolder())
  if (state?.by === 'docker') {
    const settings = { folder: stateFolder(), ports: state.ports, password: state.env.NEO4J_PASSWORD }
    for (const server of wanted) containerLogs(settings, server, follow === true, Number(lines))
    return
  }
  const files = wanted.map((server: ServerName) => logFile(server))
  spawnSync('tail', ['-n', lines, ...(follow ? ['-F'] : []), ...files], { stdio: 'inherit' })
}

async function wipe(): Promise<void> {
  await reset()
  say(`stopped, and wiped ${stateFolder()}`)
}

function printEnv(): void {
  const state = readState(stateFolder())
  if (!state) throw new StackError('NOT_RUNNING', 'the stack is not running: "npm run stack -- up" starts it')
  for (const [name, value] of Object.entries(state.env)) say(`${name}=${value}`)
  const url = mlflowUrl(stateFolder())
  if (url) say(`MLFLOW_TRACKING_URI=${url}`)
}
