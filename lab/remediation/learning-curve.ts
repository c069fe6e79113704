/** Learning curves: a block of text for a terminal, and a picture. */
export interface CurvePoint {
  readonly steps: number
  readonly value: number
}
export interface Curve {
  readonly name: string
  readonly points: readonly CurvePoint[]
}
const BLOCKS = ' ▁▂▃▄▅▆▇█'
const bounds = (values: readonly number[]): [number, number] => {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity)
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity)
  return low === high ? [low - 1, high + 1] : [low, high]
}

/** One curve as rows of blocks, best value at the top. */
export function curveText({ name, points }: Curve, width = 72, height = 8): string {
  if (points.length === 0) return `${name}: nothing yet`
  const columns = Array.from({ length: Math.min(width, points.length) }, (_, i, n = Math.min(width, points.length)) => {
    const part = points.slice(Math.floor((i * points.length) / n), Math.max(1, Math.floor(((i + 1) * points.length) / n)))
    return part.reduce((s, p) => s + p.value, 0) / part.length
  })
  const [low, high] = bounds(columns)
  const rows = Array.from({ length: height }, (_, r) => {
    const floor = height - 1 - r
    const label = r === 0 ? high.toFixed(2) : r === height - 1 ? low.toFixed(2) : ''
    const bars = columns.map(v => {
      const filled = ((v - low) / (high - low)) * (height - 0.001) + 0.125 - floor
      return BLOCKS[Math.max(0, Math.min(8, Math.floor(filled * 8)))]
    })
    return `${label.padStart(9)} ┤${bars.join('')}`
  })
  return [
    name,
    ...rows,
    `${' '.repeat(10)}└${'─'.repeat(columns.length)} ${points.at(-1)?.steps.toLocaleString('en')} steps`,
  ].join('\n')
}

const COLOURS = ['#1b6ca8', '#d1495b', '#2e8b57', '#edae49', '#6a4c93', '#555555']
const quoted = (text: string): string => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`)
const tidy = (x: number): string => (Math.abs(x) >= 1000 ? `${x / 1000}k` : String(Number(x.toPrecision(3))))

export function curveSvg(title: string, curves: readonly Curve[], yLabel: string, xLabel = 'steps'): string {
  const [width, height, left, right, top, bottom] = [760, 420, 64, 150, 40, 48]
  const all = curves.flatMap(c => c.points)
  const [x0, x1] = bounds(all.map(p => p.steps))
  const [y0, y1] = bounds(all.map(p => p.value))
  const x = (v: number) => left + ((v - x0) / (x1 - x0)) * (width - left - right)
  const y = (v: number) => height - bottom - ((v - y0) / (y1 - y0)) * (height - top - bottom)
  const ticks = (a: number, b: number) => Array.from({ length: 6 }, (_, i) => a + ((b - a) * i) / 5)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${left}" y="24" font-size="15">${quoted(title)}</text>`,
    ...ticks(y0, y1).map(
      v =>
        `<line x1="${left}" x2="${width - right}" y1="${y(v)}" y2="${y(v)}" stroke="#ddd"/><text x="${left - 6}" y="${y(v) + 4}" text-anchor="end">${tidy(v)}</text>`,
    ),
    ...ticks(x0, x1).map(v => `<text x="${x(v)}" y="${height - bottom + 18}" text-anchor="middle">${tidy(Math.round(v))}</text>`),
    `<text x="${(left + width - right) / 2}" y="${height - 10}" text-anchor="middle">${quoted(xLabel)}</text>`,
    `<text transform="translate(16 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${quoted(yLabel)}</text>`,
    ...curves.flatMap((c, i) => {
      const colour = COLOURS[i % COLOURS.length]
      return [
        `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${c.points.map(p => `${x(p.steps).toFixed(1)},${y(p.value).toFixed(1)}`).join(' ')}"/>`,
        `<text x="${width - right + 12}" y="${top + 14 + i * 18}" fill="${colour}">${quoted(c.name)}</text>`,
      ]
    }),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}
