import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { isFree } from '@aegis/stack/local/ports'
import { canRunServers, up } from '@aegis/stack/local/stack'
import { loginLink, ownKeys } from '@aegis/stack/own-keys'
import { startEmbedded, startProcesses } from '@aegis/stack/pipeline/pipeline'
import { share } from '@aegis/stack/pipeline/shared-broker'
import { Command, Option } from 'commander'
import { putTogether, readPack } from '../packs/read-pack.ts'

const ROOT = path.resolve(import.meta.dirname, '../../../..')

/** Where OTLP over gRPC is looked for. */
const OTLP_GRPC = 4317

export const upCommand = (): Command =>
  new Command('up')
    .addOption(
      new Option('--stack <kind>', 'real servers, or everything in one process')
        .choices(['auto', 'real', 'embedded'])
        .default('auto'),
    )
    .option('--port <n>', 'port of the gateway', '14318')
    .option('--pack <name...>', 'what is known of this kind of system; "aegis packs list" names them')
    .option('--api-port <n>', 'port of the API and the console', '8000')
    .addHelpText(
      'after',
      '\nPoint any OpenTelemetry SDK or Collector at the gateway. Settings come from the environment; see docs/reference/settings.md.',
    )
    .action(
      async (
        { stack: kind, port, apiPort, pack }: { stack: string; port: string; apiPort: string; pack?: string[] },
        command: Command,
      ) => {
        const state = process.env.AEGIS_STATE_DIR ?? path.join(ROOT, '.aegis')
        const logFolder = path.join(state, 'logs')
        mkdirSync(logFolder, { recursive: true })
        const abort = new AbortController()
        const closers: (() => Promise<void>)[] = []
        const stop = async (code: number) => {
          abort.abort()
          for (const close of closers.splice(0).reverse()) await close().catch(error => console.error((error as Error).message))
          process.exit(code)
        }
        for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => void stop(0))
        const real = kind === 'real' || (kind === 'auto' && (await canRunServers()))
        const grpc = process.env.AEGIS_OTLP_GRPC_PORT || ((await isFree(OTLP_GRPC)) ? String(OTLP_GRPC) : 'off')
        if (!process.env.AEGIS_OTLP_GRPC_PORT && grpc === 'off')
          console.log(`port ${OTLP_GRPC} is taken: no OTLP over gRPC here; AEGIS_OTLP_GRPC_PORT names another port`)
        // The usual port may be somebody else's; one that was asked for is taken, or it fails.
        const asked = command.getOptionValueSource('apiPort') === 'cli'
        const api = asked || (await isFree(Number(apiPort))) ? apiPort : '0'
        if (api === '0' && !asked) console.log(`port ${apiPort} is taken: the API takes a free one; --api-port names another`)
        const packs = pack ? putTogether(await Promise.all(pack.map(readPack)), path.join(state, 'packs')) : {}
        const own = ownKeys()
        const common = {
          logFolder,
          env: { ...packs, AEGIS_GATEWAY_PORT: port, AEGIS_API_PORT: api, AEGIS_OTLP_GRPC_PORT: grpc, ...own.env },
          onReady: (s: string) => console.log(`  ${s} ready`),
          onLost: (s: string, how: string) => console.error(`${s} ended: ${how}; see ${path.join(logFolder, `${s}.log`)}`),
        }
        let env: Readonly<Record<string, string>> = {}
        if (real) {
          const stack = await up({ attached: true, say: line => console.log(`  ${line}`), signal: abort.signal })
          closers.push(() => stack.stop())
          env = stack.env
        } else console.log('embedded: broker, registry, graph and leases run inside this process, and end with it')
        const pipeline = real
          ? await startProcesses({
              ...common,
              env: { AEGIS_HISTORY_FILE: path.join(state, 'history.sqlite'), ...env, ...common.env },
            })
          : await startEmbedded({ ...common, logLevel: 'warn' })
        closers.push(() => pipeline.stop())
        // So that tail, dlq, models and their like find what runs in here.
        if (pipeline.infrastructure)
          await share(pipeline.infrastructure, pipeline.gatewayUrl).then(
            end => void closers.push(end),
            error => console.error((error as Error).message),
          )
        console.log(
          `console: ${loginLink(pipeline.apiUrl, own.secret)}\nAPI: ${pipeline.apiUrl}/docs\nOTLP: ${pipeline.gatewayUrl}${grpc === 'off' ? '' : `   OTLP/gRPC: port ${grpc}`}   logs: ${logFolder}   (Ctrl-C stops everything)`,
        )
      },
    )
