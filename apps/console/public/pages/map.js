/** Who depends on whom, and how they are: as a picture, and the same as a table. */
import { useState } from 'preact/hooks'
import { Graph } from '/console/graph.js'
import { goTo } from '/console/router.js'
import { environment, list, open, readAll, status, version } from '/console/store.js'
import { Age, count, Empty, Entity, Failed, html, Loading, number, percent, useLoad } from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
export const MapPage = (/** @type {Rec} */ { parameters }) => {
  const [table, setTable] = useState(false)
  const [q, setQ] = useState('')
  const focus = parameters.get('focus') ?? ''
  const { value, error, again } = useLoad(
    () => readAll('/api/v1/topology?limit=500', 6000),
    [Math.floor(version('topology') / 50)],
  )
  if (!value) return error ? html`<${Failed} error=${error} again=${again} />` : html`<${Loading} />`
  const wanted = environment.value
  const told = new Map(list('topology').map(e => [`${e.environment}|${e.from}|${e.to}|${e.kind}`, e]))
  const edges = value
    .filter((/** @type {Rec} */ e) => e.kind !== 'named_by' && (!wanted || e.environment === wanted))
    .map((/** @type {Rec} */ e) => told.get(`${e.environment}|${e.from}|${e.to}|${e.kind}`) ?? e)
  const bad = new Map()
  for (const i of open.value) for (const h of i.health ?? []) bad.set(h.entity, Math.min(h.score, bad.get(h.entity) ?? 1))
  const near = (/** @type {string} */ name) => {
    const found = new Set([name])
    for (let hop = 0; hop < 2; hop++)
      for (const e of [...edges])
        if (found.has(e.from) || found.has(e.to)) {
          found.add(e.from)
          found.add(e.to)
        }
    return found
  }
  const around = focus ? near(focus) : undefined
  const words = q.toLowerCase().split(/\s+/).filter(Boolean)
  const fits = (/** @type {Rec} */ e) =>
    (!around || (around.has(e.from) && around.has(e.to))) && words.every(w => `${e.from} ${e.to}`.toLowerCase().includes(w))
  const shown = edges.filter(fits)
  const entities = (status.value?.entities ?? []).filter(
    (/** @type {Rec} */ e) =>
      (!wanted || e.environment === wanted) &&
      (!around || around.has(e.entity)) &&
      words.every(w => e.entity.toLowerCase().includes(w)),
  )
  const known = new Set(shown.flatMap((/** @type {Rec} */ e) => [e.from, e.to]))
  const alone = entities.map((/** @type {Rec} */ e) => e.entity).filter((/** @type {string} */ e) => !known.has(e))
  const names = [...new Set([...known, ...alone])]
  return html`<div class="row between"><h1>Map</h1><div class="row"><label>Find <input type="search" value=${q} onInput=${(/** @type {any} */ e) => setQ(e.currentTarget.value)} /></label>
      <div class="tabs" role="group" aria-label="Shown as"><button aria-pressed=${!table} onClick=${() => setTable(false)}>Picture</button><button aria-pressed=${table} onClick=${() => setTable(true)}>Table</button></div></div></div>
    <p class="small dim">${count(names.length, 'entity', 'entities')}, ${count(shown.length, 'edge')}${focus ? html`, two steps around <b>${focus}</b>. <button class="plain" onClick=${() => goTo('/map')}>Show all</button>` : ''}. Callers stand above what they need.</p>
    ${
      names.length === 0
        ? html`<${Empty}><p>No dependency is known yet.</p><p>Traces tell them, or <code>aegis discover</code> and <code>aegis topology</code>.</p></${Empty}>`
        : table
          ? html`<div class="card scroll"><table><caption>Dependencies, as last seen</caption><thead><tr><th scope="col">Who</th><th scope="col">needs</th><th scope="col">how</th><th scope="col" class="num">requests/s</th><th scope="col" class="num">fail</th><th scope="col" class="num">p99</th><th scope="col">seen</th></tr></thead><tbody>
          ${shown.slice(0, 1500).map((/** @type {Rec} */ e) => html`<tr key=${e.from + e.to + e.kind}><td><${Entity} id=${e.from} />${bad.has(e.from) && bad.get(e.from) < 0.9 ? html` <span class="tag bad">health ${percent(bad.get(e.from))}</span>` : ''}</td><td><${Entity} id=${e.to} />${bad.has(e.to) && bad.get(e.to) < 0.9 ? html` <span class="tag bad">health ${percent(bad.get(e.to))}</span>` : ''}</td><td>${e.kind.replace('_', ' ')}${e.inferred ? ' (concluded)' : ''}</td><td class="num">${number(e.requests_per_second)}</td><td class="num">${e.error_share == null ? '–' : percent(e.error_share)}</td><td class="num">${e.p99_ms == null ? '–' : `${number(e.p99_ms)} ms`}</td><td><${Age} since=${e.time} /></td></tr>`)}
          ${alone.map((/** @type {string} */ n) => html`<tr key=${n}><td><${Entity} id=${n} /></td><td colspan="6" class="dim">no dependency known</td></tr>`)}</tbody></table></div>`
          : html`<div class="map"><${Graph} edges=${shown} nodes=${alone} bad=${bad} focus=${focus ? [focus] : []} key=${focus + words.join()} /></div>`
    }`
}
