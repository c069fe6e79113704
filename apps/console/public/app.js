/** The console: header, navigation, and which page stands at which address. */
import { signal, useSignal } from '@preact/signals'
import { render } from 'preact'
import { useEffect } from 'preact/hooks'
import { Now } from '/console/pages/now.js'
import { address, goTo } from '/console/router.js'
import {
  connection,
  environment,
  loaded,
  locked,
  now,
  open,
  say,
  session,
  setEnvironment,
  silence,
  start,
  status,
  waiting,
} from '/console/store.js'
import { Ask, clock, count, html, Loading, Toasts, toast, zone } from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
const lazily = (/** @type {() => Promise<Rec>} */ load, /** @type {string} */ name) => {
  const page = signal(/** @type {any} */ (null))
  let asked = false
  return (/** @type {Rec} */ props) => {
    if (!asked) {
      asked = true
      load().then(m => (page.value = m[name]))
    }
    const Page = page.value
    return Page ? html`<${Page} ...${props} />` : html`<${Loading} />`
  }
}
const Incident = lazily(() => import('/console/pages/incident.js'), 'Incident')
const Decision = lazily(() => import('/console/pages/decisions.js'), 'Decision')
const PAGES = /** @type {[string, string, any][]} */ ([
  ['/', 'Now', Now],
  ['/map', 'Map', lazily(() => import('/console/pages/map.js'), 'MapPage')],
  ['/logs', 'Logs', lazily(() => import('/console/pages/logs.js'), 'Logs')],
  ['/metrics', 'Metrics', lazily(() => import('/console/pages/metrics.js'), 'Metrics')],
  ['/decisions', 'Decisions', lazily(() => import('/console/pages/decisions.js'), 'Decisions')],
  ['/changes', 'Changes', lazily(() => import('/console/pages/changes.js'), 'Changes')],
  ['/models', 'Models', lazily(() => import('/console/pages/models.js'), 'Models')],
  ['/pipeline', 'Pipeline', lazily(() => import('/console/pages/pipeline.js'), 'Pipeline')],
  ['/settings', 'Settings', lazily(() => import('/console/pages/settings.js'), 'Settings')],
])

/** One letter to a page, after g: g n, g m, … */
let g = 0
addEventListener('keydown', e => {
  if (/^(?:input|textarea|select)$/i.test(/** @type {HTMLElement} */ (e.target).tagName) || e.metaKey || e.ctrlKey || e.altKey)
    return
  if (e.key === 'g') g = performance.now()
  else if (performance.now() - g < 1200) {
    const to = {
      n: '/',
      m: '/map',
      l: '/logs',
      x: '/metrics',
      d: '/decisions',
      c: '/changes',
      o: '/models',
      p: '/pipeline',
      s: '/settings',
    }[e.key]
    g = 0
    if (to) goTo(to)
  } else if (e.key === '/') {
    const field = /** @type {HTMLElement | null} */ (document.querySelector('main input[type=search]'))
    if (field) {
      e.preventDefault()
      field.focus()
    }
  }
})

const theme = signal(localStorage.getItem('aegis-theme') ?? '')
const setTheme = (/** @type {string} */ name) => {
  theme.value = name
  localStorage.setItem('aegis-theme', name)
  if (name) document.documentElement.dataset.theme = name
  else delete document.documentElement.dataset.theme
}
if (theme.value) document.documentElement.dataset.theme = theme.value

/** The kill switch of one environment: the one that is looked at, or one that is chosen. */
const Stop = () => {
  const asking = useSignal(false)
  const chosen = useSignal('')
  const list = /** @type {Rec[]} */ (status.value?.environments ?? [])
  const one = list.find(e => e.name === (environment.value || chosen.value)) ?? list.find(e => e.kill_switch) ?? list.at(-1)
  if (!one) return null
  const stopped = one.kill_switch
  const set = async () => {
    await say('PUT', `/api/v1/controls/${encodeURIComponent(one.name)}`, { kill_switch: !stopped })
    toast(
      stopped
        ? `${one.name} may act again, as far as its ladder allows`
        : `${one.name} is stopped: nothing is done there any more`,
    )
    status.value = { ...status.value, environments: list.map(e => (e === one ? { ...e, kill_switch: !stopped } : e)) }
  }
  return html`<button class="stop" onClick=${() => (asking.value = true)}>${list.some(e => e.kill_switch && (!environment.value || e === one)) ? 'Resume…' : 'Stop…'}</button>
    ${
      asking.value &&
      html`<${Ask} title=${stopped ? 'Let it act again?' : 'Stop all actions?'} typed=${one.name} danger=${!stopped} action=${stopped ? 'Resume' : 'Stop everything'} onDo=${set} onClose=${() => (asking.value = false)}>
      <p>${stopped ? 'Decisions are carried out again as far as the ladder allows.' : 'The kill switch: what is decided from now on is only watched. What has begun is not taken back.'}</p>
      ${!environment.value && list.length > 1 && html`<label class="block"><span>Environment</span><select value=${one.name} onChange=${(/** @type {any} */ e) => (chosen.value = e.currentTarget.value)}>${list.map(e => html`<option value=${e.name} key=${e.name}>${e.name}${e.kill_switch ? ' (stopped)' : ''}</option>`)}</select></label>`}</${Ask}>`
    }`
}
const Header = () => {
  const list = /** @type {Rec[]} */ (status.value?.environments ?? [])
  const shown = list.filter(e => environment.value === '' || e.name === environment.value)
  const stopped = shown.filter(e => e.kill_switch)
  const dry = shown.filter(e => e.dry_run)
  const modes = [...new Set(shown.map(e => e.mode))]
  const stale = silence.value > 10
  const here = address.value.split('?')[0]
  return html`<header class="top">
    <a class="skip" href="#main" onClick=${(/** @type {Event} */ e) => {
      e.preventDefault()
      document.getElementById('main')?.focus()
    }}>To the content</a>
    <div class="bar">
      <a class="brand" href="/"><img src="/console/icon.svg" alt="" />Aegis</a>
      <label class="small"><span class="dim">Environment</span><select value=${environment.value} onChange=${(/** @type {any} */ e) => setEnvironment(e.currentTarget.value)}>
        <option value="">all</option>${list.map(e => html`<option value=${e.name} key=${e.name}>${e.name}</option>`)}</select></label>
      ${modes.length > 0 && html`<span class="tag" title="How far actions may go where the ladder says nothing else">mode: ${modes.join(', ')}</span>`}
      ${stopped.length > 0 && html`<span class="tag critical">STOPPED: ${stopped.map(e => e.name).join(', ')}</span>`}
      ${dry.length > 0 && html`<span class="tag warn">DRY RUN: ${dry.map(e => e.name).join(', ')}</span>`}
      <${Stop} />
      <span class="grow"></span>
      <span class=${`tag ${stale || connection.value === 'lost' ? 'critical' : connection.value === 'live' ? 'good' : ''}`} ><span role="status">${connection.value === 'connecting' ? 'connecting…' : connection.value === 'lost' || stale ? 'not heard' : 'live'}</span>${connection.value === 'lost' || stale ? html`<span aria-hidden="true">for ${silence.value} s</span>` : ''}</span>
      <span class="small dim" title=${`Time zone ${zone}`}>${clock(now.value)} ${zone}</span>
      <label class="small"><span class="skip">Colours</span><select aria-label="Colours" value=${theme.value} onChange=${(/** @type {any} */ e) => setTheme(e.currentTarget.value)}><option value="">system</option><option value="light">light</option><option value="dark">dark</option></select></label>
      ${session.value && html`<span class="small dim">${session.value.name === 'anonymous' ? html`<a href="/login">log in</a>` : session.value.name}</span>`}
    </div>
    <nav aria-label="Pages">${PAGES.map(([url, name]) => html`<a href=${url} aria-current=${here === url ? 'page' : undefined} key=${url}>${name}${url === '/' && open.value.length > 0 ? ` (${open.value.length})` : ''}${url === '/decisions' && waiting.value.length > 0 ? ` (${waiting.value.length})` : ''}</a>`)}</nav>
    ${(connection.value === 'lost' || stale) && html`<div class="banner bad" role="alert">The service is not heard: what you see is old<span aria-hidden="true"> (${count(silence.value, 'second')})</span>. It goes on by itself as soon as the service answers.</div>`}
    ${stopped.length > 0 && html`<div class="banner bad">The kill switch is on in ${stopped.map(e => e.name).join(', ')}: nothing is carried out there.</div>`}
    ${dry.length > 0 && html`<div class="banner warn">Dry run in ${dry.map(e => e.name).join(', ')}: actions are only written down there, nothing is changed.</div>`}
    ${status.value && !status.value.caught_up && html`<div class="banner note">The history is still being read; older records may be missing yet.</div>`}
  </header>`
}
const App = () => {
  const [path, query] = address.value.split('?')
  const parameters = new URLSearchParams(query)
  const one = /^\/(i|d)\/(.+)$/.exec(path)
  const page = PAGES.find(([url]) => url === path)
  const title = one ? (one[1] === 'i' ? 'Incident' : 'Decision') : (page?.[1] ?? 'Not found')
  useEffect(() => {
    document.title = `${open.value.length > 0 ? `(${open.value.length}) ` : ''}${title} · Aegis`
  }, [title, open.value.length])
  const Page = one ? (one[1] === 'i' ? Incident : Decision) : page?.[2]
  return html`<${Header} />
    <main id="main" tabindex="-1" style="outline:none">
      ${
        locked.value
          ? html`<div class="card"><h1>A key is needed</h1><p>This service shows nothing without one. <a href="/login">Log in</a> with a key that "aegis keys add" made, or with the link that "aegis up" prints.</p></div>`
          : Page
            ? !loaded.value && path === '/'
              ? html`<${Loading} />`
              : html`<${Page} id=${one?.[2] && decodeURIComponent(one[2])} parameters=${parameters} key=${path} />`
            : html`<div class="card"><h1>There is no such page</h1><p><a href="/">Back to what is happening now</a></p></div>`
      }
    </main>
    <footer class="foot"><a href="/docs">API documents</a> · keys: g then n, m, l, x, d, c, o, p or s changes the page; / searches</footer>
    <${Toasts} />`
}
start()
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById('app')))
