/** The tables of `remediation-policies.ts`: pairs of drills, their differences with exact tests, and the bars. */

import { isDisruptive } from '@aegis/domain'
import type { DrillReport } from '../drill/drill.ts'
import { SHOP } from '../remediation/incident-sim.ts'
import { mcNemar, wilcoxon } from '../remediation/paired-tests.ts'

export const POLICIES = ['rules', 'learned'] as const
export type PolicyName = (typeof POLICIES)[number]
/** What the slow way costs: somebody is called, and has healed it after five minutes. */
export const PERSON_SECONDS = 300
/** Load above which a healthy shop may look ill. */
export const BUSY = 4
/** Pairs that the bar asks for. */
export const WANTED_PAIRS = 40

export interface Drilled {
  readonly round: number
  readonly fault: string
  readonly policy: PolicyName
  /** Of the machine, as the drill began. */
  readonly load: number
  /** Commit it was held at; absent in older reports. */
  readonly commit?: string
  /** Seconds from one drill to the next, teardown included; absent in older reports. */
  readonly seconds?: number
  readonly report: Omit<DrillReport, 'took'> & Partial<Pick<DrillReport, 'took'>>
}
export const keyOf = (d: Pick<Drilled, 'round' | 'fault' | 'policy'>) => `${d.round} ${d.fault} ${d.policy}`
export type Pair = readonly [rules: Drilled, learned: Drilled]

/** Complete pairs in which both felt the fault; one that was not felt tells nothing of what would have healed it. */
export function pairsOf(held: readonly Drilled[]): Pair[] {
  const by = new Map(held.map(d => [keyOf(d), d]))
  return held.flatMap(d => {
    const other = d.policy === 'rules' ? by.get(keyOf({ ...d, policy: 'learned' })) : undefined
    return other?.report.broken && d.report.broken ? [[d, other] as const] : []
  })
}

/** The first thing done is one that was measured to heal this fault. */
export function rightFirst({ fault, report }: Drilled): boolean {
  const truth = SHOP.faults.find(f => f.name === fault)
  const [first] = report.acts
  const effect = first && truth?.heals[first.action]
  return (
    first !== undefined &&
    effect !== undefined &&
    effect.healed > effect.tried / 2 &&
    first.target === `service:${truth?.service}`
  )
}
const disruptive = (d: Drilled): number => d.report.acts.filter(a => isDisruptive(a.action)).length
/** Unhealed: as long as a person takes. */
const seconds = (d: Drilled): number => (d.report.healed ? (d.report.secondsToHeal ?? PERSON_SECONDS) : PERSON_SECONDS)
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const healed = (d: Drilled) => d.report.healed
const verified = (d: Drilled) => d.report.healed && d.report.verified
const causeFirst = (d: Drilled) => d.report.causeRank === 1

/** Undefined where no pair is complete. */
export function figuresOf(held: readonly Drilled[]) {
  const pairs = pairsOf(held)
  if (pairs.length === 0) return undefined
  const row = (side: 0 | 1) => {
    const count = (what: (d: Drilled) => boolean) => pairs.filter(p => what(p[side])).length
    return {
      healed: count(healed),
      verified: count(verified),
      causeFirst: count(causeFirst),
      rightFirst: count(rightFirst),
      disruptive: pairs.reduce((sum, p) => sum + disruptive(p[side]), 0),
      medianSecondsToHeal: median(pairs.map(p => seconds(p[side]))),
    }
  }
  const yesNo = (what: (d: Drilled) => boolean) => mcNemar(pairs.map(([a, b]) => [what(a), what(b)] as const)).p
  const numbers = (what: (d: Drilled) => number) => wilcoxon(pairs.map(([a, b]) => [what(a), what(b)] as const)).p
  const all = pairs.flat()
  const took = (part: 'open' | 'learn' | 'heal' | 'verify') => median(all.flatMap(d => d.report.took?.[part] ?? []))
  return {
    pairs: pairs.length,
    notFelt: new Set(held.filter(d => !d.report.broken).map(d => `${d.round} ${d.fault}`)).size,
    busyDrills: all.filter(d => d.load > BUSY).length,
    policies: [...new Set(all.map(d => d.report.policy))],
    commits: [...new Set(all.map(d => d.commit ?? 'unknown'))],
    rules: row(0),
    learned: row(1),
    p: {
      healed: yesNo(healed),
      causeFirst: yesNo(causeFirst),
      rightFirst: yesNo(rightFirst),
      disruptive: numbers(disruptive),
      secondsToHeal: numbers(seconds),
    },
    faults: Object.fromEntries(
      [...new Set(pairs.map(([d]) => d.fault))].map(fault => {
        const of = pairs.filter(([d]) => d.fault === fault)
        const side = (n: 0 | 1) => ({
          healed: of.filter(p => healed(p[n])).length,
          rightFirst: of.filter(p => rightFirst(p[n])).length,
          disruptive: of.reduce((sum, p) => sum + disruptive(p[n]), 0),
          medianSecondsToHeal: median(of.map(p => seconds(p[n]))),
        })
        return [fault, { pairs: of.length, rules: side(0), learned: side(1) }]
      }),
    ),
    medianSecondsOfADrill: { open: took('open'), learn: took('learn'), heal: took('heal'), verify: took('verify') },
  }
}
export type Figures = NonNullable<ReturnType<typeof figuresOf>>

/** The bars in words, each with its numbers and whether it is reached. */
export function barsOf({ pairs, rules: r, learned: l }: Figures): string[] {
  const more = (l.healed - r.healed) / pairs
  const heals = more >= 0.1 || (l.healed >= r.healed && l.disruptive < r.disruptive)
  const wanted = Math.ceil(r.rightFirst * 1.4)
  const right =
    wanted > pairs
      ? `no room: 40 % above ${r.rightFirst} would be ${wanted} of ${pairs}; it is ${l.rightFirst}`
      : `${l.rightFirst >= wanted ? 'reached' : 'MISSED'}: ${l.rightFirst}, wanted ${wanted}`
  return [
    `at least ${WANTED_PAIRS} pairs: ${pairs >= WANTED_PAIRS ? 'reached' : 'MISSED'}: ${pairs}`,
    `heals 1 in 10 more, or at least as many with fewer disruptive acts: ${heals ? 'reached' : 'MISSED'}: ${l.healed} and ${r.healed} of ${pairs} healed, ${l.disruptive} and ${r.disruptive} disruptive acts`,
    `right first 40 % above the rule table's where that leaves room: ${right}`,
  ]
}

export function tableOf(figures: Figures): string {
  const { rules: r, learned: l, p } = figures
  const line = (name: string, rules: unknown, learned: unknown, note: string) =>
    `${name.padEnd(26)} ${String(rules).padStart(8)} ${String(learned).padStart(8)}  ${note}`.trimEnd()
  const { open, learn, heal, verify } = figures.medianSecondsOfADrill
  return [
    `${figures.pairs} pairs${figures.notFelt > 0 ? `, ${figures.notFelt} more in which the fault was not felt` : ''}${
      figures.busyDrills > 0 ? `, ${figures.busyDrills} of ${2 * figures.pairs} drills at a load above ${BUSY}` : ''
    }; ${figures.policies.join(', ')}; commit ${figures.commits.join(', ')}`,
    line('', 'rules', 'learned', 'p (two-sided)'),
    line('healed', r.healed, l.healed, `${p.healed.toFixed(3)} McNemar`),
    line('healed, and Aegis saw it', r.verified, l.verified, ''),
    line('true cause first', r.causeFirst, l.causeFirst, `${p.causeFirst.toFixed(3)} McNemar`),
    line('right action first', r.rightFirst, l.rightFirst, `${p.rightFirst.toFixed(3)} McNemar`),
    line('disruptive acts', r.disruptive, l.disruptive, `${p.disruptive.toFixed(3)} Wilcoxon`),
    line('median seconds to heal', r.medianSecondsToHeal, l.medianSecondsToHeal, `${p.secondsToHeal.toFixed(3)} Wilcoxon`),
    line('a person after 5 minutes', PERSON_SECONDS, PERSON_SECONDS, ''),
    '',
    'by fault: healed, right first, disruptive, median seconds',
    ...Object.entries(figures.faults).map(([fault, f]) => {
      const side = (s: typeof f.rules) => `${s.healed} ${s.rightFirst} ${s.disruptive} ${s.medianSecondsToHeal}`
      return line(`  ${fault} (${f.pairs})`, '', '', `rules ${side(f.rules)}; learned ${side(f.learned)}`)
    }),
    ...(Number.isNaN(open)
      ? []
      : ['', `median seconds of a drill: open ${open}, learn ${learn}, heal ${heal}, verify ${verify}`]),
    '',
    ...barsOf(figures),
  ].join('\n')
}

/** Minutes that the drills still to come take, by those of this report, else by `otherwise` seconds each. */
export function minutesLeft(left: readonly Pick<Drilled, 'fault'>[], held: readonly Drilled[], otherwise: number): number {
  const mean = (of: readonly Drilled[]) => {
    const known = of.flatMap(d => d.seconds ?? [])
    return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : undefined
  }
  const usual = mean(held) ?? otherwise
  // Faults differ: one that Aegis does not see healed takes a minute more each time.
  return left.reduce((sum, { fault }) => sum + (mean(held.filter(d => d.fault === fault)) ?? usual), 0) / 60
}
