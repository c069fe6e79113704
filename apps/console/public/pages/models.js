/** What answers and decides: models with their states, how they do, what is tried against what. */
import { api, now, version } from '/console/store.js'
import { Empty, Failed, html, Loading, number, percent, State, Time, useLoad } from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
export const Models = () => {
  const models = useLoad(async () => (await api('/api/v1/models?limit=200')).body, [version('models')])
  const live = useLoad(async () => (await api('/api/v1/metrics/model-performance')).body, [Math.floor(now.value / 5e6)])
  const trials = useLoad(async () => (await api('/api/v1/experiments')).body, [version('controls-history')])
  const ms = (/** @type {any} */ v) => (v === null || v === undefined ? '–' : `${number(v)} ms`)
  return html`<h1>Models</h1>
    <section class="card" aria-labelledby="live"><h2 id="live">What answers questions here</h2>${!live.value ? (live.error ? html`<${Failed} ...${live} />` : html`<${Loading} />`) : html`<div class="scroll"><table><thead><tr><th scope="col">Who</th><th scope="col">What</th><th scope="col" class="num">Answers</th><th scope="col" class="num">Found</th><th scope="col" class="num">Mean confidence</th><th scope="col" class="num">p50</th><th scope="col" class="num">p99</th><th scope="col">Trained on</th></tr></thead><tbody>${Object.entries(live.value).map(([name, m]) => html`<tr key=${name}><td><b>${name.replace('_', ' ')}</b></td><td>${m.type}${m.metrics !== undefined ? `, ${m.trained_metrics} of ${m.metrics} metrics` : ''}</td><td class="num">${m.predictions}</td><td class="num">${m.detected_share === null ? '–' : percent(m.detected_share)}</td><td class="num">${m.mean_confidence === null ? '–' : percent(m.mean_confidence)}</td><td class="num">${ms(m.latency_ms?.p50)}</td><td class="num">${ms(m.latency_ms?.p99)}</td><td class="wrap small">${m.trained_on ?? 'nothing: rules'}</td></tr>`)}</tbody></table></div>`}</section>
    <section class="card" aria-labelledby="registry"><h2 id="registry">Registry</h2>${
      !models.value
        ? html`<${Loading} />`
        : models.value.length === 0
          ? html`<${Empty}>No model was put on the stream <code>models</code>: what ships decides. <code>aegis models</code> and <code>aegis policy</code> change that.</${Empty}>`
          : html`<div class="scroll"><table><thead><tr><th scope="col">Model</th><th scope="col">Version</th><th scope="col">State</th><th scope="col">Since</th><th scope="col">Figures</th></tr></thead><tbody>${models.value.map(
              (/** @type {Rec} */ m) =>
                html`<tr key=${m.id + m.version}><td>${m.id}</td><td class="mono wrap">${m.version}</td><td><${State} is=${m.state.replace('_', ' ')} /></td><td><${Time} at=${m.time} /></td><td class="small">${Object.entries(
                  m.metrics ?? {},
                )
                  .slice(0, 6)
                  .map(([k, v]) => `${k} ${number(Number(v))}`)
                  .join(', ')}</td></tr>`,
            )}</tbody></table></div>`
    }</section>
    <section class="card" aria-labelledby="trials"><h2 id="trials">Experiments</h2>${(trials.value ?? []).length === 0 ? html`<${Empty}>None was set. <code>aegis experiment</code> puts two policies against each other.</${Empty}>` : trials.value.map((/** @type {Rec} */ t) => html`<div class="item"><b>${t.name}</b> in ${t.environment}: ${t.state}, ${t.arms.map((/** @type {Rec} */ a) => `${a.name} (${a.policy}) ${a.share} %`).join(' against ')} <span class="dim small">by ${t.who} <${Time} at=${t.time} /></span></div>`)}</section>`
}
