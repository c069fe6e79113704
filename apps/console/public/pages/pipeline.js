/** The pipeline itself: who answers, how fresh each stream is, what could not be used. */
import { api, now, status } from '/console/store.js'
import { Age, Copy, count, Empty, Failed, html, Loading, lasted, Time, useLoad } from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
export const Pipeline = () => {
  const turn = Math.floor(now.value / 5e6)
  const health = useLoad(async () => (await fetch('/health')).json(), [turn])
  const letters = useLoad(async () => (await api('/api/v1/dead-letters?limit=200')).body, [turn])
  const stats = useLoad(async () => (await api('/api/v1/metrics/stats')).body, [turn])
  const groups = new Map()
  for (const l of letters.value ?? []) {
    const key = `${l.stream}|${l.code}|${l.reason}`
    const g = groups.get(key) ?? { ...l, n: 0 }
    g.n++
    groups.set(key, g)
  }
  const streams = Object.entries(status.value?.streams ?? {}).sort()
  return html`<h1>Pipeline</h1><div class="two"><section class="card" aria-labelledby="parts"><h2 id="parts">Who answers</h2>${!health.value ? (health.error ? html`<${Failed} ...${health} />` : html`<${Loading} />`) : html`<dl>${['kafka', 'neo4j', 'redis'].map(name => html`<dt>${name}</dt><dd><span class=${`tag ${health.value[name].status === 'down' ? 'bad' : 'good'}`}>${health.value[name].status}</span> ${health.value[name].detail ?? ''}</dd>`)}</dl>`}</section>
    <section class="card" aria-labelledby="self"><h2 id="self">This service</h2>${stats.value && html`<dl><dt>Up for</dt><dd>${lasted(stats.value.uptime_seconds * 1e6)}</dd><dt>Answers in 24 h</dt><dd>${stats.value.predictions_24h}${stats.value.predictions_not_kept ? `, ${stats.value.predictions_not_kept} not kept` : ''}</dd><dt>Memory</dt><dd>${Math.round(stats.value.memory_bytes.rss / 1e6)} MB</dd><dt>History</dt><dd>${status.value?.caught_up ? 'read to the end' : 'still being read'}</dd></dl>`}</section></div>
    <section class="card" aria-labelledby="fresh"><h2 id="fresh">How fresh each stream is</h2>${streams.length === 0 ? html`<${Empty}>Nothing came since this service started.</${Empty}>` : html`<div class="scroll"><table><thead><tr><th scope="col">Stream</th><th scope="col" class="num">Records since the start</th><th scope="col">Newest event</th><th scope="col">It took</th></tr></thead><tbody>${streams.map(([name, s]) => html`<tr key=${name}><td class="mono">${name}</td><td class="num">${s.count}</td><td><${Age} since=${s.time} /></td><td>${s.at > s.time ? `${lasted(s.at - s.time)} from event to here` : '–'}</td></tr>`)}</tbody></table></div>`}<p class="small dim">Lag of each stage: <code>aegis_lag_records</code> on the <code>/metrics</code> of every service.</p></section>
    <section class="card" aria-labelledby="dead"><h2 id="dead">Dead letters</h2>${!letters.value ? html`<${Loading} />` : groups.size === 0 ? html`<${Empty}>None waits: every record could be used.</${Empty}>` : html`<p>${count(letters.value.length, 'record')} could not be used.</p>${[...groups.values()].map(g => html`<div class="item" key=${g.stream + g.code + g.reason}><div class="row between"><span><b class="mono">${g.stream}</b> <span class="tag bad">${g.code}</span> ${count(g.n, 'letter')}</span><span class="small dim">last <${Time} at=${g.time} /></span></div><p class="wrap small">${g.reason} <span class="dim">(${g.stage}, from ${g.from})</span></p><div class="row small"><code>aegis dlq redrive ${g.stream}</code><${Copy} text=${`aegis dlq redrive ${g.stream}`}>Copy</${Copy}></div></div>`)}`}</section>`
}
