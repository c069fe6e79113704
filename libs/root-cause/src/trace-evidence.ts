/**
 * What spans say beside those of a quiet time: which entity spends more time itself (its own time without what it waits for), between which
 * two the time is lost on the wire (caller's span longer than the callee's), which calls no longer happen or fail. In the line of TraceRCA
 * (Li et al., IWQoS 2021) and MicroRank (Yu et al., WWW 2021); ours counts excess time, which adds up over the graph, so that each entity
 * gets its share of all time lost.
 */
import { keyOf, partsOf } from '@aegis/domain'
import type { CaseSpan, Finding } from './case-evidence.ts'
import { rootLlr } from './log-evidence.ts'

interface Group {
  entity: string
  operation: string
  values: number[]
}
interface Shape {
  self: Map<string, Group>
  gap: Map<string, { caller: string; callee: string; values: number[] }>
  calls: Map<string, { entity: string; count: number }>
  children: Map<string, Map<string, number>>
  failed: Map<string, { failed: number; count: number }>
}

const shapeOf = (spans: readonly CaseSpan[]): Shape => {
  const shape: Shape = { self: new Map(), gap: new Map(), calls: new Map(), children: new Map(), failed: new Map() }
  const byId = new Map<string, CaseSpan>()
  for (const s of spans) byId.set(keyOf(s.trace, s.id), s)
  const children = new Map<string, CaseSpan[]>()
  for (const s of spans) {
    const key = keyOf(s.trace, s.parent)
    if (s.parent === '' || s.parent === s.id || !byId.has(key)) continue
    const list = children.get(key)
    if (list) list.push(s)
    else children.set(key, [s])
  }
  for (const s of spans) {
    const below = children.get(keyOf(s.trace, s.id))
    // Frameworks that hand work over note it beside the span that waits for it, not below.
    const mine =
      below ??
      (children.get(keyOf(s.trace, s.parent)) ?? []).filter(
        o => o !== s && o.start >= s.start && o.start < s.start + s.duration && children.has(keyOf(o.trace, o.id)),
      )
    let covered = 0
    let until = s.start
    if (mine.length > 1) mine.sort((x, y) => x.start - y.start)
    for (const c of mine) {
      const from = Math.max(until, c.start)
      const to = Math.min(s.start + s.duration, c.start + c.duration)
      if (to > from) {
        covered += to - from
        until = to
      }
    }
    const key = keyOf(s.entity, s.operation)
    const abroad = mine.filter(c => c.entity !== s.entity)
    // A span that only waits for one call elsewhere is the client's side of that call: what it adds is the way there and back.
    if (abroad.length === 1 && mine.length === 1) {
      const edge = keyOf(key, abroad[0].entity)
      const g = shape.gap.get(edge)
      const value = Math.max(0, s.duration - abroad[0].duration)
      if (g) g.values.push(value)
      else shape.gap.set(edge, { caller: s.entity, callee: abroad[0].entity, values: [value] })
    } else {
      const g = shape.self.get(key)
      const value = Math.max(0, s.duration - covered)
      if (g) g.values.push(value)
      else shape.self.set(key, { entity: s.entity, operation: s.operation, values: [value] })
    }
    const f = shape.failed.get(s.entity) ?? { failed: 0, count: 0 }
    f.count++
    // The origin of an error is where no child failed.
    if (hasFailed(s) && !mine.some(hasFailed)) f.failed++
    shape.failed.set(s.entity, f)
  }
  // What happened within one visit to an entity, whatever spans it is split in and however often a loop went round: which of its own
  // operations and which calls abroad took place at all.
  const entryOf = new Map<string, CaseSpan>()
  const entry = (s: CaseSpan): CaseSpan => {
    const id = keyOf(s.trace, s.id)
    const known = entryOf.get(id)
    if (known) return known
    entryOf.set(id, s)
    const parent = s.parent === s.id ? undefined : byId.get(keyOf(s.trace, s.parent))
    const found = parent && parent.entity === s.entity ? entry(parent) : s
    entryOf.set(id, found)
    return found
  }
  const visits = new Map<CaseSpan, Set<string>>()
  const visit = (at: CaseSpan): Set<string> => {
    let v = visits.get(at)
    if (!v) visits.set(at, (v = new Set()))
    return v
  }
  for (const s of spans) {
    const mine = entry(s)
    if (mine !== s) visit(mine).add(keyOf(s.entity, s.operation))
    else {
      visit(s)
      const parent = byId.get(keyOf(s.trace, s.parent))
      if (parent && parent !== s) visit(entry(parent)).add(keyOf(s.entity, s.operation))
    }
  }
  for (const [at, seen] of visits) {
    const key = keyOf(at.entity, at.operation)
    const call = shape.calls.get(key)
    if (call) call.count++
    else shape.calls.set(key, { entity: at.entity, count: 1 })
    let kinds = shape.children.get(key)
    if (!kinds) shape.children.set(key, (kinds = new Map()))
    for (const c of seen) kinds.set(c, (kinds.get(c) ?? 0) + 1)
  }
  return shape
}

const hasFailed = (s: CaseSpan): boolean => s.failed === true || /error|exception/i.test(s.operation)

const sortedCopy = (values: readonly number[]) => [...values].sort((a, b) => a - b)
const at = (s: readonly number[], q: number) => s[Math.min(s.length - 1, Math.floor(s.length * q))] ?? 0
const excessOf = (
  now: readonly number[],
  was: readonly number[],
): { total: number; strength: number; before: number; after: number } => {
  const a = sortedCopy(now)
  const b = sortedCopy(was)
  const mid = at(b, 0.5)
  // Time lost is counted above what was usual, so that a few slow ones in a quiet time are no news.
  const usual = at(b, 0.9)
  const cut = at(a, 0.98)
  let total = 0
  for (const v of a) total += Math.max(0, Math.min(v, cut) - usual)
  const logs = b.map(v => Math.log(v + 100))
  const scale = Math.max(0.1, (Math.log(at(b, 0.9) + 100) - Math.log(at(b, 0.1) + 100)) / 2.56) + 0.5 / Math.sqrt(logs.length)
  const up = Math.log(at(a, 0.5) + 100) - Math.log(mid + 100)
  return { total, strength: (up / scale) * Math.min(1, a.length / 5), before: mid, after: at(a, 0.5) }
}

export const traceEvidence = (now: readonly CaseSpan[], before: readonly CaseSpan[]): Finding[] => {
  if (now.length === 0 || before.length === 0) return []
  const findings: Finding[] = []
  const is = shapeOf(now)
  const was = shapeOf(before)
  const excess = new Map<string, { self: number; gap: number }>()
  const lost = (entity: string, part: 'self' | 'gap', total: number) => {
    const e = excess.get(entity) ?? { self: 0, gap: 0 }
    e[part] += total
    excess.set(entity, e)
  }
  const [slower, farther] = (['self', 'gap'] as const).map(part => {
    const found = new Map<string, ReturnType<typeof excessOf>>()
    for (const [key, g] of is[part]) {
      const old = was[part].get(key)
      if (old && old.values.length >= 3) found.set(key, excessOf(g.values, old.values))
    }
    return found
  })
  const worst = [...slower.values(), ...farther.values()].reduce((most, e) => Math.max(most, e.total), 0)
  const felt = (total: number) => (worst > 0 ? Math.sqrt(total / worst) : 0)
  for (const [key, g] of is.self) {
    const e = slower.get(key)
    if (!e) continue
    lost(g.entity, 'self', e.total)
    if (e.strength > 1)
      findings.push({
        entity: g.entity,
        kind: 'trace_self',
        strength: Math.min(50, e.strength) * felt(e.total),
        name: g.operation,
        before: e.before,
        after: e.after,
      })
  }
  // Wires of each entity, and those that got slower: who sits at the end of many slow ones is more likely at fault than who calls it.
  const wires = new Map<string, { all: Set<string>; slow: Set<string> }>()
  for (const [key, g] of is.gap) {
    const e = farther.get(key)
    if (!e) continue
    for (const [end, other] of [
      [g.caller, g.callee],
      [g.callee, g.caller],
    ]) {
      const w = wires.get(end) ?? { all: new Set(), slow: new Set() }
      w.all.add(other)
      if (e.strength > 1 || e.after > 1.5 * e.before) w.slow.add(other)
      wires.set(end, w)
    }
    for (const end of [g.caller, g.callee]) {
      lost(end, 'gap', e.total / 2)
      if (e.strength > 1)
        findings.push({
          entity: end,
          kind: 'trace_gap',
          strength: Math.min(50, e.strength) * felt(e.total),
          name: `${g.caller} → ${g.callee}`,
          before: e.before,
          after: e.after,
        })
    }
  }
  const all = [...excess.values()].reduce((sum, e) => sum + e.self + e.gap, 0)
  if (all > 0)
    for (const [entity, e] of excess) {
      findings.push({
        entity,
        kind: 'trace_self_share',
        strength: e.self / all,
        name: 'share of all time lost',
        before: 0,
        after: e.self,
      })
      const w = wires.get(entity)
      const even = w ? (w.slow.size + 0.5) / (w.all.size + 1) : 0.5
      findings.push({
        entity,
        kind: 'trace_gap_share',
        strength: (e.gap / all) * even,
        name: 'share of all time lost on its wires',
        before: 0,
        after: e.gap,
      })
    }
  for (const [key, kinds] of was.children) {
    const [entity, operation] = partsOf(key)
    const n = is.calls.get(key)?.count ?? 0
    const m = was.calls.get(key)?.count ?? 0
    for (const [child, y] of kinds) {
      const s = rootLlr(is.children.get(key)?.get(child) ?? 0, n, y, m)
      if (s < -1 && n > 0)
        findings.push({
          entity,
          // What always happened before and does not now is broken; what happened at times may be asked for less.
          kind: y >= 0.95 * m && m >= 4 ? 'trace_broken' : 'trace_missing',
          strength: Math.min(50, -s),
          name: `${operation} → ${partsOf(child)[1]}`,
          before: y / m,
          after: (is.children.get(key)?.get(child) ?? 0) / n,
        })
    }
  }
  for (const [key, kinds] of is.children) {
    const [entity, operation] = partsOf(key)
    const m = was.calls.get(key)?.count ?? 0
    if (m < 5) continue
    for (const [child, x] of kinds) {
      const y = was.children.get(key)?.get(child) ?? 0
      const s = rootLlr(x, is.calls.get(key)!.count, y, m)
      if (s > 1.5)
        findings.push({
          entity,
          kind: 'trace_extra',
          strength: Math.min(50, s),
          name: `${operation} → ${partsOf(child)[1]}`,
          before: y,
          after: x,
        })
    }
  }
  for (const [entity, f] of is.failed) {
    const old = was.failed.get(entity)
    const s = rootLlr(f.failed, f.count, old?.failed ?? 0, old?.count ?? 0)
    if (s > 1 && f.failed > 0)
      findings.push({
        entity,
        kind: 'trace_error',
        strength: Math.min(50, s),
        name: 'failed spans',
        before: old?.failed ?? 0,
        after: f.failed,
      })
  }
  return findings
}
