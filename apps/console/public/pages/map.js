/** Who depends on whom, and how they are: as a picture, and the same as a table. */
import { useState } from 'preact/hooks'
import { Graph } from '/console/graph.js'
import { goTo } from '/console/router.js'
import { environment, list, open, readAll, status, version } from '/console/store.js'
import { Age, count, Empty, Entity, Failed, html, Loading, number, percent, plainName, useLoad } from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
/** More than so many in one picture is a thicket. */
const MOST = 160
/** Every entity as a tile, those that are not well first; who depends on whom is shown around the one that is chosen. */
const Tiles = (/** @type {Rec} */ { names, bad }) => {
  const tone = (/** @type {string} */ n) => (!bad.has(n) || bad.get(n) >= 0.9 ? '' : bad.get(n) < 0.5 ? 'bad' : 'warn')
  const sorted = [...names].sort((a, b) => (bad.get(a) ?? 1) - (bad.get(b) ?? 1) || a.localeCompare(b))
  const sick = sorted.filter(n => tone(n) !== '')
  return html`<div class="card"><p>${sick.length === 0 ? 'All of them are well, as far as is known.' : `${count(sick.length, 'entity', 'entities')} not well.`} Choose one to see what it needs and who needs it, or search.</p>
    <ul class="tiles">${sorted.map(n => html`<li key=${n}><a class=${tone(n)} href=${`/map?focus=${encodeURIComponent(n)}`} title=${n}>${plainName(n)}${tone(n) === 'bad' ? ' · not well' : tone(n) === 'warn' ? ' · suffers' : ''}</a></li>`)}</ul></div>`
}
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
  const near = (/** @type {string[]} */ from, /** @type {number} */ hops) => {
    let found = new Set(from)
    for (let hop = 0; hop < hops; hop++) {
      const next = new Set(found)
      for (const e of edges) {
        if (found.has(e.from)) next.add(e.to)
        if (found.has(e.to)) next.add(e.from)
      }
      found = next
    }
    return found
  }
  /** Two steps around, one where two are more than can be looked at. */
  const two = focus ? near([focus], 2) : undefined
  const around = two && two.size > MOST ? near([focus], 1) : two
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
    <p class="small dim">${count(names.length, 'entity', 'entities')}, ${count(shown.length, 'edge')}${focus ? html`, ${around === two ? 'two steps' : 'one step'} around <b>${focus}</b>. <button class="plain" onClick=${() => goTo('/map')}>Show all</button>` : ''}. Callers stand above what they need.</p>
    ${
      names.length === 0
        ? html`<${Empty}><p>No dependency is known yet.</p><p>Traces tell them, or <code>aegis discover</code> and <code>aegis topology</code>.</p></${Empty}>`
        : table
          ? html`<div class="card scroll"><table><caption>Dependencies, as last seen</caption><thead><tr><th scope="col">Who</th><th scope="col">needs</th><th scope="col">how</th><th scope="col" class="num">requests/s</th><th scope="col" class="num">fail</th><th scope="col" class="num">p99</th><th scope="col">seen</th></tr></thead><tbody>
          ${shown.slice(0, 1500).map((/** @type {Rec} */ e) => html`<tr key=${e.from + e.to + e.kind}><td><${Entity} id=${e.from} />${bad.has(e.from) && bad.get(e.from) < 0.9 ? html` <span class="tag bad">health ${percent(bad.get(e.from))}</span>` : ''}</td><td><${Entity} id=${e.to} />${bad.has(e.to) && bad.get(e.to) < 0.9 ? html` <span class="tag bad">health ${percent(bad.get(e.to))}</span>` : ''}</td><td>${e.kind.replace('_', ' ')}${e.inferred ? ' (concluded)' : ''}</td><td class="num">${number(e.requests_per_second)}</td><td class="num">${e.error_share == null ? '–' : percent(e.error_share)}</td><td class="num">${e.p99_ms == null ? '–' : `${number(e.p99_ms)} ms`}</td><td><${Age} since=${e.time} /></td></tr>`)}
          ${alone.map((/** @type {string} */ n) => html`<tr key=${n}><td><${Entity} id=${n} /></td><td colspan="6" class="dim">no dependency known</td></tr>`)}</tbody></table></div>`
          : names.length > MOST
            ? html`<${Tiles} names=${names} bad=${bad} />`
            : html`<div class="map"><${Graph} edges=${shown} nodes=${alone} bad=${bad} focus=${focus ? [focus] : []} key=${focus + words.join()} /></div>`
    }`
}
