/** What is happening: open incidents, decisions that wait, who is well, what changed last. */

import { Approve } from '/console/approve.js'
import { byId, environment, list, may, now, open, status, waiting } from '/console/store.js'
import { Age, count, Empty, Entity, html, lasted, MODES, percent, plainName, Severity, State, Time } from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
const RANK = /** @type {Rec} */ ({ critical: 0, high: 1, medium: 2, low: 3 })

export const sentenceOf = (/** @type {Rec} */ i) => {
  const first = i.causes?.[0]
  const others = i.entities.filter((/** @type {string} */ e) => e !== first?.entity).map(plainName)
  const suffer =
    others.length === 0
      ? ''
      : others.length <= 3
        ? ` ${others.join(', ')} ${others.length === 1 ? 'suffers' : 'suffer'} from it.`
        : ` ${others.length} others suffer from it.`
  const fault = first?.fault_kind && first.fault_kind !== 'unknown' ? ` (${first.fault_kind})` : ''
  if (first && i.verdict === 'cause_named')
    return `${plainName(first.entity)} is the cause${fault}, with a confidence of ${percent(first.confidence)}.${suffer}`
  if (first)
    return `Suspects so far: ${i.causes
      .slice(0, 3)
      .map((/** @type {Rec} */ c) => `${plainName(c.entity)} (${percent(c.confidence)})`)
      .join(', ')}. No cause is named yet.`
  return `${i.entities.map(plainName).slice(0, 4).join(', ')}: something is strange, and no cause is named yet.`
}
const IncidentRow = (/** @type {Rec} */ { i }) => {
  const decision = list('decisions', true).find(d => d.incident === i.id && d.mode !== 'shadow')
  const outcome = decision && list('outcomes', true).find(o => o.decision === decision.decision)
  return html`<article class="item"><div class="row between"><span class="row"><${Severity} is=${i.severity} /><${State} is=${i.state} /><span class="dim small">${i.environment}</span></span><span class="dim small">for <${Age} since=${i.started} ago=${false} /></span></div>
    <p class="wrap"><a href=${`/i/${i.id}`}>${sentenceOf(i)}</a></p>
    ${decision && html`<p class="small dim">${decision.action} ${plainName(decision.target)}: ${outcome ? outcome.status.replace('_', ' ') : (MODES[decision.mode] ?? decision.mode)}</p>`}</article>`
}
const Waiting = () => {
  const limit = 1000 * (status.value?.limits?.approvalMs ?? 900_000)
  const all = waiting.value
  if (all.length === 0) return null
  return html`<section class="card" aria-labelledby="waits"><h2 id="waits">${count(all.length, 'decision')} ${all.length === 1 ? 'waits' : 'wait'} for you</h2>
    ${all.map(d => {
      const left = d.time + limit - now.value
      return html`<div class="item" key=${d.decision}><div class="row between"><b>${d.action} ${plainName(d.target)}</b><span class=${`tag ${left < 120e6 ? 'bad' : 'warn'}`}>expires in ${lasted(left)}</span></div>
        <p class="small wrap">${byId('incidents', d.incident) ? sentenceOf(byId('incidents', d.incident) ?? {}) : d.explanation}</p>
        <div class="row"><${Approve} decision=${d} /><a href=${`/i/${d.incident}`}>see the incident</a></div></div>`
    })}</section>`
}
const Health = () => {
  const bad = new Map()
  for (const i of open.value) for (const h of i.health ?? []) bad.set(h.entity, Math.min(h.score, bad.get(h.entity) ?? 1))
  for (const a of list('anomalies'))
    if (a.state !== 'close' && a.state !== 'closed' && !bad.has(a.entity) && open.value.some(i => i.anomalies.includes(a.id)))
      bad.set(a.entity, 0.5)
  const known = (status.value?.entities ?? []).filter(
    (/** @type {Rec} */ e) => !environment.value || e.environment === environment.value,
  )
  const silent = known.filter((/** @type {Rec} */ e) => now.value - e.last > 120e6)
  const sick = [...bad].filter(([, s]) => s < 0.8).sort((a, b) => a[1] - b[1])
  if (known.length === 0) return null
  return html`<section class="card" aria-labelledby="health"><h2 id="health">Who reports</h2>
    <p>${count(known.length, 'entity', 'entities')} report${known.length === 1 ? 's' : ''}: ${sick.length === 0 ? 'none of them is in an open incident' : `${sick.length} ${sick.length === 1 ? 'is' : 'are'} not well`}${silent.length > 0 ? `, ${silent.length} said nothing for two minutes` : ''}.</p>
    ${sick.slice(0, 8).map(([entity, score]) => html`<div class="row between small" key=${entity}><${Entity} id=${entity} /><span class=${`tag ${score < 0.5 ? 'bad' : 'warn'}`}>health ${percent(score)}</span></div>`)}
    ${silent.slice(0, 5).map((/** @type {Rec} */ e) => html`<div class="row between small" key=${e.environment + e.entity}><${Entity} id=${e.entity} /><span class="tag">silent for ${lasted(now.value - e.last)}</span></div>`)}
    <p class="small"><a href="/map">The map</a></p></section>`
}
const Changes = () => {
  const all = list('changes').slice(0, 5)
  return html`<section class="card" aria-labelledby="changes"><h2 id="changes">Last changes</h2>
    ${all.length === 0 ? html`<p class="dim">None seen.</p>` : all.map(c => html`<div class="item small" key=${c.id}><div class="row between"><span><b>${c.kind}</b> <${Entity} id=${c.entity} /></span><span class="dim"><${Age} since=${c.time} /></span></div><span class="wrap">${c.before || 'nothing'} → ${c.after}</span></div>`)}</section>`
}
export const Now = () => {
  const all = [...open.value].sort((a, b) => (RANK[a.severity] ?? 4) - (RANK[b.severity] ?? 4) || a.started - b.started)
  const over = list('incidents')
    .filter(i => !open.value.includes(i))
    .slice(0, 8)
  const { series = 0, lines = 0 } = status.value?.reporting ?? {}
  const nothing = status.value !== null && series === 0 && lines === 0 && over.length === 0 && all.length === 0
  return html`<h1 class="skip">What is happening now</h1><div class="grid"><div>
    <${Waiting} />
    <section class="card" aria-labelledby="open"><h2 id="open">${all.length === 0 ? 'No open incident' : `${count(all.length, 'open incident')}`}</h2>
      ${
        nothing
          ? html`<${Empty}><p><b>Nothing reports yet.</b> That is not "all is well": Aegis has seen no line and no number since it started.</p><p>Point an OpenTelemetry SDK or Collector at the gateway, or try <code>npm run demo</code>.</p></${Empty}>`
          : all.length === 0
            ? html`<${Empty}>Everything that reports is within its bounds.</${Empty}>`
            : all.map(i => html`<${IncidentRow} i=${i} key=${i.id} />`)
      }
    </section>
    ${over.length > 0 && html`<section class="card" aria-labelledby="over"><h2 id="over">Over</h2>${over.map(i => html`<div class="item" key=${i.id}><div class="row between"><span class="row"><${State} is=${i.state} /><${Severity} is=${i.severity} /><span class="dim small">${i.environment}</span></span><span class="small dim"><${Time} at=${i.started} />${i.ended ? html`, lasted ${lasted(i.ended - i.started)}` : null}</span></div><p class="wrap"><a href=${`/i/${i.id}`}>${sentenceOf(i)}</a></p></div>`)}</section>`}
  </div><div><${Health} /><${Changes} />
    <section class="card"><h2>What is known</h2><dl class="small"><dt>Series</dt><dd>${count(series, 'series', 'series')}</dd><dt>Lines kept</dt><dd>${count(lines, 'line')}</dd><dt>You may</dt><dd>${['approve', 'control'].filter(may).length === 2 ? 'approve and set controls' : may('approve') ? 'approve' : html`look; <a href="/login">log in</a> to approve`}</dd></dl></section>
  </div></div>`
}
