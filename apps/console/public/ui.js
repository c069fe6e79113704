/** Small parts that every page is made of. */
import { signal } from '@preact/signals'
import htm from 'htm'
import { h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, now } from '/console/store.js'

export const html = htm.bind(h)
/** @typedef {Record<string, any>} Rec */

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone
export const zone = ZONE
const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const dayFormat = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})
export const clock = (/** @type {number} */ us) => clockFormat.format(us / 1000)
/** With the day where it is not today's. */
export const when = (/** @type {number} */ us) => (now.peek() - us > 72_000e6 ? dayFormat : clockFormat).format(us / 1000)
export const lasted = (/** @type {number} */ us) => {
  const s = Math.max(0, Math.round(us / 1e6))
  return s < 90
    ? `${s} s`
    : s < 5400
      ? `${Math.round(s / 60)} min`
      : s < 172_800
        ? `${Math.round(s / 3600)} h`
        : `${Math.round(s / 86_400)} days`
}
export const Time = (/** @type {Rec} */ { at }) =>
  html`<time datetime=${new Date(at / 1000).toISOString()} title=${`${new Date(at / 1000).toISOString()} (UTC)`}>${when(at)}</time>`
export const Age = (/** @type {Rec} */ { since, ago = true }) =>
  html`<span title=${new Date(since / 1000).toISOString()}>${lasted(now.value - since)}${ago ? ' ago' : ''}</span>`
export const percent = (/** @type {number} */ share) => `${Math.round(share * 100)} %`
export const number = (/** @type {number} */ v) =>
  v === null || v === undefined || !Number.isFinite(v)
    ? '–'
    : Math.abs(v) >= 1e6
      ? v.toExponential(2)
      : Math.abs(v) >= 1000
        ? v.toFixed(0)
        : Math.abs(v) >= 10
          ? v.toFixed(1)
          : String(Number(v.toPrecision(3)))
export const count = (/** @type {number} */ n, /** @type {string} */ one, /** @type {string} */ many = `${one}s`) =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`

const SHAPES = /** @type {Rec} */ ({
  critical: 'M0 0h9v9H0z',
  high: 'M4.5 0 9 9H0z',
  medium: 'M4.5 0 9 4.5 4.5 9 0 4.5z',
  low: 'M4.5 0a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z',
})
/** Severity by word, shape and colour. */
export const Severity = (/** @type {Rec} */ { is }) =>
  html`<span class=${`tag ${is}`}><svg viewBox="0 0 9 9" aria-hidden="true"><path d=${SHAPES[is] ?? SHAPES.low} /></svg>${is || 'unknown'}</span>`
const TONE = /** @type {Rec} */ ({
  open: 'bad',
  updated: 'bad',
  reopened: 'bad',
  mitigated: 'warn',
  closed: 'good',
  merged: '',
  done: 'good',
  failed: 'bad',
  undone: 'warn',
  unfinished: 'warn',
  started: 'warn',
  carried_out: 'warn',
  act: 'warn',
  canary: 'warn',
  approve: 'warn',
  refuse: 'bad',
  approved: 'good',
  rejected: 'bad',
})
const WORDS = /** @type {Rec} */ ({ updated: 'open', carried_out: 'carried out' })
export const State = (/** @type {Rec} */ { is }) => html`<span class=${`tag ${TONE[is] ?? ''}`}>${WORDS[is] ?? is}</span>`
/** What a mode of the ladder means. */
export const MODES = /** @type {Rec} */ ({
  refuse: 'refused',
  observe: 'watched only',
  shadow: 'thought of, not proposed',
  suggest: 'suggested only',
  approve: 'waits for approval',
  canary: 'done on a part',
  act: 'done by itself',
})
export const Entity = (/** @type {Rec} */ { id }) => {
  const at = String(id ?? '').indexOf(':')
  return at < 0
    ? html`<b>${id}</b>`
    : html`<a href=${`/map?focus=${encodeURIComponent(id)}`} title=${id}><b>${id.slice(at + 1)}</b></a>`
}
export const plainName = (/** @type {string} */ id) => String(id ?? '').slice(String(id ?? '').indexOf(':') + 1)
export const Empty = (/** @type {Rec} */ { children }) => html`<div class="empty">${children}</div>`
export const Loading = () => html`<div class="empty" role="status">Loading…</div>`
export const Failed = (/** @type {Rec} */ { error, again }) =>
  html`<div class="empty" role="alert"><p><b>${error instanceof ApiError && error.status === 404 ? 'Not found' : 'It could not be loaded'}</b></p><p>${error.message}</p>${again && html`<button onClick=${again}>Try again</button>`}</div>`

/** @type {import('@preact/signals').Signal<{ id: number, text: any, bad: boolean }[]>} */
export const toasts = signal([])
let toastId = 0
export const toast = (/** @type {any} */ text, bad = false) => {
  const id = ++toastId
  toasts.value = [...toasts.value, { id, text, bad }]
  setTimeout(() => (toasts.value = toasts.value.filter(t => t.id !== id)), bad ? 12_000 : 6000)
}
export const Toasts = () =>
  html`<div class="toasts" role="status" aria-live="polite">${toasts.value.map(t => html`<div class=${`toast ${t.bad ? 'bad' : ''}`} key=${t.id}>${t.text}</div>`)}</div>`
/** Says what went wrong with something that was clicked. */
export const tell = (/** @type {any} */ error) => {
  if (error.status === 401 || error.status === 403) toast(html`${error.message}. <a href="/login">Log in</a>`, true)
  else toast(error.message, true)
}

/** Asks before something that cannot be unsaid; `typed`: a name that must be typed. */
export const Ask = (/** @type {Rec} */ { title, children, typed, action, danger, onDo, onClose }) => {
  const ref = useRef(/** @type {any} */ (null))
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    ref.current?.showModal()
  }, [])
  const go = async (/** @type {Event} */ e) => {
    e.preventDefault()
    if (busy || (typed && text !== typed)) return
    setBusy(true)
    try {
      await onDo()
      onClose()
    } catch (error) {
      tell(error)
      setBusy(false)
    }
  }
  return html`<dialog ref=${ref} onClose=${onClose} aria-labelledby="ask-title"><form onSubmit=${go}>
    <h2 id="ask-title">${title}</h2>${children}
    ${typed && html`<label class="block"><span>Type <b>${typed}</b> to go on</span><input autofocus autocomplete="off" value=${text} onInput=${(/** @type {any} */ e) => setText(e.currentTarget.value)} /></label>`}
    <div class="row" style="margin-top:1rem"><button type="submit" class=${danger ? 'danger' : 'main'} disabled=${busy || (typed && text !== typed)}>${action}</button><button type="button" onClick=${onClose}>Leave it</button></div>
  </form></dialog>`
}
/** Loads what a page needs when its address or `deps` change; keeps what it has while it loads anew. @param {() => Promise<any>} work @param {any[]} deps @returns {{ value?: any, error?: any, again: () => void }} */
export const useLoad = (work, deps) => {
  const [state, setState] = useState(/** @type {Rec} */ ({}))
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    let over = false
    work().then(
      value => over || setState({ value }),
      error => over || setState((/** @type {Rec} */ before) => ({ ...before, error })),
    )
    return () => {
      over = true
    }
  }, [...deps, turn])
  return { ...state, again: () => setTurn(turn + 1) }
}
/** Numbers as a small line; its text says what the eye sees. */
export const Spark = (/** @type {Rec} */ { values, bars, label }) => {
  const most = Math.max(1e-9, ...values)
  const [w, hgt] = [120, 26]
  const step = w / Math.max(1, values.length - (bars ? 0 : 1))
  return html`<svg class="spark" viewBox=${`0 0 ${w} ${hgt}`} role="img" aria-label=${label} preserveAspectRatio="none">
    ${
      bars
        ? values.map(
            (/** @type {number} */ v, /** @type {number} */ i) =>
              v > 0 &&
              html`<rect x=${i * step} y=${hgt - Math.max(1, (v / most) * hgt)} width=${Math.max(1, step - 0.5)} height=${Math.max(1, (v / most) * hgt)} />`,
          )
        : html`<path d=${values.map((/** @type {number} */ v, /** @type {number} */ i) => `${i ? 'L' : 'M'}${(i * step).toFixed(1)} ${(hgt - 1 - (v / most) * (hgt - 2)).toFixed(1)}`).join('')} />`
    }
  </svg>`
}
/** Where a record stands: its stream, partition and offset, opened on demand word for word. */
export const Place = (/** @type {Rec} */ { stream, partition, offset }) =>
  stream && partition >= 0 && offset >= 0
    ? html`<a class="small mono" href=${`/api/v1/records/${stream}/${partition}/${offset}`} target="_blank" rel="noopener">${stream} ${partition}/${offset}</a>`
    : null
export const Copy = (/** @type {Rec} */ { text, children }) =>
  html`<button type="button" onClick=${() =>
    navigator.clipboard?.writeText(text).then(
      () => toast('Copied'),
      () => toast('The browser does not let this page copy', true),
    )}>${children}</button>`
