/** `aegis doctor`: what stands in the way of a working Aegis here, a line each, with what to do. Reads only. */
import { statfsSync } from 'node:fs'
import { AegisError } from '@aegis/domain'
import { connect, preflight, RUNTIME_SETTINGS, readConfig, silentLog } from '@aegis/runtime'
import { stateFolder } from '@aegis/stack/local/places'
import { authorization } from '@aegis/stack/own-keys'
import { connectClient, stackEnvironment } from '@aegis/stack/pipeline/client'
import { Command } from 'commander'

interface Finding {
  readonly what: string
  readonly well: boolean
  readonly words: string
}
/** One that takes longer is away for a person who waits, milliseconds. */
const WAIT_MS = 3000
/** Records from machines further apart are put in the wrong order, milliseconds. */
const SKEW_MS = 2000
const GIB = 1024 ** 3

const look = async (what: string, ask: () => Promise<string>): Promise<Finding> => {
  try {
    return { what, well: true, words: await ask() }
  } catch (error) {
    return { what, well: false, words: (error as Error).message }
  }
}
const unless = (reason: string | undefined, words: string): string => {
  if (reason !== undefined) throw new Error(reason)
  return words
}

/** Topics of another width, and schemas that do not fit. */
const topics = async (): Promise<string> => {
  await (await connectClient()).close()
  const config = readConfig(RUNTIME_SETTINGS, stackEnvironment())
  const infrastructure = connect(config, 'aegis-doctor', silentLog())
  const spread = { data: config.dataPartitions, environment: config.environmentPartitions }
  const problems = await preflight(infrastructure, spread).finally(() => infrastructure.broker.close())
  return unless(
    problems.length > 0 ? problems.join('\n  ') : undefined,
    `answer at ${config.brokers} and ${config.registryUrl}; topics and schemas fit this version`,
  )
}

const door = async (url: string, setting: string): Promise<string> => {
  const started = Date.now()
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(WAIT_MS) }).catch((error: Error) => {
    throw new Error(
      `${url} does not answer (${(error.cause as Error | undefined)?.message ?? error.message}): "aegis up" starts it here, ${setting} names another`,
    )
  })
  const words = (await response.text()).trim().slice(0, 200)
  if (!response.ok) throw new Error(`${url} is not ready: ${words}`)
  const away = Date.parse(response.headers.get('date') ?? '') - (started + Date.now()) / 2
  // The header has whole seconds.
  if (Number.isFinite(away) && Math.abs(away + 500) > SKEW_MS)
    throw new Error(`its clock is ${Math.round(away / 1000)} s from this machine's: set both by NTP`)
  return `${url} is ready`
}

const key = async (url: string): Promise<string> => {
  const ask = (headers: Record<string, string>) =>
    fetch(`${url}/api/v1/incidents?limit=1`, { headers, signal: AbortSignal.timeout(WAIT_MS) })
  const { status } = await ask(authorization(url)).catch(() => ({ status: 0 }))
  if (status === 401 || status === 403)
    throw new Error(
      `${url} does not take the key of this machine (${status}): AEGIS_API_TOKEN brings one, "aegis keys add" makes one`,
    )
  return status === 0 ? 'not asked: nothing answers' : 'what this machine says is taken'
}

export const doctorCommand = (): Command =>
  new Command('doctor')
    .option('--json', 'as JSON', false)
    .addHelpText('after', '\nEnds with 0 where all is well, else with 3. Settings are read as the services read them.')
    .action(async ({ json }: { json: boolean }) => {
      const gateway = (process.env.AEGIS_GATEWAY_URL ?? 'http://127.0.0.1:14318').replace(/\/$/, '')
      const api = (process.env.AEGIS_API_URL ?? 'http://127.0.0.1:8000').replace(/\/$/, '')
      const findings = await Promise.all([
        look('Node', async () =>
          unless(
            Number(process.versions.node.split('.')[0]) >= 22
              ? undefined
              : `${process.versions.node} is too old: 22.18 or newer is needed`,
            process.versions.node,
          ),
        ),
        look('disk', async () => {
          const { bavail, bsize } = statfsSync(process.env.AEGIS_STATE_DIR ?? process.cwd())
          const free = (bavail * bsize) / GIB
          return unless(
            free < 2 ? `${free.toFixed(1)} GiB are free where ${stateFolder()} is: servers stop when there is none` : undefined,
            `${Math.round(free)} GiB free`,
          )
        }),
        look('Kafka and registry', topics),
        look('gateway', () => door(gateway, 'AEGIS_GATEWAY_URL')),
        look('api', () => door(api, 'AEGIS_API_URL')),
        look('key', () => key(gateway)),
      ])
      if (json) console.log(JSON.stringify(findings, null, 2))
      else for (const { what, well, words } of findings) console.log(`${well ? 'ok ' : 'BAD'}  ${what.padEnd(19)} ${words}`)
      const bad = findings.filter(f => !f.well)
      if (bad.length > 0)
        throw new AegisError(
          'BROKER_UNAVAILABLE',
          `${bad.length} of ${findings.length} need a hand: ${bad.map(f => f.what).join(', ')}`,
        )
    })
