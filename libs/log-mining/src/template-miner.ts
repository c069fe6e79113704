/**
 * Learns, in one pass over a stream of log lines, which template each line was written from.
 *
 * Family: Drain (He et al., ICWS 2017) and Brain (Yu et al., TSC 2023). How ours differs: the masks (masking.ts) turn a line into a skeleton
 * whose hash finds its template at once, without a tree of prefixes, so a variable first word costs nothing. What the masks cannot know (a value
 * that looks like a word) is learned from evidence: skeletons equal but for one word are counted together, and once enough different words
 * have been seen in that place (how many depends on the place: evidence.ts) they become one template. Lists of different length and
 * auto-scaled units share a skeleton from the start. Nothing is decided by a similarity threshold.
 *
 * A template's id is the hash of its text, so that any two miners that find it agree. Every change is reported with the line that caused it.
 * Work per line is linear in its length; memory is bounded: beyond `maxTemplates` the ones longest unused are merged into "<other lines>".
 */
import { evidence, neededVariants } from './evidence.ts'
import {
  agree,
  compounds,
  cover,
  FIXED,
  fits,
  free,
  type Group,
  groupOf,
  identifierKey,
  looseKey,
  MAX_PLACES,
  mayVary,
  name,
  placeKey,
  reducedSkeleton,
  restGroup,
  runText,
  skeletonOf,
  spanned,
  VALUES,
  WILD,
  wideKey,
} from './group.ts'
import { FIRST_VALUE, LineScanner, type ParameterKind, parameterKinds } from './masking.ts'
import { packGroup, unpackGroup } from './miner-state.ts'
import { fitsSpan, headKey, type Span, spanOf, tailKey } from './spans.ts'

export interface MinerOptions {
  /** Live templates kept; beyond it the ones longest unused are merged into the template "<other lines>". Default 10,000. */
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

/** The way from a skeleton to its group. Elements [from, to) of the line count as one element of the group. */
interface Skeleton {
  readonly check: number
  group: Group
  from: number
  to: number
  /** Hash of a whole line that is known to fit. */
  full: number
}

/** Most wide templates looked at per line, and groups remembered per place. */
const MAX_WIDE = 32
const MAX_VARIANTS = 32

const NO_CHANGES: readonly TemplateChange[] = []

export class TemplateMiner {
  readonly #scanner = new LineScanner()
  readonly #maxTemplates: number
  readonly #maxSkeletons: number
  #skeletons = new Map<number, Skeleton>()
  #live = new Map<string, Group>() // by text
  #places = new Map<number, Group | Group[]>() // skeleton without one word -> groups that share it
  #open = new Map<number, Group>() // skeleton without one word -> the group where that word is free
  #wide = new Map<number, Group[]>() // element count and a fixed word -> groups with free words
  #loose = new Map<number, Group>() // line without the values of its keys -> group
  #identifiers = new Map<number, Group[]>() // line without its identifiers -> groups that share it
  #reduced = new Map<number, Group>() // skeleton with a compound token made one value -> group
  #ends = new Map<number, Group[]>() // first or last elements -> the newest groups that share them
  #spans = new Map<number, Span[]>() // first or last elements -> templates with a run of any length
  #hand: Iterator<Group> | undefined
  #rest = restGroup()
  #changes: readonly TemplateChange[] = NO_CHANGES

  constructor(options: MinerOptions = {}) {
    this.#maxTemplates = options.maxTemplates ?? 10_000
    this.#maxSkeletons = options.maxSkeletons ?? 50_000
  }

  /** Finds or makes the line's template, and learns from the line. */
  learn(body: string): Match {
    const scanner = this.#scanner
    scanner.scan(body)
    this.#changes = NO_CHANGES
    let way = this.#skeletons.get(scanner.skeleton1)
    if (way === undefined || way.check !== scanner.skeleton2 || (way.group.into !== undefined && !this.#follow(way)))
      way = this.#newSkeleton()
    else if (way.full !== scanner.full) this.#fitRuns(way)
    const group = way.group
    group.count++
    group.used = true
    return { templateId: group.id, template: group.text, parameters: this.#parameters(way), changes: this.#changes }
  }

  templates(): readonly Template[] {
    const all = [...this.#live.values()]
    if (this.#rest.count > 0) all.push(this.#rest)
    return all.map(({ id, text, count }) => ({ id, text, count }))
  }

  #report(change: TemplateChange): void {
    this.#changes = [...this.#changes, change]
  }

  /** A skeleton whose group was merged: point it to where the group went. False when it has to be looked up anew. */
  #follow(way: Skeleton): boolean {
    let group = way.group
    while (group.into !== undefined) {
      if (group.lost) {
        if (group.cut === undefined || way.from >= 0) return false
        way.from = group.cut[0]
        way.to = group.cut[1]
      }
      group = group.into
    }
    way.group = group
    return true
  }

  #parameters({ group, from, to }: Skeleton): Parameter[] {
    const { kind, start, end, begins, atoms, text } = this.#scanner
    const parameters: Parameter[] = []
    let element = -1
    let raw = -1
    for (let k = 0; k < atoms; k++) {
      if (begins[k] === 1 && !(++raw > from && raw < to)) element++
      const shape = group.shapes[element]
      if (shape === FIXED) continue
      const c = kind[k] as number
      if (shape === VALUES) {
        if (c >= FIRST_VALUE)
          parameters.push({ kind: parameterKinds[c - FIRST_VALUE] as ParameterKind, text: text.slice(start[k], end[k]) })
        continue
      }
      const first = k
      while (k + 1 < atoms && (begins[k + 1] === 0 || (raw + 1 > from && raw + 1 < to))) if (begins[++k] === 1) raw++
      const known = c >= FIRST_VALUE && first === k
      parameters.push({
        kind: known ? (parameterKinds[c - FIRST_VALUE] as ParameterKind) : 'text',
        text: text.slice(start[first], end[k]),
      })
    }
    return parameters
  }

  /** The skeleton is known, but runs of values in the line may differ from the group's: what differs becomes one value. */
  #fitRuns(way: Skeleton): void {
    const { kind, begins, atoms, full } = this.#scanner
    const { group, from, to } = way
    let differs: number[] | undefined
    let element = -1
    let raw = -1
    for (let k = 0; k < atoms; k++) {
      if (begins[k] !== 1 || (++raw > from && raw < to)) continue
      element++
      if (group.shapes[element] !== VALUES || (kind[k] as number) < FIRST_VALUE) continue
      const single = k + 1 >= atoms || begins[k + 1] === 1
      if ((single ? '<*>' : runText(this.#scanner, k)) !== group.words[element]) {
        differs ??= []
        differs.push(element)
      }
    }
    way.full = full
    if (differs === undefined) return
    const wider = cover([group])
    for (const e of differs) free(wider, e)
    way.group = this.#replace([group], wider)
  }

  #newSkeleton(): Skeleton {
    const scanner = this.#scanner
    const fresh = groupOf(scanner)
    const found = this.#find(fresh)
    if (found !== undefined) {
      const way = this.#remember(scanner.skeleton1, scanner.skeleton2, found)
      this.#fitRuns(way)
      return way
    }
    const reduced = this.#findReduced(fresh) ?? this.#findSpan(fresh)
    if (reduced !== undefined) {
      this.#fitRuns(reduced)
      return reduced
    }
    this.#report({ kind: 'created', id: fresh.id, text: fresh.text })
    this.#add(fresh)
    const way = this.#remember(scanner.skeleton1, scanner.skeleton2, fresh)
    way.full = scanner.full
    this.#gather(fresh)
    if (way.group.into !== undefined && !this.#follow(way)) return this.#again()
    if (this.#live.size > this.#maxTemplates) this.#evict(way.group)
    return way
  }

  /** The line's own group was merged away with other elements: look the line up in what it became. */
  #again(): Skeleton {
    const { skeleton1, skeleton2 } = this.#scanner
    const fresh = groupOf(this.#scanner)
    const found = this.#find(fresh)
    if (found !== undefined) return this.#remember(skeleton1, skeleton2, found)
    const reduced = this.#findReduced(fresh) ?? this.#findSpan(fresh)
    if (reduced !== undefined) return reduced
    this.#report({ kind: 'created', id: fresh.id, text: fresh.text })
    this.#add(fresh)
    return this.#remember(skeleton1, skeleton2, fresh)
  }

  /** A group that the line is an instance of. */
  #find(fresh: Group): Group | undefined {
    const same = this.#live.get(fresh.text)
    if (same !== undefined) return same
    const s1 = this.#scanner.skeleton1
    for (let i = 0; i < fresh.hashes.length && i < MAX_PLACES; i++) {
      if (fresh.shapes[i] !== FIXED) continue
      const open = this.#open.get(placeKey(s1, fresh, i))
      if (open !== undefined && fits(open, fresh)) return open
    }
    const loose = looseKey(fresh)
    if (loose !== undefined) {
      const group = this.#loose.get(loose)
      if (group !== undefined && fits(group, fresh)) return group
    }
    for (const wide of this.#wide.get(wideKey(fresh)) ?? []) if (fits(wide, fresh)) return wide
    return undefined
  }

  /** A group that has a whole value where the line has a token with a value in it. */
  #findReduced(fresh: Group): Skeleton | undefined {
    for (const [from, to] of compounds(fresh)) {
      const [r1, r2] = reducedSkeleton(fresh, from, to)
      const way = this.#skeletons.get(r1)
      if (way === undefined || way.check !== r2 || way.from >= 0 || way.group.into !== undefined) continue
      if (way.group.shapes[from] === FIXED || way.group.words[from] !== '<*>') continue
      free(way.group, from)
      return this.#remember(this.#scanner.skeleton1, this.#scanner.skeleton2, way.group, from, to)
    }
    return undefined
  }

  /** A group that has one value where the line has any number of words. */
  #findSpan(fresh: Group): Skeleton | undefined {
    if (this.#spans.size === 0) return undefined
    for (const key of [headKey(fresh), tailKey(fresh)]) {
      for (const span of (key === undefined ? undefined : this.#spans.get(key)) ?? []) {
        if (span.group.into !== undefined || !fitsSpan(span, fresh)) continue
        const to = fresh.hashes.length - span.after
        return this.#remember(this.#scanner.skeleton1, this.#scanner.skeleton2, span.group, span.before, to)
      }
    }
    return undefined
  }

  #remember(skeleton1: number, check: number, group: Group, from = -1, to = -1): Skeleton {
    if (this.#skeletons.size >= this.#maxSkeletons) {
      this.#skeletons.clear()
      for (const live of this.#live.values()) {
        const [s1, s2] = skeletonOf(live)
        this.#skeletons.set(s1, { check: s2, group: live, from: -1, to: -1, full: 0 })
      }
    }
    const way = { check, group, from, to, full: 0 }
    this.#skeletons.set(skeleton1, way)
    return way
  }

  #add(group: Group): void {
    this.#live.set(group.text, group)
    const [s1] = skeletonOf(group)
    for (let i = 0; i < group.hashes.length && i < MAX_PLACES; i++) {
      if (!mayVary(group, i)) continue
      const key = placeKey(s1, group, i)
      const there = this.#places.get(key)
      if (there === undefined) this.#places.set(key, group)
      else if (!Array.isArray(there)) this.#places.set(key, [there, group])
      else if (there.length < MAX_VARIANTS) there.push(group)
    }
    for (const [from, to] of compounds(group)) {
      const [r1] = reducedSkeleton(group, from, to)
      if (!this.#reduced.has(r1)) this.#reduced.set(r1, group)
    }
    const identifier = identifierKey(group)
    if (identifier !== undefined) listIn(this.#identifiers, identifier, group, MAX_VARIANTS)
    for (const key of [headKey(group), tailKey(group)]) {
      if (key === undefined) continue
      if ((this.#ends.get(key)?.length ?? 0) >= MAX_VARIANTS) this.#ends.get(key)?.shift()
      listIn(this.#ends, key, group, MAX_VARIANTS)
    }
  }

  #drop(group: Group): void {
    this.#live.delete(group.text)
    const [s1, s2] = skeletonOf(group)
    const way = this.#skeletons.get(s1)
    if (way?.check === s2 && way.group === group) this.#skeletons.delete(s1)
    for (let i = 0; i < group.hashes.length && i < MAX_PLACES; i++) {
      const key = placeKey(s1, group, i)
      if (this.#open.get(key) === group) this.#open.delete(key)
      const there = this.#places.get(key)
      if (there === group) this.#places.delete(key)
      else if (Array.isArray(there)) unlist(this.#places as Map<number, Group[]>, key, group)
    }
    for (const [from, to] of compounds(group)) {
      const [r1] = reducedSkeleton(group, from, to)
      if (this.#reduced.get(r1) === group) this.#reduced.delete(r1)
    }
    unlist(this.#wide, wideKey(group), group)
    const identifier = identifierKey(group)
    if (identifier !== undefined) unlist(this.#identifiers, identifier, group)
    const loose = looseKey(group)
    if (loose !== undefined && this.#loose.get(loose) === group) this.#loose.delete(loose)
    for (const key of [headKey(group), tailKey(group)]) {
      if (key === undefined) continue
      unlist(this.#ends, key, group)
      const spans = this.#spans.get(key)?.filter(span => span.group !== group)
      if (spans === undefined) continue
      if (spans.length === 0) this.#spans.delete(key)
      else this.#spans.set(key, spans)
    }
  }

  /** Looks whether the new group completes the evidence that some of its words are values, and merges while it does. */
  #gather(group: Group): void {
    const wider =
      this.#gatherReduced(group) ??
      this.#gatherLoose(group) ??
      this.#gatherPlaces(group) ??
      this.#gatherIdentifiers(group) ??
      this.#gatherSpan(group)
    if (wider !== undefined && wider !== group) this.#gather(wider)
  }

  /** Groups that had a compound token where this one has a whole value. */
  #gatherReduced(group: Group): Group | undefined {
    const [s1, s2] = skeletonOf(group)
    for (const [from, to] of compounds(group)) {
      const [r1, r2] = reducedSkeleton(group, from, to)
      const way = this.#skeletons.get(r1)
      if (way === undefined || way.check !== r2 || way.from >= 0 || way.group.into !== undefined || way.group === group) continue
      if (way.group.words[from] === '<*>') return this.#reduceInto(group, way.group, from, to)
    }
    const other = this.#reduced.get(s1)
    if (other === undefined || other === group) return undefined
    for (const [from, to] of compounds(other)) {
      const [r1, r2] = reducedSkeleton(other, from, to)
      if (r1 !== s1 || r2 !== s2 || group.words[from] !== '<*>') continue
      this.#reduceInto(other, group, from, to)
      return this.#gatherReduced(group)
    }
    return undefined
  }

  /** Merges a group into one that has a whole value in the place of its elements [from, to). */
  #reduceInto(group: Group, target: Group, from: number, to: number): Group {
    const [s1, s2] = skeletonOf(group)
    this.#drop(group)
    group.into = target
    group.lost = true
    group.cut = [from, to]
    target.count += group.count
    free(target, from)
    this.#remember(s1, s2, target, from, to)
    this.#report({ kind: 'merged', from: group.id, into: target.id, text: target.text })
    return target
  }

  /** Another value for a key, another number of a name: two are enough. */
  #gatherLoose(group: Group): Group | undefined {
    const key = looseKey(group)
    if (key === undefined) return undefined
    const other = this.#loose.get(key)
    if (other === undefined) this.#loose.set(key, group)
    if (other === undefined || other === group || other.hashes.length !== group.hashes.length) return undefined
    return this.#replace([other, group], cover([other, group]))
  }

  /** Lines equal but for one word. */
  #gatherPlaces(group: Group): Group | undefined {
    const [s1] = skeletonOf(group)
    for (let i = 0; i < group.hashes.length && i < MAX_PLACES; i++) {
      if (!mayVary(group, i)) continue
      const there = this.#places.get(placeKey(s1, group, i))
      if (!Array.isArray(there) || there.length < 2) continue
      const members = there.filter(other => agree(other, group, i))
      if (members.length < 2 || members.length < neededVariants(members, i)) continue
      const wider = cover(members)
      free(wider, i)
      return this.#replace(members, wider)
    }
    return undefined
  }

  /** Lines equal but for several identifiers that vary together. */
  #gatherIdentifiers(group: Group): Group | undefined {
    const key = identifierKey(group)
    const members =
      key === undefined ? undefined : this.#identifiers.get(key)?.filter(other => other.hashes.length === group.hashes.length)
    if (members === undefined || members.length < evidence.identifiers) return undefined
    return this.#replace(members, cover(members))
  }

  /** Lines equal at both ends, with words in varying number between them. */
  #gatherSpan(group: Group): Group | undefined {
    for (const key of [headKey(group), tailKey(group)]) {
      const members = key === undefined ? undefined : this.#ends.get(key)
      const span = members === undefined ? undefined : spanOf(members)
      if (members === undefined || span === undefined) continue
      const { before, after } = span
      const target = this.#replace([...members], spanned(group, before, after), span)
      for (const end of [before >= 3 ? headKey(target) : undefined, after >= 3 ? tailKey(target) : undefined]) {
        const there = end === undefined ? undefined : (this.#spans.get(end) ?? [])
        if (end !== undefined && there !== undefined && there.length < MAX_VARIANTS && !there.some(one => one.group === target))
          this.#spans.set(end, [...there, { group: target, before, after }])
      }
      return target
    }
    return undefined
  }

  /** Puts one wider group in the place of the given ones; with a span, of ones of other lengths. */
  #replace(members: readonly Group[], wider: Group, span?: { readonly before: number; readonly after: number }): Group {
    name(wider)
    const known = this.#live.get(wider.text)
    const target = known ?? wider
    const gone = members.filter(member => member !== target)
    for (const member of gone) this.#drop(member)
    gone.forEach((member, at) => {
      member.into = target
      if (span !== undefined) {
        member.lost = true
        member.cut = [span.before, member.hashes.length - span.after]
      }
      target.count += member.count
      const { id, text } = target
      this.#report(
        at === 0 && known === undefined
          ? { kind: 'widened', from: member.id, to: id, text }
          : { kind: 'merged', from: member.id, into: id, text },
      )
    })
    if (known === undefined) {
      this.#add(target)
      const [s1, s2] = skeletonOf(target)
      this.#remember(s1, s2, target)
      for (let i = 0; i < target.hashes.length && i < MAX_PLACES; i++)
        if (target.shapes[i] === WILD) this.#open.set(placeKey(s1, target, i), target)
      listIn(this.#wide, wideKey(target), target, MAX_WIDE)
      const loose = looseKey(target)
      if (loose !== undefined && !this.#loose.has(loose)) this.#loose.set(loose, target)
    }
    return target
  }

  /** Second chance: the first group that was not used since the hand last passed goes. */
  #evict(spare: Group): void {
    for (let turns = 0; turns <= 2 * this.#live.size + 2; turns++) {
      this.#hand ??= this.#live.values()
      const next = this.#hand.next()
      if (next.done) this.#hand = undefined
      else if (next.value !== spare && next.value.used) next.value.used = false
      else if (next.value !== spare) {
        const group = next.value
        this.#drop(group)
        group.into = this.#rest
        group.lost = true
        this.#rest.count += group.count
        this.#report({ kind: 'merged', from: group.id, into: this.#rest.id, text: this.#rest.text })
        return
      }
    }
  }

  snapshot(): Uint8Array {
    const live = [...this.#live.values()]
    const at = new Map(live.map((group, i) => [group, i]))
    const index = (group: Group) => at.get(group) ?? -1
    const ways = [...this.#skeletons].filter(([, way]) => way.group.into === undefined || this.#follow(way))
    // the clock's hand starts over, here as after a restore, so that both go on alike
    this.#hand = undefined
    const state = {
      version: 1,
      rest: this.#rest.count,
      groups: live.map(packGroup),
      skeletons: ways.map(([key, { check, group, from, to, full }]) => [key, check, index(group), from, to, full]),
      places: [...this.#places].map(([key, there]) => [key, ...(Array.isArray(there) ? there : [there]).map(index)]),
      open: [...this.#open].map(([key, group]) => [key, index(group)]),
      loose: [...this.#loose].map(([key, group]) => [key, index(group)]),
      reduced: [...this.#reduced].map(([key, group]) => [key, index(group)]),
      wide: [...this.#wide].map(([key, groups]) => [key, ...groups.map(index)]),
      identifiers: [...this.#identifiers].map(([key, groups]) => [key, ...groups.map(index)]),
      ends: [...this.#ends].map(([key, groups]) => [key, ...groups.map(index)]),
      spans: [...this.#spans].map(([key, spans]) => [
        key,
        ...spans.flatMap(({ group, before, after }) => [index(group), before, after]),
      ]),
    }
    return new TextEncoder().encode(JSON.stringify(state))
  }

  restore(bytes: Uint8Array): void {
    const state = JSON.parse(new TextDecoder().decode(bytes))
    if (state.version !== 1) throw new Error(`template miner: snapshot of version ${state.version}, expected 1`)
    const groups: Group[] = state.groups.map(unpackGroup)
    const at = (i: number) => groups[i] ?? this.#rest
    const single = (entries: number[][]) => new Map(entries.map(([key, i]) => [key as number, at(i as number)]))
    const many = (entries: number[][]) => new Map(entries.map(([key, ...all]) => [key as number, all.map(at)]))
    this.#hand = undefined
    this.#rest = restGroup()
    this.#rest.count = state.rest
    this.#live = new Map(groups.map(group => [group.text, group]))
    this.#skeletons = new Map(
      state.skeletons.map(([key, check, group, from, to, full]: number[]) => [
        key,
        { check, group: at(group as number), from, to, full },
      ]),
    )
    this.#places = new Map(
      (state.places as number[][]).map(([key, ...all]) => [key as number, all.length === 1 ? at(all[0] as number) : all.map(at)]),
    )
    this.#open = single(state.open)
    this.#loose = single(state.loose)
    this.#reduced = single(state.reduced)
    this.#wide = many(state.wide)
    this.#identifiers = many(state.identifiers)
    // Snapshots of before there were any have none.
    this.#ends = many(state.ends ?? [])
    this.#spans = new Map(
      ((state.spans ?? []) as number[][]).map(([key, ...all]) => [
        key as number,
        Array.from({ length: all.length / 3 }, (_, i) => ({
          group: at(all[3 * i]),
          before: all[3 * i + 1],
          after: all[3 * i + 2],
        })),
      ]),
    )
  }
}

function listIn(map: Map<number, Group[]>, key: number, group: Group, most: number): void {
  const there = map.get(key)
  if (there === undefined) map.set(key, [group])
  else if (there.length < most) there.push(group)
}

function unlist(map: Map<number, Group[]>, key: number, group: Group): void {
  const there = map.get(key)
  const at = there === undefined ? -1 : there.indexOf(group)
  if (at >= 0) there?.splice(at, 1)
  if (there?.length === 0) map.delete(key)
}
