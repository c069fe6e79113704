/** Aegis for shops that are broken on purpose: real servers where they can run, else all in one process. */
import path from 'node:path'
import { addEnvironments } from '@aegis/authority'
import { AegisError } from '@aegis/domain'
import { canRunServers, up } from '@aegis/stack/local/stack'
import { environmentsFile, ownKeys } from '@aegis/stack/own-keys'
import { type Pipeline, type PipelineOptions, startEmbedded, startProcesses } from '@aegis/stack/pipeline/pipeline'

export interface StartOptions {
  readonly stack: 'auto' | 'real' | 'embedded'
  readonly policy?: 'rules' | 'learned'
  readonly policies?: string
}
export interface Shop {
  readonly environment: string
  readonly supervisorPort: number
}
/** `policies`: who decides in which environment, as AEGIS_ENVIRONMENT_POLICIES has it. */
export async function startPipeline(
  { stack: kind, policy, policies }: StartOptions,
  shops: readonly Shop[],
  base: string,
  say: (line: string) => void,
  closers: (() => Promise<void>)[],
  signal: AbortSignal,
): Promise<Pipeline> {
  const real = kind === 'real' || (kind === 'auto' && (await canRunServers()))
  addEnvironments(
    environmentsFile(),
    shops.map(s => s.environment),
  )
  const common: PipelineOptions = {
    logFolder: path.join(base, 'logs'),
    onReady: service => say(`  ${service} ready`),
    onLost: (service, how) => say(`  ${service} ended: ${how}; see ${path.join(base, 'logs', `${service}.log`)}`),
    env: {
      ...ownKeys().env,
      AEGIS_DATA_PARTITIONS: '2',
      AEGIS_ENVIRONMENT_PARTITIONS: '1',
      AEGIS_ENVIRONMENT_MODES: shops.map(s => `${s.environment}=act`).join(','),
      ...(policy && { AEGIS_POLICY: policy }),
      ...(policies && { AEGIS_ENVIRONMENT_POLICIES: policies }),
      AEGIS_EXECUTORS: shops.map(s => `${s.environment}=process:http://127.0.0.1:${s.supervisorPort}`).join(','),
    },
  }
  if (!real) {
    if (kind === 'auto')
      say(
        'no JDK with Maven and no container engine here: broker, registry, graph and leases run inside this process (the in-memory twins)',
      )
    say('starting Aegis, embedded')
    const pipeline = await startEmbedded(common)
    closers.push(() => pipeline.stop())
    return pipeline
  }
  say('starting Kafka, registry, Neo4j and Redis')
  const stack = await up({ attached: true, say: line => say(`  ${line}`), signal, folder: path.join(base, 'stack') })
  closers.push(() => stack.stop())
  if (signal.aborted) throw new AegisError('INPUT_INVALID', 'stopped')
  say('starting Aegis: each service its own process; acting is allowed in the demo’s environments only')
  const pipeline = await startProcesses({ ...common, env: { ...common.env, ...stack.env } })
  closers.push(() => pipeline.stop())
  return pipeline
}
