/** Every decision, and one with all that it was made of. */
import { useState } from 'preact/hooks'
import { Approve } from '/console/approve.js'
import { DecisionCard } from '/console/pages/incident.js'
import { api, list, loaded, version, waiting } from '/console/store.js'
import { count, Empty, Entity, Failed, html, Loading, MODES, percent, State, Time, useLoad } from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
export const Decisions = () => {
  const [mode, setMode] = useState('')
  if (!loaded.value) return html`<${Loading} />`
  const all = list('decisions').filter(d => (mode ? d.mode === mode : d.mode !== 'shadow'))
  const outcomes = new Map()
  for (const o of list('outcomes', true)) if (!outcomes.has(o.decision)) outcomes.set(o.decision, o)
  const waits = new Set(waiting.value.map(d => d.decision))
  return html`<div class="row between"><h1>Decisions</h1><div class="row"><label>Mode <select value=${mode} onChange=${(/** @type {any} */ e) => setMode(e.currentTarget.value)}><option value="">any but shadow</option>${Object.keys(MODES).map(m => html`<option value=${m}>${m}</option>`)}</select></label><a class="button" href="/api/v1/decisions/export?format=csv" download>CSV</a></div></div>
    <section class="card">${
      all.length === 0
        ? html`<${Empty}>No decision${mode ? ` of mode ${mode}` : ''} yet.</${Empty}>`
        : html`<div class="scroll"><table><caption>${count(all.length, 'decision')}</caption><thead><tr><th scope="col">When</th><th scope="col">Action</th><th scope="col">Target</th><th scope="col">Mode</th><th scope="col">What became of it</th><th scope="col">Incident</th></tr></thead><tbody>
      ${all.slice(0, 300).map(d => {
        const o = outcomes.get(d.decision)
        return html`<tr key=${d.decision}><td><${Time} at=${d.time} /></td><td><a href=${`/d/${d.decision}`}>${d.action}</a></td><td><${Entity} id=${d.target} /></td><td><${State} is=${d.mode} /></td><td>${waits.has(d.decision) ? html`<span class="row"><${Approve} decision=${d} /></span>` : o ? html`<${State} is=${o.status} />${/^dry run\b/.test(o.receipt) ? html` <span class="tag warn">DRY RUN</span>` : ''}` : (MODES[d.mode] ?? '')}</td><td><a href=${`/i/${d.incident}`}>${d.incident.slice(0, 8)}</a></td></tr>`
      })}</tbody></table></div>`
    }</section>`
}
export const Decision = (/** @type {Rec} */ { id }) => {
  const { value, error, again } = useLoad(
    async () => (await api(`/api/v1/decisions/${encodeURIComponent(id)}`)).body,
    [id, version('outcomes'), version('approvals')],
  )
  if (!value) return error ? html`<${Failed} error=${error} again=${again} />` : html`<${Loading} />`
  const d = value.decision
  return html`<p class="small"><a href="/decisions">Decisions</a> / <a href=${`/i/${d.incident}`}>its incident</a></p><h1>${d.action} <${Entity} id=${d.target} /></h1>
    <section class="card"><${DecisionCard} d=${d} outcomes=${value.outcomes} approvals=${value.approvals} open=${value.waits} />${value.over && d.mode === 'approve' && html`<p class="small dim">It waits no more: ${value.over}.</p>`}</section>
    <section class="card"><h2>All that was weighed</h2><div class="scroll"><table><thead><tr><th scope="col">Action</th><th scope="col">Target</th><th scope="col" class="num">Chance</th><th scope="col" class="num">Value</th></tr></thead><tbody>${[...d.candidates].sort((a, b) => b.probability - a.probability).map((/** @type {Rec} */ c) => html`<tr><td>${c.action}</td><td>${c.target}</td><td class="num">${percent(c.probability)}</td><td class="num">${Number(c.value).toFixed(3)}</td></tr>`)}</tbody></table></div></section>
    ${d.suggestions?.length > 0 && html`<section class="card"><h2>What helped before</h2>${d.suggestions.map((/** @type {Rec} */ s) => html`<div class="item"><code>${s.command}</code><p class="small dim">worked ${s.worked} of ${s.tried} times, likeness ${percent(s.likeness)}</p></div>`)}</section>`}
    <section class="card"><details><summary>Facts the guard was handed</summary><pre>${JSON.stringify(JSON.parse(d.facts), null, 2)}</pre></details></section>`
}
