/** Deploys, settings, scales and flags, with the incidents that began soon after. */
import { useState } from 'preact/hooks'
import { list, loaded } from '/console/store.js'
import { Empty, Entity, html, Loading, lasted, Time } from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
const SOON_US = 900e6
export const Changes = () => {
  const [q, setQ] = useState('')
  if (!loaded.value) return html`<${Loading} />`
  const words = q.toLowerCase().split(/\s+/).filter(Boolean)
  const all = list('changes').filter(c => words.every(w => JSON.stringify(c).toLowerCase().includes(w)))
  const incidents = list('incidents')
  return html`<div class="row between"><h1>Changes</h1><label>Find <input type="search" value=${q} onInput=${(/** @type {any} */ e) => setQ(e.currentTarget.value)} /></label></div>
    <section class="card">${
      all.length === 0
        ? html`<${Empty}>No change was seen${q ? ' that fits' : ''}. A new <code>service.version</code> is one; others are told by <code>POST /api/v1/changes</code>.</${Empty}>`
        : html`<div class="scroll"><table><thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">Who</th><th scope="col">From, to</th><th scope="col">By</th><th scope="col">Soon after</th></tr></thead><tbody>${all
            .slice(0, 300)
            .map(c => {
              const after = incidents.filter(
                i => i.environment === c.environment && i.started >= c.time && i.started - c.time < SOON_US,
              )
              return html`<tr key=${c.id}><td><${Time} at=${c.time} /></td><td><span class="tag">${c.kind}</span></td><td><${Entity} id=${c.entity} /></td><td class="wrap">${c.before || 'nothing'} → ${c.after}</td><td>${c.author ?? c.source}</td><td>${after.map((/** @type {Rec} */ i) => html`<a href=${`/i/${i.id}`} key=${i.id}>incident ${lasted(i.started - c.time)} later</a> `)}</td></tr>`
            })}</tbody></table></div>`
    }</section>`
}
