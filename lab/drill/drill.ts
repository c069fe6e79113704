/** One fault, from healthy to healed. Well or not is judged by the load generator's own figures, never by what Aegis says. */

import { type Fault, faultNamed, isWell, P95_LIMITS, p95LimitOf, startShop } from '@aegis/demo-shop'
import { AegisError, type Cause, type Incident } from '@aegis/domain'
import { authorization } from '@aegis/stack/own-keys'
import { hasOpenIncident, settled } from './settled.ts'
import { watch } from './watch.ts'

export interface DrillOptions {
  readonly environment: string
  readonly gatewayUrl: string
  readonly stateDir: string
  readonly supervisorPort: number
  /** Undefined: a control run without any fault. */
  readonly fault: string | undefined
  /** Healthy seconds before the fault, for detectors to learn. */
  readonly learnSeconds: number
  /** How long to wait for health, or how long a control run lasts, seconds. */
  readonly limitSeconds: number
  /** How long to wait, once customers are served well, until Aegis has seen it too, seconds; 10 unless told. */
  readonly verifySeconds?: number
  /** Ends an unhealed drill this long after a person has been called and nothing is under way any more, seconds; only by `limitSeconds` unless told. */
  readonly idleSeconds?: number
  /** The shop goes on running afterwards. */
  readonly keep: boolean
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}
export interface DrillReport {
  fault: string | null
  environment: string
  broken: boolean
  /** Seconds after the injection. */
  secondsToBroken: number | null
  secondsToDetect: number | null
  secondsToIncident: number | null
  secondsToDecide: number | null
  secondsToAct: number | null
  secondsToHeal: number | null
  trueCause: string | null
  causeRank: number | null
  causes: { entity: string; confidence: number; fault_kind: string }[]
  action: string | null
  target: string | null
  decisions: string[]
  /** What was done to the shop, in order, with the second after the injection at which it was carried out. */
  acts: { action: string; target: string; seconds: number | null }[]
  /** Aegis has seen that health returned after an action of its own. */
  verified: boolean
  /** Who decided: name and version of the policy. */
  policy: string | null
  incidents: number
  /** No second that customers would call bad, from the moment the fault was (or would have been) injected. */
  wellThroughout: boolean
  /** When customers were served well again, milliseconds since 1970. */
  healedAt: number | null
  /** Well again, and by an action of Aegis that it carried out on the shop. */
  healed: boolean
  /** Where the time went, seconds: until the shop was open, learning, until it was well or given up, until Aegis had seen it. */
  took: { open: number; learn: number; heal: number; verify: number }
}

/** A shop that customers are not served well in by then would not be a fair start, seconds. */
const OPEN_WITHIN = 90
/** As long may it take until it was well for as long as is learned from, seconds. */
const LEARN_WITHIN = 240

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const shown = (cause: Cause): string => `${cause.entity} ${Math.round(cause.confidence * 100)} % (${cause.fault_kind})`

export const drill = async (options: DrillOptions): Promise<DrillReport & { stop: () => Promise<void> }> => {
  const { environment, say, signal } = options
  const marks = [performance.now()]
  const fault: Fault | undefined = options.fault ? faultNamed(options.fault) : undefined
  const shop = await startShop({
    environment,
    otlpEndpoint: options.gatewayUrl,
    stateDir: options.stateDir,
    basePort: options.supervisorPort,
  })
  const seen = watch(options.gatewayUrl, environment)
  const stop = async () => {
    // A shop that is being taken down looks ill: nothing is to be done about that, and no such decision to be learned from.
    await fetch(`${options.gatewayUrl}/api/v1/controls/${environment}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...authorization(options.gatewayUrl) },
      body: JSON.stringify({ kill_switch: true }),
      signal: AbortSignal.timeout(3000),
    }).catch(() => undefined)
    seen.stop()
    await shop.stop()
  }
  const ended = () => signal.aborted
  try {
    const warmUp = async () => {
      // Judged from the first seconds in which customers are served; starting up is not yet business.
      while (
        !ended() &&
        !(shop.load.windows.length >= 5 && shop.load.windows.slice(-3).every(w => w.requests > 0 && w.success >= 0.99))
      ) {
        if (performance.now() - marks[0] > OPEN_WITHIN * 1000)
          throw new AegisError(
            'INPUT_INVALID',
            `the shop did not serve its customers well within ${OPEN_WITHIN} s (${summary(shop.load.windows.slice(-5))}); is the machine busy?`,
          )
        await sleep(100)
      }
      return shop.load.windows.length
    }
    const from = await warmUp()
    marks.push(performance.now())
    say(
      `the shop is open: ${shop.storefrontUrl}, ${shop.load.windows.at(-1)?.requests ?? 0} requests a second; learning for ${options.learnSeconds} s`,
    )
    let learning = from
    // What Aegis saw while the machine was too busy for the shop is to be over before anything is judged.
    const isHaunted = () => hasOpenIncident(seen.heard) && performance.now() - marks[1] < LEARN_WITHIN * 1000
    while (!ended() && (shop.load.windows.length - learning < options.learnSeconds || isHaunted())) {
      await sleep(100)
      const windows = shop.load.windows.slice(learning)
      if (isWell(windows, { p95LimitMs: P95_LIMITS.most })) continue
      // What is learned while customers are served badly is not health, and no fault could be told from it.
      say(`not well yet without any fault: ${summary(windows.slice(-3))}; learning anew`)
      if (performance.now() - marks[1] > LEARN_WITHIN * 1000)
        throw new AegisError(
          'INPUT_INVALID',
          `the shop was not well for ${options.learnSeconds} s in a row within ${LEARN_WITHIN} s, before any fault; is the machine busy?`,
        )
      learning = shop.load.windows.length
    }
    const healthy = shop.load.windows.slice(learning)
    const p95LimitMs = p95LimitOf(healthy)
    say(`healthy: ${summary(healthy)}; broken means success under 95 % or p95 above ${Math.round(p95LimitMs)} ms`)

    marks.push(performance.now())
    const injectedAt = Date.now()
    const since = (at: number | undefined): number | null => (at === undefined ? null : Math.round((at - injectedAt) / 100) / 10)
    const mark = shop.load.windows.length
    const stamp = () => `${String(since(Date.now())?.toFixed(1)).padStart(6)} s `
    if (fault) {
      await fault.inject(shop.hands)
      say(`${stamp()} FAULT    ${fault.sentence}`)
    }
    let brokenAt: number | undefined
    let wellAt: number | undefined
    let idleSince: number | undefined
    const told = new Set<string>()
    const once = (key: string, line: string) => {
      if (!told.has(key)) {
        told.add(key)
        say(`${stamp()} ${line}`)
      }
    }
    seen.onRecord = (stream, value) => {
      const v = value as Record<string, never>
      if (stream === 'anomalies' && v.state === 'open') once(`a${v.id}`, `ANOMALY  ${v.summary}`)
      else if (stream === 'incidents') {
        const i = value as Incident
        if (i.state === 'mitigated' || i.state === 'closed') once(`${i.id}${i.state}`, `INCIDENT ${i.state}`)
        else if (i.verdict !== 'cause_named') once(i.id, `INCIDENT ${i.id} opens: ${i.explanation}`)
        else {
          const names = i.causes.slice(0, 3).map(shown).join(' > ')
          if (!told.has(`${i.id}${i.causes[0].entity}${i.causes[0].fault_kind}`)) {
            once(`${i.id}${i.causes[0].entity}${i.causes[0].fault_kind}`, `CAUSE    ${names}`)
            for (const e of i.causes[0].evidence.slice(0, 3))
              say(`             ${e.kind}: ${e.text.split('\n')[0].slice(0, 150)}`)
          }
        }
      } else if (stream === 'remediation.decisions') {
        once(`d${v.id}`, `DECISION ${v.mode} ${v.action} on ${v.target} (${v.status}): ${String(v.explanation).slice(0, 160)}`)
      } else if (stream === 'remediation.outcomes')
        once(`o${v.id}`, `OUTCOME  ${v.action} ${v.target}: ${v.status}${v.error ? ` — ${v.error}` : ''}`)
    }
    for (;;) {
      await sleep(100)
      const windows = shop.load.windows.slice(mark)
      // A window that began before the fault belongs to the healthy time.
      const after = windows.filter(w => w.time - 1000 >= injectedAt)
      if (fault && brokenAt === undefined && !isWell(after, { p95LimitMs })) {
        brokenAt = after.at(-1)!.time
        say(`${stamp()} BROKEN   ${summary(after.slice(-2))}`)
      }
      if (brokenAt !== undefined && isWell(after, { p95LimitMs })) {
        wellAt = after.at(-1)!.time
        say(`${stamp()} WELL     ${summary(after.slice(-5))}`)
      }
      if (wellAt !== undefined || ended()) break
      if (Date.now() - injectedAt > options.limitSeconds * 1000) break
      idleSince = settled(seen.heard) ? (idleSince ?? performance.now()) : undefined
      if (idleSince !== undefined && performance.now() - idleSince > 1000 * (options.idleSeconds ?? Number.POSITIVE_INFINITY))
        break
    }
    marks.push(performance.now())
    // Verification and the closing word come a little later than health itself.
    if (wellAt !== undefined)
      for (
        let i = 0;
        i < 10 * (options.verifySeconds ?? 10) &&
        !ended() &&
        !settled(seen.heard) &&
        !seen.heard.outcomes.some(o => o.value.status === 'done');
        i++
      )
        await sleep(100)
    marks.push(performance.now())

    // What was said before is about something else, and so is an incident that began then.
    const afterwards = <T extends { readonly at: number }>(list: readonly T[]) => list.filter(v => v.at >= injectedAt)
    const earlier = new Set(seen.heard.incidents.filter(i => i.at < injectedAt).map(i => i.value.id))
    const [anomalies, incidents] = [afterwards(seen.heard.anomalies), afterwards(seen.heard.incidents)]
    const [decisions, outcomes] = [afterwards(seen.heard.decisions), afterwards(seen.heard.outcomes)]
    const named = incidents.filter(i => i.value.verdict === 'cause_named')
    const acted = outcomes.filter(
      o => o.value.status === 'carried_out' && o.value.action !== 'page' && !(o.value.receipt ?? '').startsWith('dry run'),
    )
    const helped = acted.filter(o => wellAt === undefined || o.at <= wellAt).at(-1)
    const decided = decisions.find(d => d.value.decision === helped?.value.decision) ?? decisions[0]
    // The diagnosis that the decision rests on is the one that counts, not a wiser one afterwards.
    const diagnosis =
      named.find(i => i.value.id === decided?.value.incident && i.value.revision === decided.value.incident_revision) ?? named[0]
    const truth = fault ? `service:${fault.trueCause}` : null
    const rank = diagnosis && truth ? diagnosis.value.causes.findIndex(c => c.entity === truth) + 1 : 0
    const between = (i: number) => Math.round((marks[i + 1] - marks[i]) / 100) / 10
    const report: DrillReport = {
      fault: fault?.name ?? null,
      environment,
      broken: brokenAt !== undefined,
      secondsToBroken: since(brokenAt),
      secondsToDetect: since(anomalies[0]?.at),
      secondsToIncident: since(incidents[0]?.at),
      secondsToDecide: since(decided?.at),
      secondsToAct: since(helped?.at),
      secondsToHeal: since(wellAt),
      trueCause: truth,
      causeRank: rank > 0 ? rank : null,
      causes: (diagnosis?.value.causes ?? []).map(c => ({
        entity: c.entity,
        confidence: c.confidence,
        fault_kind: c.fault_kind ?? 'unknown',
      })),
      action: decided?.value.action ?? null,
      target: decided?.value.target ?? null,
      decisions: decisions.map(d => `${d.value.mode} ${d.value.action} ${d.value.target} ${d.value.status}`),
      acts: acted.map(o => ({ action: o.value.action, target: o.value.target, seconds: since(o.at) })),
      verified: outcomes.some(o => o.value.status === 'done'),
      policy: decided ? `${decided.value.policy} ${decided.value.policy_version}` : null,
      incidents: new Set(incidents.map(i => i.value.id).filter(id => !earlier.has(id))).size,
      wellThroughout: shop.load.windows.slice(mark).every(w => w.requests > 0 && w.success >= 0.95 && w.p95Ms <= p95LimitMs),
      healedAt: wellAt ?? null,
      healed: brokenAt !== undefined && wellAt !== undefined && helped !== undefined,
      took: { open: between(0), learn: between(1), heal: between(2), verify: between(3) },
    }
    if (!options.keep) await stop()
    return { ...report, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const summary = (windows: readonly { requests: number; failed: number; p95Ms: number }[]): string => {
  const requests = windows.reduce((sum, w) => sum + w.requests, 0)
  const failed = windows.reduce((sum, w) => sum + w.failed, 0)
  const p95 = windows.map(w => w.p95Ms).sort((a, b) => a - b)[windows.length >> 1] ?? 0
  return `${requests === 0 ? 0 : Math.round(((requests - failed) / requests) * 1000) / 10} % of ${requests} requests succeeded, p95 ${Math.round(p95)} ms`
}
