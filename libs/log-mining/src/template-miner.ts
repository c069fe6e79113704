/**
 * Learns, in one pass over a stream of log lines, which template each line was written from.
 *
 * Family: Drain (He et al., ICWS 2017) and Brain (Yu et al., TSC 2023). How ours differs: the masks (masking.ts) turn a line into a skeleton
 * whose hash finds its template at once, without a tree of prefixes, so a variable first word costs nothing. What the masks cannot know (a value
 * that looks like a word) is learned from evidence: skeletons equal but for one word are counted together, and once enough different words
 * have been seen in that place (how many depends on the place: evidence.ts) they become one template. Lists of different length and
 * auto-scaled units share a skeleton from the start. Nothing is ever decided by similarity thresholds.
 *
 * A template's id is the hash of its text, so that any two miners that find it agree. Every change is reported with the line that caused it.
 * Work per line is linear in its length; memory is bounded: beyond `maxTemplates` the ones longest unused are merged into "<*>".
 */
import { neededVariants } from './evidence.ts'
import {
  FIRST_VALUE,
  hashOf,
  LineScanner,
  type ParameterKind,
  parameterKinds,
  pow1,
  pow2,
  SOFT,
  VALUE_HASH,
  WORD,
} from './masking.ts'

export interface MinerOptions {
  /** Live templates kept; beyond it the ones longest unused are merged into the template "<*>". Default 10,000. */
  readonly maxTemplates?: number
  /** Skeletons remembered for the direct way to a template. Default 50,000. */
  readonly maxSkeletons?: number
}

export interface Parameter {
  readonly kind: ParameterKind
  readonly text: string
}

export type TemplateChange =
  | { readonly kind: 'created'; readonly id: string; readonly text: string }
  | { readonly kind: 'widened'; readonly from: string; readonly to: string; readonly text: string }
  | { readonly kind: 'merged'; readonly from: string; readonly into: string; readonly text: string }

export interface Match {
  readonly templateId: string
  readonly template: string
  /** One per "<*>" of the template, in order. */
  readonly parameters: readonly Parameter[]
  readonly changes: readonly TemplateChange[]
}

export interface Template {
  readonly id: string
  readonly text: string
  readonly count: number
}

const FIXED = 0
const VALUES = 1 // values as the text has them, perhaps several ("<*>, <*>")
const WILD = 2 // anything, one parameter

/** Most elements, wide templates looked at per line, and words remembered per place. */
const MAX_PLACES = 96
const MAX_WIDE = 32
const MAX_VARIANTS = 32

interface Group {
  id: string
  text: string
  count: number
  /** Used since the clock's hand last passed. */
  used: boolean
  /** Where its lines go now, once it has been merged. */
  into: Group | undefined
  hashes: number[]
  words: string[]
  spaced: boolean[]
  shapes: number[]
  kinds: number[]
  full: number
}

interface Skeleton {
  check: number
  group: Group
}

const NO_CHANGES: readonly TemplateChange[] = []

export class TemplateMiner {
  readonly #scanner = new LineScanner()
  readonly #maxTemplates: number
  readonly #maxSkeletons: number
  #skeletons = new Map<number, Skeleton>()
  #live = new Map<string, Group>() // by text
  #places = new Map<number, Group | Group[]>() // skeleton without one word -> groups that share it
  #open = new Map<number, Group>() // skeleton without one word -> the template where that word is free
  #wide = new Map<number, Group[]>() // element count and first fixed word -> templates with free words
  #hand: Iterator<Group> | undefined
  #rest: Group
  #changes: TemplateChange[] = []

  constructor(options: MinerOptions = {}) {
    this.#maxTemplates = options.maxTemplates ?? 10_000
    this.#maxSkeletons = options.maxSkeletons ?? 50_000
    this.#rest = restGroup()
  }

  /** Finds or makes the line's template, and learns from the line. */
  learn(body: string): Match {
    const scanner = this.#scanner
    scanner.scan(body)
    this.#changes = NO_CHANGES as TemplateChange[]
    let group: Group
    const known = this.#skeletons.get(scanner.skeleton1)
    if (known !== undefined && known.check === scanner.skeleton2 && (known.group.into === undefined || this.#follow(known))) {
      group = known.group
      if (group.full !== scanner.full) group = this.#fitRuns(group)
    } else {
      group = this.#newSkeleton()
    }
    group.count++
    group.used = true
    return { templateId: group.id, template: group.text, parameters: this.#parameters(group), changes: this.#changes }
  }

  templates(): readonly Template[] {
    const all = [...this.#live.values()]
    if (this.#rest.count > 0) all.push(this.#rest)
    return all.map(g => ({ id: g.id, text: g.text, count: g.count }))
  }

  /** The template of this text id, if it is live. */
  get size(): number {
    return this.#live.size
  }

  /** Characters looked at so far. */
  get work(): number {
    return this.#scanner.work
  }

  #report(change: TemplateChange): void {
    if (this.#changes === NO_CHANGES) this.#changes = []
    this.#changes.push(change)
  }

  /** A skeleton whose group was merged: point it to where the group went. False when the group was given up. */
  #follow(known: Skeleton): boolean {
    let group = known.group
    while (group.into !== undefined) group = group.into
    if (group === this.#rest) return false
    known.group = group
    return true
  }

  #parameters(group: Group): Parameter[] {
    const scanner = this.#scanner
    const { kind, start, end, begins, atoms, text } = scanner
    const parameters: Parameter[] = []
    const shapes = group.shapes
    if (group === this.#rest) return [{ kind: 'text', text: text.trim() }]
    let element = -1
    for (let k = 0; k < atoms; k++) {
      if (begins[k] === 1) element++
      const shape = shapes[element]
      if (shape === FIXED) continue
      if (shape === VALUES) {
        const c = kind[k] as number
        if (c >= FIRST_VALUE)
          parameters.push({ kind: parameterKinds[c - FIRST_VALUE] as ParameterKind, text: text.slice(start[k], end[k]) })
      } else {
        const first = k
        while (k + 1 < atoms && begins[k + 1] === 0) k++
        const c = kind[first] as number
        parameters.push({
          kind: c >= FIRST_VALUE && first === k ? (parameterKinds[c - FIRST_VALUE] as ParameterKind) : 'text',
          text: text.slice(start[first], end[k]),
        })
      }
    }
    return parameters
  }

  /** The skeleton is known, the runs of values in it differ: what differs becomes one value. */
  #fitRuns(group: Group): Group {
    const scanner = this.#scanner
    const { kind, begins, atoms } = scanner
    let differs: number[] | undefined
    let element = -1
    for (let k = 0; k < atoms; k++) {
      if (begins[k] !== 1) continue
      element++
      if (group.shapes[element] !== VALUES || (kind[k] as number) < FIRST_VALUE) continue
      if (this.#runText(k) !== group.words[element]) {
        differs ??= []
        differs.push(element)
      }
    }
    if (differs === undefined) {
      group.full = scanner.full
      return group
    }
    const wider = copyOf(group)
    for (const e of differs) free(wider, e)
    wider.full = scanner.full
    return this.#replace([group], wider)
  }

  /** The text of the element that begins at atom k: values masked, units and commas as they are. */
  #runText(k: number): string {
    const { kind, start, end, begins, spaced, atoms, text } = this.#scanner
    if ((kind[k] as number) < FIRST_VALUE) return text.slice(start[k], end[k])
    let run = '<*>'
    for (let j = k + 1; j < atoms && begins[j] === 0; j++) {
      if (spaced[j] === 1) run += ' '
      run += (kind[j] as number) >= FIRST_VALUE ? '<*>' : text.slice(start[j], end[j])
    }
    return run
  }

  #newSkeleton(): Group {
    const scanner = this.#scanner
    const { skeleton1, skeleton2 } = scanner
    const fresh = this.#groupOfLine()
    const n = fresh.hashes.length
    let group: Group | undefined
    for (let i = 0; i < n && i < MAX_PLACES && group === undefined; i++) {
      if (fresh.shapes[i] !== FIXED) continue
      const open = this.#open.get(placeKey(skeleton1, fresh, i))
      if (open !== undefined && open.into === undefined && fits(open, fresh)) group = open
    }
    if (group === undefined) {
      for (const wide of this.#wide.get(wideKey(fresh)) ?? []) {
        if (wide.into === undefined && fits(wide, fresh)) {
          group = wide
          break
        }
      }
    }
    if (group === undefined) {
      const same = this.#live.get(fresh.text)
      if (same !== undefined) group = same
    }
    if (group !== undefined) {
      this.#remember(skeleton1, skeleton2, group)
      return this.#fitRuns(group)
    }
    this.#report({ kind: 'created', id: fresh.id, text: fresh.text })
    this.#add(fresh)
    this.#remember(skeleton1, skeleton2, fresh)
    group = this.#gather(fresh)
    if (this.#live.size > this.#maxTemplates) this.#evict(group)
    return group
  }

  #groupOfLine(): Group {
    const { kind, begins, spaced, hash, atoms, elements, full } = this.#scanner
    const group: Group = {
      id: '',
      text: '',
      count: 0,
      used: true,
      into: undefined,
      hashes: new Array(elements),
      words: new Array(elements),
      spaced: new Array(elements),
      shapes: new Array(elements),
      kinds: new Array(elements),
      full,
    }
    let e = -1
    for (let k = 0; k < atoms; k++) {
      if (begins[k] !== 1) continue
      e++
      const c = kind[k] as number
      group.hashes[e] = hash[k] as number
      group.words[e] = this.#runText(k)
      group.spaced[e] = spaced[k] === 1
      group.shapes[e] = c >= FIRST_VALUE ? VALUES : FIXED
      group.kinds[e] = c
    }
    name(group)
    return group
  }

  #remember(skeleton1: number, check: number, group: Group): void {
    if (this.#skeletons.size >= this.#maxSkeletons) {
      this.#skeletons.clear()
      for (const live of this.#live.values()) {
        const [s1, s2] = skeletonOf(live)
        this.#skeletons.set(s1, { check: s2, group: live })
      }
    }
    this.#skeletons.set(skeleton1, { check, group })
  }

  #add(group: Group): void {
    this.#live.set(group.text, group)
    const [s1] = skeletonOf(group)
    for (let i = 0; i < group.hashes.length && i < MAX_PLACES; i++) {
      if (!mayVary(group, i)) continue
      const key = placeKey(s1, group, i)
      const there = this.#places.get(key)
      if (there === undefined) this.#places.set(key, group)
      else if (Array.isArray(there)) {
        if (there.length < MAX_VARIANTS) there.push(group)
      } else this.#places.set(key, [there, group])
    }
  }

  #drop(group: Group): void {
    this.#live.delete(group.text)
    const [s1, s2] = skeletonOf(group)
    if (this.#skeletons.get(s1)?.check === s2) this.#skeletons.delete(s1)
    for (let i = 0; i < group.hashes.length && i < MAX_PLACES; i++) {
      const key = placeKey(s1, group, i)
      if (this.#open.get(key) === group) this.#open.delete(key)
      const there = this.#places.get(key)
      if (there === group) this.#places.delete(key)
      else if (Array.isArray(there)) {
        const at = there.indexOf(group)
        if (at >= 0) there.splice(at, 1)
        if (there.length === 0) this.#places.delete(key)
      }
    }
    const key = wideKey(group)
    const wide = this.#wide.get(key)
    if (wide !== undefined) {
      const at = wide.indexOf(group)
      if (at >= 0) wide.splice(at, 1)
      if (wide.length === 0) this.#wide.delete(key)
    }
  }

  /** Looks whether the new group completes the evidence that one of its words varies, and merges while it does. */
  #gather(group: Group): Group {
    const [s1] = skeletonOf(group)
    for (let i = 0; i < group.hashes.length && i < MAX_PLACES; i++) {
      if (!mayVary(group, i)) continue
      const there = this.#places.get(placeKey(s1, group, i))
      if (!Array.isArray(there) || there.length < 2) continue
      const members = there.filter(g => g.into === undefined && g.hashes.length === group.hashes.length && agree(g, group, i))
      if (members.length < 2) continue
      if (members.length < neededVariants(members, i)) continue
      const wider = copyOf(members[0] as Group)
      free(wider, i)
      for (const member of members) {
        for (let e = 0; e < wider.words.length; e++)
          if (wider.words[e] !== member.words[e] && wider.shapes[e] !== WILD) free(wider, e)
      }
      wider.full = 0
      return this.#gather(this.#replace(members, wider))
    }
    return group
  }

  /** Puts one wider group in the place of the given ones. */
  #replace(members: readonly Group[], wider: Group): Group {
    name(wider)
    const known = this.#live.get(wider.text)
    const target = known ?? wider
    const [s1, s2] = skeletonOf(target)
    for (const member of members) if (member !== target) this.#drop(member)
    members.forEach((member, at) => {
      if (member === target) return
      member.into = target
      target.count += member.count
      const first = at === 0 && known === undefined
      this.#report(
        first
          ? { kind: 'widened', from: member.id, to: target.id, text: target.text }
          : { kind: 'merged', from: member.id, into: target.id, text: target.text },
      )
    })
    if (known === undefined) {
      this.#add(target)
      this.#remember(s1, s2, target)
      for (let i = 0; i < target.hashes.length && i < MAX_PLACES; i++)
        if (target.shapes[i] === WILD) this.#open.set(placeKey(s1, target, i), target)
      const key = wideKey(target)
      const wide = this.#wide.get(key)
      if (wide === undefined) this.#wide.set(key, [target])
      else if (wide.length < MAX_WIDE) wide.push(target)
    }
    return target
  }

  /** Second chance: the first group that was not used since the hand last passed goes. */
  #evict(spare: Group): void {
    for (let turns = 0; turns <= 2 * this.#live.size + 2; turns++) {
      this.#hand ??= this.#live.values()
      const next = this.#hand.next()
      if (next.done) {
        this.#hand = undefined
        continue
      }
      const group = next.value
      if (group === spare) continue
      if (group.used) {
        group.used = false
        continue
      }
      this.#drop(group)
      group.into = this.#rest
      this.#rest.count += group.count
      this.#report({ kind: 'merged', from: group.id, into: this.#rest.id, text: this.#rest.text })
      return
    }
  }

  snapshot(): Uint8Array {
    const live = [...this.#live.values()]
    const at = new Map(live.map((g, i) => [g, i]))
    const skeletons: number[] = []
    for (const [key, known] of this.#skeletons) {
      if (known.group.into !== undefined && !this.#follow(known)) continue
      skeletons.push(key, known.check, at.get(known.group) ?? -1)
    }
    const places = [...this.#places].map(([key, there]) => [
      key,
      ...(Array.isArray(there) ? there : [there]).map(g => at.get(g) ?? -1),
    ])
    const wide = [...this.#wide].map(([key, groups]) => [key, ...groups.map(g => at.get(g) ?? -1)])
    const open = [...this.#open].map(([key, g]) => [key, at.get(g) ?? -1])
    // the hand restarts at the first group: the marks before it are kept, so nothing is lost but its place
    this.#hand = undefined
    const state = {
      version: 1,
      rest: this.#rest.count,
      groups: live.map(g => [g.count, g.used ? 1 : 0, g.full, g.hashes, g.words, g.spaced.map(Number), g.shapes, g.kinds]),
      skeletons,
      places,
      open,
      wide,
    }
    return new TextEncoder().encode(JSON.stringify(state))
  }

  restore(bytes: Uint8Array): void {
    const state = JSON.parse(new TextDecoder().decode(bytes))
    if (state.version !== 1) throw new Error(`template miner: snapshot of version ${state.version}, expected 1`)
    this.#rest = restGroup()
    this.#rest.count = state.rest
    this.#hand = undefined
    const groups: Group[] = state.groups.map((g: [number, number, number, number[], string[], number[], number[], number[]]) => {
      const group: Group = {
        id: '',
        text: '',
        count: g[0],
        used: g[1] === 1,
        into: undefined,
        full: g[2],
        hashes: g[3],
        words: g[4],
        spaced: g[5].map(Boolean),
        shapes: g[6],
        kinds: g[7],
      }
      name(group)
      return group
    })
    this.#live = new Map(groups.map(g => [g.text, g]))
    this.#skeletons = new Map()
    for (let i = 0; i < state.skeletons.length; i += 3) {
      this.#skeletons.set(state.skeletons[i], { check: state.skeletons[i + 1], group: groups[state.skeletons[i + 2]] as Group })
    }
    const pick = (entry: number[]) =>
      entry
        .slice(1)
        .map(i => groups[i])
        .filter(g => g !== undefined)
    this.#places = new Map(
      state.places.map((entry: number[]) => [entry[0], entry.length === 2 ? (pick(entry)[0] as Group) : pick(entry)]),
    )
    this.#open = new Map(state.open.map((entry: number[]) => [entry[0], pick(entry)[0] as Group]))
    this.#wide = new Map(state.wide.map((entry: number[]) => [entry[0], pick(entry)]))
  }
}

/** Two independent 32-bit hashes as 16 hex digits: the identity of a template is its text. */
export function templateId(text: string): string {
  let a = 0xdeadbeef | 0
  let b = 0x41c6ce57 | 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    a = Math.imul(a ^ c, 0x9e3779b1)
    b = Math.imul(b ^ c, 0x5f356495)
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0')
}

function restGroup(): Group {
  return {
    id: templateId('<*>'),
    text: '<*>',
    count: 0,
    used: true,
    into: undefined,
    hashes: [VALUE_HASH],
    words: ['<*>'],
    spaced: [false],
    shapes: [WILD],
    kinds: [FIRST_VALUE],
    full: 0,
  }
}

function name(group: Group): void {
  let text = ''
  for (let e = 0; e < group.words.length; e++) text += group.spaced[e] && e > 0 ? ` ${group.words[e]}` : group.words[e]
  group.text = text
  group.id = templateId(text)
}

function copyOf(group: Group): Group {
  return {
    ...group,
    count: 0,
    into: undefined,
    hashes: [...group.hashes],
    words: [...group.words],
    spaced: [...group.spaced],
    shapes: [...group.shapes],
    kinds: [...group.kinds],
  }
}

const SPACED = 0x27d4eb2f | 0

function free(group: Group, e: number): void {
  group.shapes[e] = WILD
  group.words[e] = '<*>'
  group.hashes[e] = group.spaced[e] ? VALUE_HASH ^ SPACED : VALUE_HASH
  group.kinds[e] = FIRST_VALUE
}

function skeletonOf(group: Group): [number, number] {
  let s1 = 0
  let s2 = 0
  for (let e = 0; e < group.hashes.length; e++) {
    const h = group.hashes[e] as number
    s1 = (s1 + Math.imul(h, pow1[e] as number)) | 0
    s2 = (s2 + Math.imul(h ^ (h >>> 13), pow2[e] as number)) | 0
  }
  return [s1, s2]
}

/** The skeleton with the word at place i taken out. */
function placeKey(skeleton1: number, group: Group, i: number): number {
  const without = (skeleton1 - Math.imul(group.hashes[i] as number, pow1[i] as number)) | 0
  return Math.imul(without ^ Math.imul(i + 1, 0x9e3779b1), 0x85ebca6b) ^ group.hashes.length
}

function wideKey(group: Group): number {
  for (let e = 0; e < group.hashes.length; e++) {
    if (group.shapes[e] === FIXED && group.kinds[e] === WORD && e > 0)
      return Math.imul(group.hashes[e] as number, 31) ^ group.hashes.length
  }
  return group.hashes.length
}

/** A place that may turn out to hold a value: a word, or a value already (so that words and values of one place meet). */
function mayVary(group: Group, i: number): boolean {
  const kind = group.kinds[i] as number
  return group.shapes[i] !== FIXED || kind === WORD || kind === SOFT
}

function agree(a: Group, b: Group, except: number): boolean {
  for (let e = 0; e < a.hashes.length; e++) if (e !== except && a.hashes[e] !== b.hashes[e]) return false
  return true
}

function fits(wide: Group, line: Group): boolean {
  if (wide.hashes.length !== line.hashes.length) return false
  for (let e = 0; e < wide.hashes.length; e++) {
    if (wide.hashes[e] === line.hashes[e]) continue
    if (wide.shapes[e] !== WILD || wide.spaced[e] !== line.spaced[e]) return false
    const kind = line.kinds[e] as number
    if (kind !== WORD && kind !== SOFT && kind < FIRST_VALUE) return false
  }
  return true
}

export type { Group }
export { hashOf }
