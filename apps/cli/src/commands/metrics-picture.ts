/** Series with their expected bands, the score with its threshold, and the anomalies, as SVG and for a terminal. */
export interface Picture {
  readonly title: string
  readonly stamps: readonly string[]
  readonly score: Float64Array
  readonly threshold: Float64Array
  readonly anomalies: readonly { start: number; end: number; score: number; guilty: readonly string[] }[]
  readonly lines: readonly { name: string; values: Float64Array; low: Float64Array; high: Float64Array }[]
}
const WIDTH = 1200
const LEFT = 90
const PANEL = 92
const GAP = 16
const TOP = 44

const escaped = (text: string) => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`)

export function pictureSvg(p: Picture): string {
  const n = p.score.length
  const x = (i: number) => LEFT + ((WIDTH - LEFT - 12) * i) / Math.max(1, n - 1)
  const height = TOP + (p.lines.length + 1) * (PANEL + GAP) + 24
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" font-size="14" font-weight="bold" fill="#222">${escaped(p.title)}</text>`,
  ]
  out.push(
    `<g font-size="10" fill="#666" text-anchor="end"><text x="${WIDTH - 12}" y="20">red: anomaly · blue band: expected when nothing is strange · dashed: threshold</text></g>`,
  )
  const bottom = height - 24
  for (const a of p.anomalies) {
    const width = Math.max(2, x(a.end + 1) - x(a.start))
    out.push(
      `<rect x="${x(a.start).toFixed(1)}" y="${TOP - 6}" width="${width.toFixed(1)}" height="${bottom - TOP}" fill="#d33" opacity="0.13"><title>${escaped(`${p.stamps[a.start]} to ${p.stamps[a.end]}: ${a.guilty.slice(0, 5).join(', ')}`)}</title></rect>`,
    )
  }
  const panels = [
    { name: 'score', values: p.score, low: undefined, high: p.threshold, colour: '#b03060' },
    ...p.lines.map(l => ({ ...l, colour: '#1f5f99' })),
  ]
  panels.forEach((panel, k) => {
    const top = TOP + k * (PANEL + GAP)
    const [least, most] = range(panel.values, ...(panel.low ? [] : [p.threshold]))
    const y = (v: number) => top + PANEL - (PANEL * (Math.max(least, Math.min(most, v)) - least)) / (most - least || 1)
    const bands = thin(panel.values, panel.low, panel.high, 1000)
    if (panel.low && panel.high) {
      const known = bands.filter(b => Number.isFinite(b.low) && Number.isFinite(b.high))
      const upper = known.map(b => `${x(b.at).toFixed(1)},${y(b.high).toFixed(1)}`)
      const lower = known.map(b => `${x(b.at).toFixed(1)},${y(b.low).toFixed(1)}`).reverse()
      out.push(`<polygon points="${[...upper, ...lower].join(' ')}" fill="#7fb0dd" opacity="0.35"/>`)
    } else {
      const line = bands.filter(b => Number.isFinite(b.high)).map(b => `${x(b.at).toFixed(1)},${y(b.high).toFixed(1)}`)
      out.push(`<polyline points="${line.join(' ')}" fill="none" stroke="#888" stroke-dasharray="4 3"/>`)
    }
    const path = bands.map(b => `${x(b.at).toFixed(1)},${y(b.least).toFixed(1)} ${x(b.at).toFixed(1)},${y(b.most).toFixed(1)}`)
    out.push(
      `<polyline points="${path.join(' ')}" fill="none" stroke="${panel.colour}" stroke-width="1"/>`,
      `<line x1="${LEFT}" x2="${WIDTH - 12}" y1="${top + PANEL}" y2="${top + PANEL}" stroke="#ccc"/>`,
      `<text x="${LEFT - 8}" y="${top + PANEL / 2}" text-anchor="end" font-weight="bold" fill="#333">${escaped(panel.name)}</text>`,
      `<text x="${LEFT - 8}" y="${top + 9}" text-anchor="end" fill="#999">${short(most)}</text>`,
      `<text x="${LEFT - 8}" y="${top + PANEL}" text-anchor="end" fill="#999">${short(least)}</text>`,
    )
  })
  for (let k = 0; k <= 4; k++) {
    const i = Math.round((k * (n - 1)) / 4)
    out.push(
      `<text x="${x(i).toFixed(1)}" y="${height - 8}" text-anchor="${k === 0 ? 'start' : k === 4 ? 'end' : 'middle'}" fill="#666">${escaped(p.stamps[i] ?? '')}</text>`,
    )
  }
  return `${[...out, '</svg>'].join('\n')}\n`
}

/** No more columns than can be seen: each keeps its least and its most, so that no spike is lost. */
function thin(values: Float64Array, low: Float64Array | undefined, high: Float64Array | undefined, columns: number) {
  const n = values.length
  const size = Math.max(1, Math.ceil(n / columns))
  const out = []
  for (let from = 0; from < n; from += size) {
    const part = values.subarray(from, from + size).filter(Number.isFinite)
    if (part.length === 0) continue
    const middle = Math.min(n - 1, from + (size >> 1))
    out.push({
      at: middle,
      least: Math.min(...part),
      most: Math.max(...part),
      low: low?.[middle] ?? Number.NaN,
      high: high?.[middle] ?? Number.NaN,
    })
  }
  return out
}

function range(...lists: Float64Array[]): [number, number] {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const list of lists)
    for (const v of list) {
      if (!Number.isFinite(v)) continue
      least = Math.min(least, v)
      most = Math.max(most, v)
    }
  if (!Number.isFinite(least)) return [0, 1]
  const margin = 0.04 * (most - least || Math.abs(most) || 1)
  return [least - margin, most + margin]
}

const short = (v: number): string =>
  Math.abs(v) >= 1e5 || (v !== 0 && Math.abs(v) < 1e-3) ? v.toExponential(1) : String(Number(v.toPrecision(3)))

const BARS = '▁▂▃▄▅▆▇█'

export function pictureText(p: Picture, width: number): string {
  const room = Math.min(32, Math.max(12, ...p.lines.map(l => l.name.length)))
  const columns = Math.max(20, width - room - 2)
  const n = p.score.length
  const size = Math.max(1, Math.ceil(n / columns))
  const spark = (values: Float64Array) => {
    const [least, most] = range(values)
    let line = ''
    for (let from = 0; from < n; from += size) {
      const part = values.subarray(from, from + size).filter(Number.isFinite)
      if (part.length === 0) line += ' '
      else line += BARS[Math.min(7, Math.floor((8 * (Math.max(...part) - least)) / (most - least || 1)))]
    }
    return line
  }
  let marks = ''
  for (let from = 0; from < n; from += size) marks += p.anomalies.some(a => a.start < from + size && a.end >= from) ? '▲' : ' '
  const name = (text: string) => text.slice(0, room).padEnd(room + 1)
  const lines = [
    p.title,
    ...p.lines.map(l => name(l.name) + spark(l.values)),
    name('score') + spark(p.score),
    name('anomalies') + marks,
  ]
  for (const a of [...p.anomalies].sort((x, y) => y.score - x.score).slice(0, 10))
    lines.push(`  ${p.stamps[a.start]} to ${p.stamps[a.end]}  score ${a.score.toFixed(1)}  ${a.guilty.slice(0, 5).join(', ')}`)
  return lines.join('\n')
}
