/** Series with what was expected of those that stood out. */
import { useState } from 'preact/hooks'
import { Chart } from '/console/chart.js'
import { api, environment, list, now } from '/console/store.js'
import { count, Empty, Entity, Failed, html, Loading, number, plainName, Severity, State, Time, useLoad } from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
const SHOWN = 24
export const Metrics = () => {
  const [q, setQ] = useState('')
  const [most, setMost] = useState(SHOWN)
  const { value, error, again } = useLoad(
    async () =>
      (
        await api(
          `/api/v1/series?${new URLSearchParams(Object.entries({ environment: environment.value, q, limit: '400' }).filter(([, v]) => v))}`,
        )
      ).body,
    [environment.value, q, Math.floor(now.value / 5e6)],
  )
  const anomalies = list('anomalies').slice(0, 12)
  const bands = new Map(
    list('anomalies')
      .reverse()
      .flatMap(a => a.series.map((/** @type {Rec} */ s) => [`${a.environment}|${a.entity}|${s.metric}`, s])),
  )
  const all = value
    ? [...value].sort(
        (a, b) =>
          Number(bands.has(`${b.environment}|${b.entity}|${b.metric}`)) -
            Number(bands.has(`${a.environment}|${a.entity}|${a.metric}`)) || a.id.localeCompare(b.id),
      )
    : []
  return html`<div class="row between"><h1>Metrics</h1><label>Find <input type="search" value=${q} placeholder="cart latency" onInput=${(/** @type {any} */ e) => setQ(e.currentTarget.value)} /></label></div>
    ${anomalies.length > 0 && html`<section class="card" aria-labelledby="anomalies"><h2 id="anomalies">Last anomalies</h2><div class="scroll"><table><thead><tr><th scope="col">When</th><th scope="col">Severity</th><th scope="col">State</th><th scope="col">Who</th><th scope="col">What</th><th scope="col" class="num">Score</th></tr></thead><tbody>${anomalies.map(a => html`<tr key=${a.id}><td><${Time} at=${a.started} /></td><td><${Severity} is=${a.severity} /></td><td><${State} is=${a.state === 'close' ? 'closed' : a.state} /></td><td><${Entity} id=${a.entity} /></td><td class="wrap">${a.summary}</td><td class="num">${number(a.score)}</td></tr>`)}</tbody></table></div></section>`}
    <section class="card" aria-labelledby="series"><h2 id="series">Series</h2>
      ${
        !value
          ? error
            ? html`<${Failed} error=${error} again=${again} />`
            : html`<${Loading} />`
          : all.length === 0
            ? html`<${Empty}>No series reports, or none that fits.</${Empty}>`
            : html`<div class="charts">${all.slice(0, most).map(s => {
                const band = bands.get(`${s.environment}|${s.entity}|${s.metric}`)
                const labels = Object.entries(s.dimensions)
                  .map(([k, v]) => `${k}=${v}`)
                  .join(' ')
                return html`<div key=${s.id}><${Chart} title=${`${plainName(s.entity)}: ${s.metric}${labels ? ` {${labels}}` : ''}`} times=${s.times} values=${s.values} unit=${s.type === 'counter' ? `${s.unit && s.unit !== '1' ? s.unit : ''}/s` : s.unit} band=${band && [band.expected_low, band.expected_high]} height=${120} /></div>`
              })}</div>
        ${all.length > most && html`<p class="row"><button onClick=${() => setMost(most + SHOWN)}>More of ${count(all.length, 'series', 'series')}</button></p>`}`
      }</section>`
}
