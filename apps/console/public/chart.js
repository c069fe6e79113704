/** One series over time (uPlot), with the expected band, and marks of what was changed. */
import { useEffect, useRef } from 'preact/hooks'
import { clock, html, number } from '/console/ui.js'
import uPlot from '/console/vendor/uplot.js'

const colour = (/** @type {string} */ name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/**
 * @param {{ title: string, times: number[], values: number[], unit?: string, band?: [number, number], marks?: { time: number, text: string }[], height?: number }} props
 * times: microseconds since 1970
 */
export const Chart = ({ title, times, values, unit, band: given, marks = [], height = 150 }) => {
  // A series that was never below zero is not expected to be.
  const band = given && /** @type {[number, number]} */ ([Math.max(given[0], Math.min(0, ...values)), given[1]])
  const at = useRef(/** @type {any} */ (null))
  const plot = useRef(/** @type {any} */ (null))
  const data = /** @type {import('uplot').AlignedData} */ ([
    times.map(t => t / 1e6),
    values,
    values.map(() => band?.[0] ?? null),
    values.map(() => band?.[1] ?? null),
  ])
  useEffect(() => {
    const axis = () => ({
      stroke: colour('--dim'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1 },
      size: 46,
    })
    plot.current = new uPlot(
      {
        width: at.current.clientWidth,
        height,
        cursor: { points: { size: 5 } },
        legend: { show: false },
        scales: { x: { time: true } },
        axes: [
          {
            ...axis(),
            size: 28,
            space: 58,
            values: (/** @type {any} */ _u, /** @type {number[]} */ list) => list.map(t => clock(t * 1e6)),
          },
          { ...axis(), values: (/** @type {any} */ _u, /** @type {number[]} */ list) => list.map(number) },
        ],
        series: [
          {},
          { label: title, stroke: colour('--accent'), width: 1.6, points: { show: values.length < 3 } },
          { show: Boolean(band), stroke: 'transparent' },
          { show: Boolean(band), stroke: 'transparent' },
        ],
        bands: band ? [{ series: [3, 2], fill: `${colour('--good')}22` }] : [],
        hooks: {
          draw: [
            (/** @type {any} */ u) => {
              for (const mark of marks) {
                const x = u.valToPos(mark.time / 1e6, 'x', true)
                if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue
                u.ctx.save()
                u.ctx.strokeStyle = colour('--medium')
                u.ctx.setLineDash([4, 4])
                u.ctx.beginPath()
                u.ctx.moveTo(x, u.bbox.top)
                u.ctx.lineTo(x, u.bbox.top + u.bbox.height)
                u.ctx.stroke()
                u.ctx.restore()
              }
            },
          ],
        },
      },
      data,
      at.current,
    )
    const watch = new ResizeObserver(() => plot.current?.setSize({ width: at.current.clientWidth, height }))
    watch.observe(at.current)
    return () => {
      watch.disconnect()
      plot.current?.destroy()
    }
  }, [title, band?.join(), marks.length, document.documentElement.dataset.theme])
  useEffect(() => plot.current?.setData(data), [times.at(-1), values.length, values.at(-1)])
  const [low, high] = values.reduce(([l, u], v) => [Math.min(l, v), Math.max(u, v)], [Infinity, -Infinity])
  return html`<figure style="margin:0"><figcaption class="small wrap"><b>${title}</b> <span class="dim">${number(values.at(-1) ?? NaN)}${unit && unit !== '1' ? ` ${unit}` : ''}</span></figcaption>
    <div class="chart" ref=${at} role="img" aria-label=${`${title}: last ${number(values.at(-1) ?? NaN)}, between ${number(low)} and ${number(high)}${band ? `, expected ${number(band[0])} to ${number(band[1])}` : ''}`}></div></figure>`
}
