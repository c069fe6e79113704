/** One incident, from the line as it was written to what became of it. */
import { useSignal } from '@preact/signals'
import { useState } from 'preact/hooks'
import { Approve } from '/console/approve.js'
import { Chart } from '/console/chart.js'
import { Graph } from '/console/graph.js'
import { sentenceOf } from '/console/pages/now.js'
import { api, byId, say, version } from '/console/store.js'
import {
  Age,
  Ask,
  Copy,
  clock,
  Empty,
  Entity,
  Failed,
  html,
  Loading,
  lasted,
  MODES,
  Place,
  percent,
  plainName,
  Severity,
  State,
  Time,
  tell,
  toast,
  useLoad,
} from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
const KINDS = /** @type {Rec} */ ({
  anomaly: 'anomaly',
  change: 'change',
  build: 'build',
  decision: 'decision',
  approval: 'person',
  outcome: 'outcome',
  fix: 'person',
  feedback: 'person',
  timeline: 'sign',
})

const Evidence = (/** @type {Rec} */ { list }) => {
  const [all, setAll] = useState(false)
  const shown = all ? list : list.slice(0, 6)
  return html`${shown.map((/** @type {Rec} */ e, /** @type {number} */ i) => html`<div key=${i}>${e.kind === 'log' ? html`<pre>${e.text}</pre>` : html`<p class="wrap">${e.text}</p>`}<p class="small dim row"><span>${plainName(e.entity)}</span><${Time} at=${e.time} /><${Place} ...${e} /></p></div>`)}
    ${list.length > 6 && html`<button class="plain" onClick=${() => setAll(!all)}>${all ? 'fewer' : `all ${list.length}`}</button>`}`
}
const Cause = (
  /** @type {Rec} */ { cause, first, named },
) => html`<article class="item"><div class="row between"><h3 style="margin:0">${first ? (named ? 'Cause: ' : 'First suspect: ') : ''}<${Entity} id=${cause.entity} /></h3><span class="small">${percent(cause.confidence)}${cause.fault_kind && cause.fault_kind !== 'unknown' ? ` · ${cause.fault_kind}` : ''}</span></div>
  <div class="meter" role="img" aria-label=${`confidence ${percent(cause.confidence)}`}><i style=${`width:${Math.round(cause.confidence * 100)}%`}></i></div>
  <p class="wrap">${cause.explanation}</p>
  ${cause.path?.length > 1 && html`<p class="small">Way: ${cause.path.map((/** @type {string} */ e, /** @type {number} */ i) => html`${i ? ' → ' : ''}<${Entity} id=${e} />`)}</p>`}
  ${first && cause.evidence.length > 0 && html`<h3>What speaks for it, as it was written</h3><${Evidence} list=${cause.evidence} />`}
  ${cause.against?.length > 0 && html`<h3>${first ? 'What speaks against it' : 'Why it is not'}</h3><ul class="small">${cause.against.map((/** @type {string} */ a) => html`<li class="wrap">${a}</li>`)}</ul>`}</article>`

export const DecisionCard = (/** @type {Rec} */ { d, outcomes = [], approvals = [], open }) => {
  const [replay, setReplay] = useState(/** @type {Rec | null} */ (null))
  const own = outcomes.filter((/** @type {Rec} */ o) => o.decision === d.decision)
  const words = approvals.filter((/** @type {Rec} */ a) => a.decision === d.decision)
  const dry = own.some((/** @type {Rec} */ o) => /^dry run\b/.test(o.receipt))
  const others = [...d.candidates]
    .filter((/** @type {Rec} */ c) => c.action !== d.action || c.target !== d.target)
    .sort((/** @type {Rec} */ a, /** @type {Rec} */ b) => b.probability - a.probability)
  const again = async () => {
    try {
      setReplay((await api(`/api/v1/decisions/${d.decision}/replay`)).body)
    } catch (error) {
      tell(error)
    }
  }
  return html`<article class="item"><div class="row between"><span class="row"><b>${d.action} <${Entity} id=${d.target} /></b><${State} is=${d.mode} /><span class="small dim">${MODES[d.mode] ?? ''}</span>${dry && html`<span class="tag warn">DRY RUN: nothing was changed</span>`}</span><span class="small dim"><${Time} at=${d.time} /></span></div>
    <p class="wrap">${d.explanation}</p>
    ${d.mode === 'approve' && open && words.length === 0 && own.length === 0 && html`<div class="row"><${Approve} decision=${d} over=${false} /></div>`}
    ${words.map((/** @type {Rec} */ a) => html`<p class="small" key=${a.id}><b>${a.who}</b> ${a.approved ? 'approved' : 'rejected'} it <${Age} since=${a.time} />${a.note ? `: ${a.note}` : ''}</p>`)}
    ${own.length > 0 && html`<ol class="small">${own.map((/** @type {Rec} */ o) => html`<li class="wrap" key=${o.id}><${State} is=${o.status} /> <${Time} at=${o.time} /> ${o.receipt || o.error}${o.seconds_to_recover ? `, well after ${o.seconds_to_recover.toFixed(1)} s` : ''}</li>`)}</ol>`}
    <details><summary>Why, and what else was weighed</summary>
      <ul class="small">${d.reasons.map((/** @type {string} */ r) => html`<li class="wrap">${r}</li>`)}</ul>
      ${
        others.length > 0 &&
        html`<p class="small">Runner-up: ${others
          .slice(0, 3)
          .map((/** @type {Rec} */ c) => `${c.action} ${plainName(c.target)} (${percent(c.probability)})`)
          .join(', ')}</p>`
      }
      <p class="small dim">Policy ${d.policy} ${d.policy_version}, seed ${d.seed}, chance of this choice ${percent(d.propensity)}</p>
      <div class="row"><button onClick=${again}>Replay the guard</button><code>aegis replay-decision ${d.decision}</code></div>
      ${replay && html`<p class="small" role="status">${replay.same ? html`<span class="tag good">same verdict</span> ` : html`<span class="tag bad">another verdict</span> `}on the recorded facts: ${replay.mode}. ${replay.reasons.join('; ')}</p>`}
    </details></article>`
}
const Say = (/** @type {Rec} */ { incident, again }) => {
  const asking = useSignal('')
  const [cause, setCause] = useState('')
  const [command, setCommand] = useState('')
  const [worked, setWorked] = useState(true)
  const names = [...new Set([...incident.causes.map((/** @type {Rec} */ c) => c.entity), ...incident.entities])]
  const close = () => (asking.value = '')
  return html`<div class="row"><button onClick=${() => {
    setCause(names[0] ?? '')
    asking.value = 'cause'
  }}>Confirm the cause…</button><button onClick=${() => (asking.value = 'fix')}>Record a fix…</button><${Copy} text=${slack(incident)}>Copy for Slack</${Copy}></div>
    ${
      asking.value === 'cause' &&
      html`<${Ask} title="What was the cause?" action="Confirm" onClose=${close} onDo=${async () => {
        await say('POST', `/api/v1/incidents/${incident.id}/cause`, { cause })
        toast('Kept: the ranking learns from it')
        again()
      }}>
      <label class="block"><span>Entity</span><select value=${cause} onChange=${(/** @type {any} */ e) => setCause(e.currentTarget.value)}>${names.map(n => html`<option>${n}</option>`)}</select></label></${Ask}>`
    }
    ${
      asking.value === 'fix' &&
      html`<${Ask} title="What did you do?" action="Record" onClose=${close} onDo=${async () => {
        await say('POST', `/api/v1/incidents/${incident.id}/fixes`, { command, success: worked })
        toast('Kept: it is suggested when it looks like this again')
        again()
      }}>
      <label class="block"><span>Command, as typed</span><input required value=${command} style="width:100%" onInput=${(/** @type {any} */ e) => setCommand(e.currentTarget.value)} /></label>
      <label><input type="checkbox" checked=${worked} onChange=${(/** @type {any} */ e) => setWorked(e.currentTarget.checked)} /> it helped</label></${Ask}>`
    }`
}
const slack = (/** @type {Rec} */ i) =>
  `*${i.severity}* incident in \`${i.environment}\` since ${clock(i.started)}: ${sentenceOf(i)}\n${location.origin}/i/${i.id}`

const Guilty = (/** @type {Rec} */ { detail }) => {
  const { incident, anomalies, changes } = detail
  const guilty = anomalies
    .flatMap((/** @type {Rec} */ a) => a.series.map((/** @type {Rec} */ s) => ({ ...s, entity: a.entity })))
    .sort((/** @type {Rec} */ a, /** @type {Rec} */ b) => b.score - a.score)
    .slice(0, 6)
  const { value } = useLoad(async () => {
    const found = await Promise.all(
      guilty.map(
        async (/** @type {Rec} */ g) =>
          (
            await api(
              `/api/v1/series?environment=${encodeURIComponent(incident.environment)}&entity=${encodeURIComponent(g.entity)}&metric=${encodeURIComponent(g.metric)}&limit=20`,
            )
          ).body,
      ),
    )
    return guilty.map((/** @type {Rec} */ g, /** @type {number} */ i) => ({
      ...g,
      live: found[i].find((/** @type {Rec} */ s) => s.metric === g.metric) ?? found[i][0],
    }))
  }, [incident.id, guilty.map((/** @type {Rec} */ g) => `${g.entity}${g.metric}`).join()])
  if (guilty.length === 0) return null
  const marks = changes.map((/** @type {Rec} */ c) => ({ time: c.time, text: c.kind }))
  return html`<section class="card" aria-labelledby="series"><h2 id="series">Guilty series</h2>
    <div class="charts">${(value ?? guilty).map(
      (
        /** @type {Rec} */ g,
      ) => html`<div key=${g.entity + g.metric}>${g.live && g.live.times.length > 1 ? html`<${Chart} title=${`${plainName(g.entity)}: ${g.metric}`} times=${g.live.times} values=${g.live.values} unit=${g.unit} band=${[g.expected_low, g.expected_high]} marks=${marks} />` : html`<p class="wrap"><b>${plainName(g.entity)}: ${g.metric}</b></p>`}
      <p class="small dim">was ${num(g.value)}${unit(g)}, expected ${num(g.expected_low)} to ${num(g.expected_high)}${unit(g)}</p></div>`,
    )}</div>
    ${marks.length > 0 && html`<p class="small dim">Dashed lines are changes; the green band is what was expected.</p>`}</section>`
}
const num = (/** @type {number} */ v) => (Math.abs(v) >= 1000 ? v.toFixed(0) : String(Number(v.toPrecision(3))))
const unit = (/** @type {Rec} */ s) => (s.unit && s.unit !== '1' ? ` ${s.unit}` : '')

const Advice = (/** @type {Rec} */ { id, revision }) => {
  const { value } = useLoad(
    async () =>
      (
        await api('/api/v1/advise', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ incident: id }),
        })
      ).body,
    [id, revision],
  )
  const all = value?.suggestions ?? []
  if (all.length === 0) return null
  return html`<section class="card" aria-labelledby="advice"><h2 id="advice">What would make it steadier</h2>${all.slice(0, 4).map((/** @type {Rec} */ s) => html`<div class="item" key=${s.kind}><p><span class="tag">${s.category}: ${s.kind.replace('_', ' ')}</span> ${s.suggestion}</p><p class="small dim wrap">${s.evidence.join('; ')}. ${s.expected_effect}</p></div>`)}</section>`
}
export const Incident = (/** @type {Rec} */ { id }) => {
  const seen = ['incidents', 'decisions', 'outcomes', 'approvals', 'feedback', 'fixes'].map(version).join()
  const { value, error, again } = useLoad(async () => (await api(`/api/v1/incidents/${encodeURIComponent(id)}`)).body, [id, seen])
  if (!value) return error ? html`<${Failed} error=${error} again=${again} />` : html`<${Loading} />`
  const incident = byId('incidents', id) ?? value.incident
  const isOpen = ['open', 'updated', 'reopened', 'mitigated'].includes(incident.state)
  const decisions = [...value.decisions].filter((/** @type {Rec} */ d) => d.mode !== 'shadow').reverse()
  const [first, ...others] = incident.causes
  return html`<p class="small"><a href="/">Now</a> / incident</p>
    <section class="card" aria-labelledby="what"><div class="row between"><span class="row"><${Severity} is=${incident.severity} /><${State} is=${incident.state} /><span class="dim">${incident.environment}</span></span>
      <span class="small dim">since <${Time} at=${incident.started} />, ${incident.ended ? `lasted ${lasted(incident.ended - incident.started)}` : html`for <${Age} since=${incident.started} ago=${false} />`}</span></div>
      <h1 id="what" class="sentence wrap" aria-live="polite">${sentenceOf(incident)}</h1>
      <p class="wrap dim">${incident.explanation}</p>
      <${Say} incident=${incident} again=${again} />
      <p class="small dim">${incident.id}, revision ${incident.revision} <${Place} stream="incidents" ...${value.ref ?? {}} /></p></section>
    <div class="grid"><div>
      ${decisions.length > 0 && html`<section class="card" aria-labelledby="decided"><h2 id="decided">What is done about it</h2>${decisions.map((/** @type {Rec} */ d) => html`<${DecisionCard} d=${d} outcomes=${value.outcomes} approvals=${value.approvals} open=${isOpen} key=${d.decision} />`)}</section>`}
      <section class="card" aria-labelledby="why"><h2 id="why">Why</h2>${first ? html`<${Cause} cause=${first} first named=${incident.verdict === 'cause_named'} />` : html`<${Empty}>No suspect yet.</${Empty}>`}
        ${others.length > 0 && html`<details><summary>${others.length} rejected or less likely</summary>${others.map((/** @type {Rec} */ c) => html`<${Cause} cause=${c} key=${c.entity} />`)}</details>`}</section>
      <${Guilty} detail=${{ ...value, incident }} />
      ${incident.graph.length > 0 && html`<section class="card" aria-labelledby="path"><h2 id="path">Where it runs</h2><div class="map" style="height:320px"><${Graph} edges=${incident.graph} bad=${new Map((incident.health ?? []).map((/** @type {Rec} */ h) => [h.entity, h.score]))} focus=${first?.path ?? []} least=${640} /></div></section>`}
    </div><div>
      <section class="card" aria-labelledby="account"><h2 id="account">In the order of time</h2>${value.timeline.map((/** @type {Rec} */ t, /** @type {number} */ i) => html`<div class="time small" key=${i}><${Time} at=${t.time} /><span class="tag">${KINDS[t.kind] ?? t.kind}</span><span class="what wrap"><b>${plainName(t.entity)}</b> ${t.text} ${t.ref && html`<${Place} stream=${STREAMS[t.ref.kind] ?? t.ref.kind} ...${t.ref} />`}</span></div>`)}</section>
      ${value.fixes.length > 0 && html`<section class="card"><h2>Done by hand</h2>${value.fixes.map((/** @type {Rec} */ f) => html`<div class="item small" key=${f.id}><code>${f.command}</code><p>${f.who}: ${f.success ? 'it helped' : 'it did not help'}</p></div>`)}</section>`}
      <${Advice} id=${id} revision=${incident.revision} />
    </div></div>`
}
const STREAMS = /** @type {Rec} */ ({
  decisions: 'remediation.decisions',
  outcomes: 'remediation.outcomes',
  approvals: 'remediation.approvals',
  feedback: 'incident.feedback',
  fixes: 'manual.fixes',
  builds: 'ci.diagnoses',
})
