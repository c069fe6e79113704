import type { StateView } from '@aegis/api'

const newest = <T>(values: Iterable<T>, n: number): T[] => [...values].slice(-n)

/** The live console: one page without a build step. What is known is in the page; what comes next arrives by server-sent events. */
export const consolePage = (view: StateView): string => {
  const state = {
    incidents: newest(view.incidents.values(), 30),
    decisions: newest(view.decisions.values(), 30),
    outcomes: newest(view.outcomes.values(), 30).flat(),
  }
  // A closing tag inside a log line must not end the script.
  return PAGE.replace('"STATE"', () => JSON.stringify(state).replaceAll('<', '\\u003c'))
}

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Aegis</title>
<style>
:root{color-scheme:dark;--bg:#0f1419;--card:#171d24;--line:#27313b;--text:#e3e9ef;--dim:#8b98a5;--red:#ff6b6b;--amber:#ffc14d;--green:#4cd37a;--blue:#6cb6ff}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);font:14px/1.5 system-ui,sans-serif}
header{display:flex;gap:16px;align-items:baseline;padding:16px 24px;border-bottom:1px solid var(--line)}h1{font-size:18px;margin:0}header span{color:var(--dim)}
main{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:24px;padding:24px}@media(max-width:900px){main{grid-template-columns:1fr}}
h2{font-size:13px;text-transform:uppercase;letter-spacing:.08em;color:var(--dim);margin:0 0 12px}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px;margin-bottom:12px}.card.closed{opacity:.65}
.top{display:flex;justify-content:space-between;gap:12px}.state{font-weight:600}.state.open,.state.updated,.state.reopened{color:var(--red)}.state.mitigated{color:var(--amber)}.state.closed{color:var(--green)}
.cause{margin:8px 0 0;padding:8px 12px;border-left:3px solid var(--line)}.cause.first{border-color:var(--red)}.bar{height:4px;background:var(--line);border-radius:2px;margin:4px 0}.bar i{display:block;height:4px;background:var(--red);border-radius:2px}
code,pre{font:12px/1.45 ui-monospace,monospace;color:var(--blue);white-space:pre-wrap;word-break:break-word;margin:2px 0}small{color:var(--dim)}.empty{color:var(--dim);padding:24px;text-align:center;border:1px dashed var(--line);border-radius:8px}
.line{display:grid;grid-template-columns:76px 1fr;gap:8px;padding:4px 0;border-bottom:1px solid var(--line)}.done{color:var(--green)}.failed,.refuse{color:var(--red)}.act{color:var(--amber)}
</style></head><body>
<header><h1>Aegis</h1><span id="live">connecting…</span></header>
<main><section><h2>Incidents</h2><div id="incidents"></div></section><section><h2>Decisions</h2><div id="decisions"></div><h2>Live</h2><div id="feed" class="card"></div></section></main>
<script>
const incidents=new Map(),decisions=new Map(),outcomes=new Map(),$=id=>document.getElementById(id)
const esc=t=>String(t??'').replace(/[&<>"]/g,c=>({'&':'&amp;','<':'&lt;','>':'&gt;','"':'&quot;'}[c]))
const clock=us=>new Date(us/1000).toLocaleTimeString()
const newest=m=>[...m.values()].sort((a,b)=>b.time-a.time)
function causeHtml(c,i){return '<div class="cause '+(i?'':'first')+'"><b>'+esc(c.entity)+'</b> <small>'+Math.round(c.confidence*100)+' % · '+esc(c.fault_kind)+'</small><div class="bar"><i style="width:'+Math.round(c.confidence*100)+'%"></i></div>'+esc(c.explanation)+(i?'':(c.evidence||[]).slice(0,4).map(e=>'<pre>'+esc(e.text)+'</pre>').join(''))+'</div>'}
function draw(){
$('incidents').innerHTML=newest(incidents).slice(0,30).map(i=>'<div class="card '+esc(i.state)+'"><div class="top"><span><span class="state '+esc(i.state)+'">'+esc(i.state)+'</span> · '+esc(i.severity)+' · '+esc(i.environment)+'</span><small>'+clock(i.started)+' · '+esc(i.id)+'</small></div>'+esc(i.explanation)+(i.causes||[]).slice(0,3).map(causeHtml).join('')+'</div>').join('')||'<div class="empty">No incident. Everything that reports is within its bounds.</div>'
$('decisions').innerHTML=newest(decisions).slice(0,20).map(d=>{const o=(outcomes.get(d.decision)||[]).map(x=>'<span class="'+esc(x.status)+'">'+esc(x.status)+'</span>').join(' → ');return '<div class="card"><div class="top"><b class="'+esc(d.mode)+'">'+esc(d.mode)+': '+esc(d.action)+' '+esc(d.target)+'</b><small>'+clock(d.time)+'</small></div>'+esc(d.explanation)+'<div>'+o+'</div>'+(d.reasons||[]).map(r=>'<small>'+esc(r)+'</small>').join('<br>')+'</div>'}).join('')||'<div class="empty">No decision yet.</div>'}
function take(s,v){if(s==='incidents')incidents.set(v.id,v);else if(s==='remediation.decisions')decisions.set(v.decision,v);else if(s==='remediation.outcomes'){const l=outcomes.get(v.decision)||[];if(!l.some(x=>x.id===v.id))l.push(v);outcomes.set(v.decision,l)}}
function feed(s,v){const d=document.createElement('div');d.className='line';d.innerHTML='<small>'+clock(v.time)+'</small><span>'+esc(s)+' '+esc(v.state||v.status||'')+' <small>'+esc(v.summary||v.explanation||v.entity||v.action||'')+'</small></span>';$('feed').prepend(d);while($('feed').children.length>60)$('feed').lastChild.remove()}
function start(){const known="STATE";for(const v of known.incidents)take('incidents',v);for(const v of known.decisions)take('remediation.decisions',v);for(const v of known.outcomes)take('remediation.outcomes',v);draw()
const e=new EventSource('/api/v1/events');let lost=false;e.onopen=()=>{if(lost)location.reload();$('live').textContent='live'};e.onerror=()=>{lost=true;$('live').textContent='connection lost, trying again…'}
for(const s of ['incidents','anomalies','remediation.decisions','remediation.outcomes','changes'])e.addEventListener(s,m=>{const v=JSON.parse(m.data);take(s,v);feed(s,v);draw()})}
start()
</script></body></html>`
