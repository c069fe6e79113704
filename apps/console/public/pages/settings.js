/** How far the machine may go: ladder, what is protected, maintenance; and who you are. */
import { useSignal } from '@preact/signals'
import { useState } from 'preact/hooks'
import { api, environment, may, say, session, status, version } from '/console/store.js'
import { Ask, Empty, Failed, html, Loading, MODES, Time, toast, useLoad } from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
const ACTIONS = ['restart', 'start', 'scale_out', 'rollback_deploy', 'revert_config', 'raise_limit', 'clean_disk', 'page']
export const Settings = () => {
  const names = (status.value?.environments ?? []).map((/** @type {Rec} */ e) => e.name)
  const [chosen, setChosen] = useState('')
  const name = environment.value || chosen || names[0] || ''
  const control = useLoad(
    async () => (name ? (await api(`/api/v1/controls/${encodeURIComponent(name)}`)).body : null),
    [name, version('controls-history')],
  )
  const past = useLoad(
    async () => (name ? (await api(`/api/v1/controls-history?environment=${encodeURIComponent(name)}&limit=10`)).body : []),
    [name, version('controls-history')],
  )
  const asking = useSignal(/** @type {Rec | null} */ (null))
  const [entity, setEntity] = useState('')
  const [reason, setReason] = useState('')
  const [minutes, setMinutes] = useState('60')
  const c = control.value ?? {}
  const isMode = (status.value?.environments ?? []).find((/** @type {Rec} */ e) => e.name === name)?.mode ?? 'suggest'
  const set = (/** @type {Rec} */ change, /** @type {string} */ words) => {
    asking.value = { change, words }
  }
  const put = async () => {
    await say(
      'PUT',
      `/api/v1/controls/${encodeURIComponent(name)}`,
      asking.value?.change,
      c.version ? { 'if-match': `"${c.version}"` } : {},
    )
    toast('Said; it is in force with the next tick')
    setEntity('')
    setReason('')
  }
  const writable = may('control')
  const select = (
    /** @type {string} */ value,
    /** @type {(m: string) => void} */ change,
    /** @type {string} */ label,
    /** @type {string} */ none = '',
  ) =>
    html`<select aria-label=${label} value=${value} disabled=${!writable} onChange=${(/** @type {any} */ e) => {
      const m = e.currentTarget.value
      e.currentTarget.value = value
      if (m) change(m)
    }}>${none && html`<option value="">${none}</option>`}${Object.keys(MODES).map(m => html`<option value=${m}>${m}: ${MODES[m]}</option>`)}</select>`
  return html`<div class="row between"><h1>Settings</h1>${!environment.value && names.length > 1 && html`<label>Environment <select value=${name} onChange=${(/** @type {any} */ e) => setChosen(e.currentTarget.value)}>${names.map((/** @type {string} */ n) => html`<option>${n}</option>`)}</select></label>`}</div>
    ${!writable && html`<p class="card">You may look, and not set: that needs a key with the scope "control". <a href="/login">Log in</a></p>`}
    ${
      control.error
        ? html`<${Failed} ...${control} />`
        : !control.value
          ? html`<${Loading} />`
          : html`<div class="two">
      <section class="card" aria-labelledby="ladder"><h2 id="ladder">Ladder of ${name}</h2><p class="small dim">How far each action may go without a person. The guard only ever lowers it.</p>
        <div class="scroll"><table><thead><tr><th scope="col">Action</th><th scope="col">May go as far as</th></tr></thead><tbody><tr><td><b>everything else</b></td><td>${select(c.default_mode || isMode, m => set({ default_mode: m }, `Everything without a word of its own may go as far as "${m}" (${MODES[m]}).`), 'Default mode')}</td></tr>
        ${[...new Set([...ACTIONS, ...Object.keys(c.ladder ?? {})])].map(a => html`<tr key=${a}><td class="mono">${a}</td><td>${select(c.ladder?.[a] ?? '', m => set({ ladder: { [a]: m } }, `${a} may go as far as "${m}" (${MODES[m]}).`), `Mode of ${a}`, 'as everything else')}</td></tr>`)}</tbody></table></div></section>
      <div><section class="card" aria-labelledby="protected"><h2 id="protected">Protected</h2><p class="small dim">Nothing is done to these.</p>${(c.protected ?? []).length === 0 ? html`<${Empty}>Nothing is protected.</${Empty}>` : c.protected.map((/** @type {string} */ p) => html`<div class="row between item"><span class="mono">${p}</span><button disabled=${!writable} onClick=${() => set({ protected: c.protected.filter((/** @type {string} */ x) => x !== p) }, `${p} is protected no more.`)}>Remove</button></div>`)}
        <form class="row" style="margin-top:.6rem" onSubmit=${(/** @type {Event} */ e) => {
          e.preventDefault()
          if (entity) set({ protected: [...new Set([...(c.protected ?? []), entity])] }, `Nothing is done to ${entity} any more.`)
        }}><input aria-label="Entity to protect" placeholder="service:database" value=${entity} onInput=${(/** @type {any} */ e) => setEntity(e.currentTarget.value)} /><button disabled=${!writable || !entity}>Protect</button></form></section>
      <section class="card" aria-labelledby="maintenance"><h2 id="maintenance">Maintenance</h2><p class="small dim">Disruptive actions are only suggested meanwhile.</p>${(c.maintenance ?? []).length === 0 ? html`<${Empty}>No window is set.</${Empty}>` : c.maintenance.map((/** @type {Rec} */ w) => html`<div class="item"><${Time} at=${w.from} /> to <${Time} at=${w.to} />: ${w.reason}${w.entities?.length ? ` (${w.entities.join(', ')})` : ''}</div>`)}
        <form class="row" style="margin-top:.6rem" onSubmit=${(/** @type {Event} */ e) => {
          e.preventDefault()
          const from = Date.now() * 1000
          set(
            { maintenance: [...(c.maintenance ?? []), { from, to: from + Number(minutes) * 60e6, reason }] },
            `Maintenance for ${minutes} minutes from now: ${reason}.`,
          )
        }}><input aria-label="Reason" placeholder="reason" value=${reason} onInput=${(/** @type {any} */ e) => setReason(e.currentTarget.value)} /><label><input aria-label="Minutes" type="number" min="1" max="10080" style="width:6rem" value=${minutes} onInput=${(/** @type {any} */ e) => setMinutes(e.currentTarget.value)} /> minutes</label><button disabled=${!writable || !reason}>Begin</button></form></section></div>
      <div><section class="card" aria-labelledby="past"><h2 id="past">Who set what</h2>${
        (past.value ?? []).length === 0
          ? html`<${Empty}>Nothing was set: the shipped defaults hold.</${Empty}>`
          : past.value.map(
              (/** @type {Rec} */ p) =>
                html`<div class="item small"><b>${p.who}</b>, version ${p.version}, <${Time} at=${p.time} />: ${p.kill_switch ? 'STOPPED, ' : ''}mode ${p.default_mode || 'as shipped'}${
                  Object.keys(p.ladder ?? {}).length
                    ? `, ${Object.entries(p.ladder)
                        .map(([a, m]) => `${a} ${m}`)
                        .join(', ')}`
                    : ''
                }</div>`,
            )
      }</section>
      <section class="card" aria-labelledby="you"><h2 id="you">Keys</h2><dl><dt>You are</dt><dd>${session.value?.name ?? '…'}</dd><dt>You may</dt><dd>${session.value?.scopes?.join(', ') || 'nothing'}</dd><dt>In</dt><dd>${session.value?.environments?.join(', ') ?? ''}</dd></dl><p class="small dim"><code>aegis keys add|list|rotate|revoke</code> keeps the keys.</p></section></div></div>`
    }
    ${asking.value && html`<${Ask} title=${`Set this for ${name}?`} action="Set it" onDo=${put} onClose=${() => (asking.value = null)}><p>${asking.value.words}</p></${Ask}>`}`
}
