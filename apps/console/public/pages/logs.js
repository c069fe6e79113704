/** Lines as they come: by template with how often, and word for word. */
import { useState } from 'preact/hooks'
import { api, environment, now } from '/console/store.js'
import { count, Empty, Entity, Failed, html, Loading, Place, Spark, Time, useLoad } from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
const TONE = /** @type {Rec} */ ({ CRITICAL: 'critical', ERROR: 'bad', WARN: 'warn' })
const Level = (/** @type {Rec} */ { is }) => html`<span class=${`tag ${TONE[is] ?? ''}`}>${is}</span>`
export const Logs = () => {
  const [q, setQ] = useState('')
  const [severity, setSeverity] = useState('')
  const [template, setTemplate] = useState(/** @type {Rec | null} */ (null))
  const query = (/** @type {Rec} */ more) =>
    new URLSearchParams(Object.entries({ environment: environment.value, q, ...more }).filter(([, v]) => v)).toString()
  const turn = Math.floor(now.value / 3e6)
  const templates = useLoad(
    async () => (await api(`/api/v1/lines/templates?${query({ limit: '60' })}`)).body,
    [environment.value, q, turn],
  )
  const lines = useLoad(
    async () => (await api(`/api/v1/lines?${query({ severity, template: template?.id ?? '', limit: '100' })}`)).body,
    [environment.value, q, severity, template?.id, turn],
  )
  return html`<div class="row between"><h1>Logs</h1><div class="row"><label>Search <input type="search" value=${q} onInput=${(/** @type {any} */ e) => setQ(e.currentTarget.value)} /></label>
    <label>Severity <select value=${severity} onChange=${(/** @type {any} */ e) => setSeverity(e.currentTarget.value)}>${['', 'CRITICAL', 'ERROR', 'WARN', 'INFO', 'DEBUG'].map(s => html`<option value=${s}>${s || 'any'}</option>`)}</select></label></div></div>
    <section class="card" aria-labelledby="templates"><h2 id="templates">Templates of the last ten minutes</h2>
      ${
        !templates.value
          ? templates.error
            ? html`<${Failed} ...${templates} />`
            : html`<${Loading} />`
          : templates.value.length === 0
            ? html`<${Empty}>No line came, or none that fits.</${Empty}>`
            : html`<div class="scroll"><table><thead><tr><th scope="col">Ten minutes</th><th scope="col" class="num">Lines</th><th scope="col">Severity</th><th scope="col">Who</th><th scope="col">Template</th></tr></thead><tbody>
        ${templates.value.map((/** @type {Rec} */ t) => {
          const sum = t.counts.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0)
          return html`<tr key=${t.environment + t.entity + t.id}><td><${Spark} bars values=${t.counts} label=${`${sum} lines in ten minutes`} /></td><td class="num">${sum}</td><td><${Level} is=${t.severity} /></td><td><${Entity} id=${t.entity} /></td><td class="wrap"><button class="plain mono" style="text-align:left" aria-pressed=${template?.id === t.id} onClick=${() => setTemplate(template?.id === t.id ? null : t)}>${t.template}</button></td></tr>`
        })}</tbody></table></div>`
      }</section>
    <section class="card" aria-labelledby="lines"><div class="row between"><h2 id="lines">Last lines</h2>${template && html`<span class="small">only of one template <button class="plain" onClick=${() => setTemplate(null)}>show all</button></span>`}</div>
      ${!lines.value ? html`<${Loading} />` : lines.value.length === 0 ? html`<${Empty}>None that fits.</${Empty}>` : lines.value.map((/** @type {Rec} */ l) => html`<div class="line small" key=${l.id}><${Time} at=${l.time} /><${Level} is=${l.severity} /><${Entity} id=${l.entity} /><span class="mono">${l.body}</span><${Place} stream="logs.raw" partition=${l.partition} offset=${l.offset} /></div>`)}
      <p class="small dim">${lines.value ? count(lines.value.length, 'line') : ''} shown; what came before this service started is in the topic.</p></section>`
}
