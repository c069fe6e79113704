/**
 * What people did the last times it looked like this: fixes recorded by hand or carried out before, found again by the likeness of situations.
 *
 * A situation's signature is a set of weighted traits read from its incident: kind of fault, kinds and names of evidence, metrics, depth of the path;
 * entity names take part with little weight, so that experience carries over to other services. Likeness is the weighted Jaccard index (shared
 * weight over joined weight, Jaccard 1912), with rare traits weighing more by their inverse frequency among the fixes known. Under the floor
 * nothing is said. An incident is thin when it opens and gathers traits while it lasts, so a fix is kept with how its incident looked at several
 * stages, and the one most like the situation counts: early is held against early. A suggestion's chance of success is the lower Wilson bound of its likeness-weighted record, so one lucky try does not lead. Where a
 * command was tried often enough, what it was tried on is learned from as well (`fix-predictor.ts`), and the more cautious of the two ranks it.
 */
import type { Incident, ManualFix } from '@aegis/domain'
import { wilson } from '@aegis/learning/wilson'
import { predictSuccess, type Signature } from './fix-predictor.ts'

export type { Signature }
export interface RecordedFix {
  readonly fix: Pick<ManualFix, 'id' | 'command' | 'success' | 'who' | 'time'> & Partial<Pick<ManualFix, 'action' | 'target'>>
  /** How its incident looked, from the first diagnosis to the last. */
  readonly stages: readonly Signature[]
}
export interface SimilarFixOptions {
  /** Likeness under which a past situation does not count. */
  readonly floor: number
  /** Past situations listed with a suggestion, at most. */
  readonly examples: number
}
export const SIMILAR_FIX_DEFAULTS: SimilarFixOptions = { floor: 0.4, examples: 3 }
export interface Suggestion {
  /** The command with the entity's name replaced by `<entity>`. */
  readonly command: string
  readonly action?: string
  readonly tried: number
  readonly worked: number
  /** Likeness of the most similar situation it was tried in. */
  readonly likeness: number
  /** Lower bound of the chance that it helps. */
  readonly chance: number
  /** Chance that it helps here, learned from all its tries; undefined while there are too few. */
  readonly predicted?: number
  readonly examples: readonly {
    readonly fix: string
    readonly likeness: number
    readonly success: boolean
    readonly who: string
  }[]
}

/** Weights say how much a trait tells of what would help. */
export function signatureOf(incident: Pick<Incident, 'causes' | 'severity' | 'entities'>): Signature {
  const traits: Record<string, number> = {}
  const cause = incident.causes[0]
  if (!cause) return traits
  traits[`fault ${cause.fault_kind ?? 'unknown'}`] = 4
  for (const e of cause.evidence) {
    traits[`evidence ${e.kind}`] = 1
    if (e.name) traits[`evidence ${e.kind} ${e.name}`] = 2
  }
  for (const metric of cause.metrics) traits[`metric ${metric}`] = 1.5
  traits[`path ${Math.min(3, cause.path.length)}`] = 0.5
  traits[`spread ${incident.entities.length > 3 ? 'wide' : 'narrow'}`] = 0.5
  traits[`entity ${cause.entity}`] = 0.5
  return traits
}

/** Stages of one incident kept at most, and how many more traits make a new one. */
const STAGES = { most: 4, growth: 1.5 } as const
/** The stages with what it looks like now: another kind of fault or half as many traits again is a new stage, anything else is how the last one looks by now. */
export function withStage(stages: readonly Signature[], now: Signature): readonly Signature[] {
  const last = stages.at(-1)
  const fault = (s: Signature) => Object.keys(s).find(t => t.startsWith('fault '))
  if (!last) return [now]
  const isNew = fault(last) !== fault(now) || Object.keys(now).length >= STAGES.growth * Object.keys(last).length
  if (isNew && stages.length < STAGES.most) return [...stages, now]
  // The first stays as it was: it is what the next one of its kind will look like when it opens.
  return stages.length === 1 ? [last, now] : [...stages.slice(0, -1), now]
}

/** From 0, nothing in common, to 1, alike. `rarity` multiplies a trait's weight; 1 for all unless told. */
export function likeness(a: Signature, b: Signature, rarity: (trait: string) => number = () => 1): number {
  let [shared, joined] = [0, 0]
  for (const trait of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [x, y] = [a, b].map(s => (Object.hasOwn(s, trait) ? s[trait] : 0) * rarity(trait))
    shared += Math.min(x, y)
    joined += Math.max(x, y)
  }
  return joined > 0 ? shared / joined : 0
}

const plain = (command: string, target: string | null | undefined): string => {
  const tidy = command.trim().replace(/\s+/g, ' ')
  if (!target) return tidy
  // People write the name alone ("deployment/cart"), actions of ours the whole entity ("service:cart").
  const name = target.slice(target.indexOf(':') + 1)
  const whole = tidy.split(target).join('<entity>')
  return name === '' ? whole : whole.replace(new RegExp(`(?<![\\w.<-])${name.replace(/\W/g, '\\$&')}(?![\\w-])`, 'g'), '<entity>')
}

const cautious = ({ chance, predicted }: Pick<Suggestion, 'chance' | 'predicted'>): number => Math.min(chance, predicted ?? 1)

export function suggestFixes(
  situation: Signature,
  known: readonly RecordedFix[],
  options: Partial<SimilarFixOptions> = {},
): readonly Suggestion[] {
  const { floor, examples } = { ...SIMILAR_FIX_DEFAULTS, ...options }
  const seen = new Map<string, number>()
  for (const { stages } of known)
    for (const trait of new Set(stages.flatMap(s => Object.keys(s)))) seen.set(trait, (seen.get(trait) ?? 0) + 1)
  // Between 1 for a trait every fix has and about 2 for one hardly any has: rarity sharpens, it does not decide.
  const rarity = (trait: string) => 1 + Math.log((known.length + 1) / ((seen.get(trait) ?? 0) + 1)) / Math.log(known.length + 2)
  const nearest = (stages: readonly Signature[]) =>
    stages
      .map(signature => ({ signature, alike: likeness(situation, signature, rarity) }))
      .reduce((a, b) => (b.alike > a.alike ? b : a), { signature: {} as Signature, alike: 0 })
  const triesOf = (command: string) =>
    known
      .filter(k => plain(k.fix.command, k.fix.target) === command)
      .map(({ fix, stages }) => ({ signature: nearest(stages).signature, success: fix.success }))
  const byCommand = new Map<string, { fix: RecordedFix['fix']; likeness: number }[]>()
  for (const { fix, stages } of known) {
    const { alike } = nearest(stages)
    if (alike < floor) continue
    const command = plain(fix.command, fix.target)
    byCommand.set(command, [...(byCommand.get(command) ?? []), { fix, likeness: alike }])
  }
  return [...byCommand]
    .map(([command, tries]) => {
      const ranked = tries.sort((a, b) => b.likeness - a.likeness || b.fix.time - a.fix.time || (a.fix.id < b.fix.id ? -1 : 1))
      const weight = ranked.reduce((s, t) => s + t.likeness, 0)
      const success = ranked.reduce((s, t) => s + (t.fix.success ? t.likeness : 0), 0)
      return {
        command,
        action: ranked[0].fix.action ?? undefined,
        tried: ranked.length,
        worked: ranked.filter(t => t.fix.success).length,
        likeness: ranked[0].likeness,
        // One standard error rather than two: the order matters here, not a proof.
        chance: wilson(success, weight, 1).low,
        predicted: predictSuccess(situation, triesOf(command)),
        examples: ranked
          .slice(0, examples)
          .map(t => ({ fix: t.fix.id, likeness: t.likeness, success: t.fix.success, who: t.fix.who })),
      }
    })
    .sort((a, b) => cautious(b) - cautious(a) || b.likeness - a.likeness || (a.command < b.command ? -1 : 1))
}
