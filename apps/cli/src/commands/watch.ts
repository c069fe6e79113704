import { setTimeout as sleep } from 'node:timers/promises'
import { issueOfSeries } from '@aegis/anomaly-detector/tell-issues'
import { AegisError, type Anomaly } from '@aegis/domain'
import { Command } from 'commander'
import type { ReleaseChange } from '../topology/cluster-releases.ts'
import type { Trouble } from '../topology/trouble.ts'
import { ask } from './incidents.ts'

interface Options {
  readonly environment: string
  readonly context?: string
  readonly every: string
  readonly once?: boolean
}
/** What is known of a trouble that an earlier watch told of: whose and which. */
type Told = Pick<Trouble, 'entity' | 'kind' | 'name'> & Partial<Trouble>
const keyOf = (t: Told) => `${t.entity} ${t.kind} ${t.name}`

/** Tells the gateway what has changed since it was last told; what an earlier watch left open is closed by this one. */
export class Reporter {
  readonly #environment: string
  readonly #say: (line: string) => void
  /** Marks the problems told by a watch of this namespace among those of others. */
  readonly #mark: string
  #open: ReadonlyMap<string, Told> | undefined

  constructor(environment: string, namespace: string, say: (line: string) => void) {
    this.#environment = environment
    this.#mark = `kubernetes/${namespace} `
    this.#say = say
  }

  async troubles(present: readonly Trouble[]): Promise<void> {
    this.#open ??= await this.#leftOpen()
    const now = new Map(present.map(t => [keyOf(t), t]))
    const begun = present.filter(t => !this.#open!.has(keyOf(t)))
    const over = [...this.#open].flatMap(([key, t]) => (now.has(key) ? [] : [t]))
    const issue = (t: Told, state: string) => ({ ...t, name: this.#mark + t.name, environment: this.#environment, state })
    const issues = [...begun.map(t => issue(t, 'firing')), ...over.map(t => issue(t, 'resolved'))]
    if (issues.length > 0) await ask('/api/v1/issues', { method: 'POST', body: JSON.stringify(issues) })
    this.#open = now
    for (const t of begun) this.#say(`${t.entity}: ${t.summary}`)
    for (const t of over) this.#say(`${t.entity}: ${t.name} is over`)
  }

  async changes(found: readonly ReleaseChange[]): Promise<void> {
    if (found.length === 0) return
    const told = found.map(c => ({ ...c, environment: this.#environment, source: 'kubernetes' }))
    await ask('/api/v1/changes', { method: 'POST', body: JSON.stringify(told) })
    for (const c of found) this.#say(`${c.entity}: ${c.kind} from ${c.before} to ${c.after}`)
  }

  async #leftOpen(): Promise<Map<string, Told>> {
    const anomalies = await ask<Anomaly[]>(`/api/v1/anomalies?limit=10000&environment=${encodeURIComponent(this.#environment)}`)
    const open = anomalies.flatMap(a => {
      const told = issueOfSeries(a.series?.[0]?.metric ?? '')
      if (a.detector !== 'issues' || a.state === 'close' || !told?.name.startsWith(this.#mark)) return []
      return [{ entity: a.entity, kind: told.kind as Trouble['kind'], name: told.name.slice(this.#mark.length) }]
    })
    return new Map(open.map((t): [string, Told] => [keyOf(t), t]))
  }
}

/** `aegis watch NAMESPACE`. */
export const watchCommand = (): Command =>
  new Command('watch')
    .argument('<namespace>', 'namespace of the cluster, "*" for all')
    .description(
      'tell Aegis what a running Kubernetes says: crash loops, pods that cannot be scheduled or started, failed probes and jobs, volumes, nodes, quotas, releases and changed settings',
    )
    .option('--environment <name>', 'environment it is told for', 'default')
    .option('--context <name>', 'context of the kubeconfig; the current one unless told')
    .option('--every <seconds>', 'seconds between looks', '5')
    .option('--once', 'look once, tell what is wrong, and end')
    .addHelpText(
      'after',
      '\nReads as kubectl would (KUBECONFIG, or the pod’s own account) and changes nothing; kinds it may not list are left out. The value of a setting is never sent, only a hash of it.' +
        '\nThe gateway is found by AEGIS_GATEWAY_URL.',
    )
    .action(async (namespace: string, options: Options) => {
      const every = Number(options.every)
      if (!(every > 0)) throw new AegisError('INPUT_INVALID', `--every must be a number above 0, not ${options.every}`)
      const { clusterOf, readCluster, STATE_KINDS } = await import('../topology/read-cluster.ts')
      const { changesBetween } = await import('../topology/cluster-releases.ts')
      const { stateOfCluster } = await import('../topology/cluster-state.ts')
      const config = clusterOf(options.context)
      const clock = () => new Date().toISOString().slice(11, 19)
      const reporter = new Reporter(options.environment, namespace, line => console.log(`${clock()}  ${line}`))
      const stop = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
      const leftOut = new Set<string>()
      let last: ReturnType<typeof stateOfCluster> | undefined
      let failing = false
      for (;;) {
        try {
          const documents = await readCluster(
            config,
            namespace,
            line => {
              if (!leftOut.has(line)) console.error(line)
              leftOut.add(line)
            },
            STATE_KINDS,
          )
          const state = stateOfCluster(documents, Date.now())
          if (!last) console.log(`${clock()}  watching ${state.releases.size} workloads, ${state.troubles.length} in trouble`)
          // Before the troubles: what was changed may be why they are there.
          if (!last) await reporter.changes(state.before)
          else {
            await reporter.changes(changesBetween(last.releases, state.releases))
            // Told: a failure below must not tell them again.
            last = state
          }
          await reporter.troubles(state.troubles)
          last = state
          failing = false
        } catch (error) {
          // What cannot be reached at the start is a mistake; later it is a night like any other.
          if (options.once || !last) throw error
          if (!failing) console.error(`${clock()}  ${(error as Error).message}; trying again`)
          failing = true
        }
        if (options.once) return
        await sleep(every * 1000, undefined, { signal: stop.signal }).catch(() => undefined)
        if (stop.signal.aborted) return
      }
    })
