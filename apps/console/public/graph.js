/** Who depends on whom, drawn in layers: callers above, what they need below. Drag moves it, the wheel and the keys + - 0 zoom. */

import { useMemo, useRef, useState } from 'preact/hooks'
import { goTo } from '/console/router.js'
import { html, number, plainName } from '/console/ui.js'
import dagre from '/console/vendor/dagre.js'

/** @typedef {Record<string, any>} Rec */
const W = 150
const H = 40
/** Beyond so many the fine layout takes longer than a person waits. */
const FINE = 160
const MOST_COLUMNS = 24

/** Plain layers by the longest way from above, wrapped to rows: fast, also for thousands. @param {string[]} nodes @param {Rec[]} edges */
const layers = (nodes, edges) => {
  const level = new Map(nodes.map(n => [n, 0]))
  for (let turn = 0; turn < 12; turn++) {
    let moved = false
    for (const { from, to } of edges) {
      const next = (level.get(from) ?? 0) + 1
      if (next > (level.get(to) ?? 0) && next < 12) {
        level.set(to, next)
        moved = true
      }
    }
    if (!moved) break
  }
  const rows = /** @type {string[][]} */ ([])
  for (const n of nodes) (rows[level.get(n) ?? 0] ??= []).push(n)
  const at = new Map()
  let y = 30
  for (const row of rows.filter(Boolean)) {
    row.sort()
    for (const [i, n] of row.entries())
      at.set(n, { x: 90 + (i % MOST_COLUMNS) * (W + 24), y: y + Math.floor(i / MOST_COLUMNS) * (H + 18) })
    y += (Math.floor((row.length - 1) / MOST_COLUMNS) + 1) * (H + 18) + 50
  }
  return {
    at,
    width: Math.min(MOST_COLUMNS, Math.max(...rows.filter(Boolean).map(r => r.length), 1)) * (W + 24) + 40,
    height: y,
    ways: new Map(),
  }
}
const place = (/** @type {string[]} */ nodes, /** @type {Rec[]} */ edges) => {
  if (nodes.length > FINE) return layers(nodes, edges)
  const g = new dagre.graphlib.Graph({ multigraph: false })
  g.setGraph({ rankdir: 'TB', nodesep: 24, ranksep: 60, marginx: 16, marginy: 16 })
  g.setDefaultEdgeLabel(() => ({}))
  for (const n of nodes) g.setNode(n, { width: W, height: H })
  for (const { from, to } of edges) if (from !== to) g.setEdge(from, to)
  dagre.layout(g)
  const { width = 400, height = 300 } = g.graph()
  const ways = new Map(edges.flatMap(({ from, to }) => (from === to ? [] : [[`${from}>${to}`, g.edge(from, to).points]])))
  return { at: new Map(nodes.map(n => [n, g.node(n)])), width, height, ways }
}
/** A round line through points, and where its middle is. @param {{ x: number, y: number }[] | undefined} points */
const curve = points => {
  if (!points || points.length < 2) return undefined
  let d = `M${points[0].x} ${points[0].y}`
  for (let i = 1; i < points.length - 1; i++) {
    const [p, q] = [points[i], points[i + 1]]
    const end = i === points.length - 2 ? q : { x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 }
    d += `Q${p.x} ${p.y} ${end.x} ${end.y}`
  }
  if (points.length === 2) d += `L${points[1].x} ${points[1].y}`
  const middle = points[Math.floor(points.length / 2)]
  return { d, middle: [middle.x, middle.y + 4] }
}
/** @param {Rec} props edges: from, to, requests_per_second, error_share; bad: health by entity; focus: entities drawn in the foreground */
export const Graph = ({ edges, bad, focus = [], nodes: alone = [], least = 900 }) => {
  const shape = edges.map((/** @type {Rec} */ e) => `${e.from}>${e.to}`).join() + alone.join()
  const { nodes, pairs, laid } = useMemo(() => {
    const all = [...new Set([...edges.flatMap((/** @type {Rec} */ e) => [e.from, e.to]), ...alone])]
    const one = [...new Map(edges.map((/** @type {Rec} */ e) => [`${e.from}>${e.to}`, e])).values()]
    return { nodes: all, pairs: one, laid: place(all, one) }
  }, [shape])
  const { at, width, height, ways } = laid
  const [view, setView] = useState(/** @type {Rec | null} */ (null))
  const box = view ?? { x: Math.min(0, (width - least) / 2), y: 0, w: Math.max(width, least), h: Math.max(height, 160) }
  const drag = useRef(/** @type {Rec | null} */ (null))
  const zoom = (/** @type {number} */ by) =>
    setView({ x: box.x + (box.w * (1 - by)) / 2, y: box.y + (box.h * (1 - by)) / 2, w: box.w * by, h: box.h * by })
  const newest = new Map(edges.map((/** @type {Rec} */ e) => [`${e.from}>${e.to}`, e]))
  const onPath = new Set(focus)
  return html`<svg viewBox=${`${box.x} ${box.y} ${box.w} ${box.h}`} role="group" aria-label=${`Map of ${nodes.length} entities and ${pairs.length} edges; the table says the same`} tabindex="0"
    onKeyDown=${(/** @type {KeyboardEvent} */ e) => {
      if (e.key === '+') zoom(0.8)
      else if (e.key === '-') zoom(1.25)
      else if (e.key === '0') setView(null)
      else if (e.key.startsWith('Arrow')) {
        e.preventDefault()
        const step = box.w / 12
        setView({
          ...box,
          x: box.x + (e.key === 'ArrowRight' ? step : e.key === 'ArrowLeft' ? -step : 0),
          y: box.y + (e.key === 'ArrowDown' ? step : e.key === 'ArrowUp' ? -step : 0),
        })
      }
    }}
    onWheel=${(/** @type {WheelEvent} */ e) => {
      e.preventDefault()
      zoom(e.deltaY > 0 ? 1.12 : 0.89)
    }}
    onPointerDown=${(/** @type {any} */ e) => (drag.current = { x: e.clientX, y: e.clientY, box, scale: box.w / e.currentTarget.clientWidth, moved: false })}
    onPointerMove=${(/** @type {any} */ e) => {
      const d = drag.current
      if (!d) return
      const [dx, dy] = [e.clientX - d.x, e.clientY - d.y]
      if (Math.abs(dx) + Math.abs(dy) > 4) {
        d.moved = true
        setView({ ...d.box, x: d.box.x - dx * d.scale, y: d.box.y - dy * d.scale })
      }
    }}
    onPointerUp=${() => setTimeout(() => (drag.current = null))} onPointerLeave=${() => (drag.current = null)}>
    <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z" fill="currentColor" /></marker></defs>
    ${pairs.map((/** @type {Rec} */ p) => {
      const [a, b] = [at.get(p.from), at.get(p.to)]
      if (!a || !b || a === b) return null
      const e = newest.get(`${p.from}>${p.to}`) ?? p
      const down = b.y >= a.y
      const [y1, y2] = down ? [a.y + H / 2, b.y - H / 2 - 2] : [a.y - H / 2, b.y + H / 2 + 2]
      const mid = (y1 + y2) / 2
      const failing = (e.error_share ?? 0) >= 0.02
      const way = curve(ways.get(`${p.from}>${p.to}`))
      const [lx, ly] = way?.middle ?? [(a.x + b.x) / 2 + 4, mid]
      return html`<g key=${`${p.from}>${p.to}`} style="color:var(--dim)"><path class=${`edge ${failing ? 'bad' : ''}`} marker-end="url(#tip)" d=${way?.d ?? `M${a.x} ${y1}C${a.x} ${mid} ${b.x} ${mid} ${b.x} ${y2}`} />
        ${e.requests_per_second ? html`<text class="rate" x=${lx} y=${ly} text-anchor="middle">${number(e.requests_per_second)}/s${failing ? `, ${Math.round(e.error_share * 100)} % fail` : ''}</text>` : null}</g>`
    })}
    ${nodes.map(n => {
      const p = at.get(n)
      const score = bad?.get(n)
      const tone = score === undefined ? '' : score < 0.5 ? 'bad' : score < 0.9 ? 'warn' : ''
      const name = plainName(n)
      const word = tone === 'bad' ? 'not well' : tone === 'warn' ? 'suffers' : ''
      return html`<g class=${`node ${tone} ${onPath.has(n) ? 'on' : ''}`} key=${n} transform=${`translate(${p.x - W / 2} ${p.y - H / 2})`} onClick=${() => !drag.current?.moved && goTo(`/map?focus=${encodeURIComponent(n)}`)} style="cursor:pointer"><title>${n}${word ? `: ${word}` : ''}</title><rect width=${W} height=${H} rx="7" /><text x="10" y="17">${name.length > 20 ? `${name.slice(0, 19)}…` : name}</text><text class="kind" x="10" y="32">${n.slice(0, n.indexOf(':'))}${word ? ` · ${word}` : ''}</text></g>`
    })}</svg>`
}
