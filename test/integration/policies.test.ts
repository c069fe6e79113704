/** The remediator on real servers: who decides is what the models stream says, without a restart, and an unsafe act puts the rule table in charge. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  type Decision,
  decisions,
  type Incident,
  incidents,
  type ModelVersion,
  models,
  outcomes,
  seededRandom,
} from '@aegis/domain'
import { IncidentSim } from '@aegis/lab/remediation/incident-sim'
import { CANDIDATE_MODEL, POLICY_MODEL } from '@aegis/model-registry'
import { encodeSituation, LoadedModel, optionsOf } from '@aegis/remediation'
import { shippedIncidentModel } from '@aegis/remediation/shipped-model'
import { remediator } from '@aegis/remediator'
import { type ServiceContext, type ServiceDefinition, streamList } from '@aegis/runtime'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { servicesHere, until } from './services-here.ts'

const environment = `policies-${randomUUID()}`
const folder = mkdtempSync(path.join(tmpdir(), 'aegis-policies-'))
const { start, cli, stop } = servicesHere({ AEGIS_ENVIRONMENT_MODES: `${environment}=act` })

const made: Decision[] = []
const versions: ModelVersion[] = []
let context: ServiceContext
/** Stands for the gateway: incidents, outcomes and the clock. */
const clock: ServiceDefinition = {
  name: 'test-clock',
  about: 'Incidents and ticks.',
  settings: {},
  follows: streamList(models),
  publishes: streamList(incidents, outcomes),
  tails: streamList(models, decisions),
  clock: true,
  create: (_config, given) => {
    context = given
    return { stages: [] }
  },
}
const tick = async () => {
  await context.tick({ environment: '*', time: context.now(), final: false })
}
/** The clock has heard of it, so the next tick names it. */
const heard = (id: string, version: string, state: string) =>
  until(`${id} ${version} ${state}`, () => {
    const latest = context.latest(models, id)
    return latest?.version === version && latest.state === state ? latest : undefined
  })
let count = 0
/** An incident that nobody has seen yet, and the decisions made about it. */
async function decide(fault: string, wanted: number): Promise<Decision[]> {
  const id = `${environment}-${++count}`
  const now = context.now()
  const entity = `service:s${count}`
  const incident: Incident = {
    id,
    environment,
    time: now,
    state: 'open',
    revision: 2,
    severity: 'high',
    started: now - 5_000_000,
    entities: [entity],
    anomalies: ['a'],
    health: [{ entity, score: 0.6 }],
    verdict: 'cause_named',
    causes: [
      {
        entity,
        confidence: 0.9,
        score: 1,
        path: [entity],
        metrics: ['m'],
        evidence: [{ kind: 'log', entity, text: 'x', time: now, stream: 'logs.raw' }],
        against: [],
        explanation: 'it is.',
        fault_kind: fault,
      },
    ],
    timeline: [],
    graph: [],
    explanation: '',
  }
  await tick()
  await context.publish(incidents, [incident])
  await tick()
  return until(`${wanted} decisions about ${id}`, () => {
    const found = made.filter(d => d.incident === id)
    return found.length >= wanted ? found : undefined
  })
}
const said = async (d: Decision, status: string, health: readonly [number, number]) => {
  await context.publish(outcomes, [
    {
      id: `${d.decision}-${status}`,
      environment,
      time: context.now(),
      decision: d.decision,
      incident: d.incident,
      action: d.action,
      target: d.target,
      status,
      health_before: health[0],
      health_after: health[1],
    },
  ])
  await tick()
}
/** Decisions of somebody who picks anything; the shipped model's own choices are the ones that pay. */
function log(): string {
  const model = new LoadedModel(shippedIncidentModel())
  const sim = new IncidentSim()
  const random = seededRandom(2)
  const lines = Array.from({ length: 4000 }, (_, seed) => {
    sim.reset(seed)
    const situation = encodeSituation(sim.incident, [])
    const options = optionsOf(sim.incident.causes, [], 0.4)
    const open = options.filter(o => o.allowed)
    const { action, target } = open[Math.floor(random() * open.length)]
    const best =
      options[
        model.consider(
          situation,
          options.map(o => o.allowed),
        )
      ]
    const candidates = open.map(o => ({ action: o.action, target: o.target, probability: 1 / open.length }))
    return JSON.stringify({ situation: [...situation], action, target, candidates, reward: best.action === action ? 1 : 0 })
  })
  const file = path.join(folder, 'log.jsonl')
  writeFileSync(file, lines.join('\n'))
  return file
}

beforeAll(async () => {
  await start(clock)
  const began = context.now()
  await start(remediator as unknown as ServiceDefinition)
  await context.tail(streamList(models, decisions), 'start', list => {
    for (const { stream, value } of list) {
      const { id, time } = value as ModelVersion
      if (stream === models.name && id === POLICY_MODEL && time >= began) versions.push(value as ModelVersion)
      else if ((value as Decision).environment === environment) made.push(value as Decision)
    }
  })
  // On servers that were used before, somebody may have been put in charge.
  const present = context.latest(models, POLICY_MODEL)
  if (present && present.version !== 'rules') {
    cli('policy', 'rollback', '--to', 'rules')
    await heard(POLICY_MODEL, 'rules', 'held')
  }
})
afterAll(async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
})

it('shadows, promotes, demotes and goes back while the remediator runs', async () => {
  const { version } = shippedIncidentModel()
  expect((await decide('disk', 1))[0]).toMatchObject({ policy: 'rules', mode: 'act' })

  expect(cli('policy', 'shadow', 'shipped-incidents')).toContain('runs in shadow from the next tick on')
  await heard(CANDIDATE_MODEL, version, 'candidate')
  const [real, shadow] = await decide('disk', 2)
  expect(real).toMatchObject({ policy: 'rules', mode: 'act' })
  expect(shadow).toMatchObject({ policy: 'incident-ppo', policy_version: version, mode: 'shadow' })

  expect(cli('policy', 'promote', 'shipped-incidents', '--log', log())).toMatch(
    /promote: .*\nincident-ppo .* decides from the next tick/,
  )
  await heard(POLICY_MODEL, version, 'active')
  const [learned] = await decide('memory', 1)
  expect(learned).toMatchObject({ policy: 'incident-ppo', policy_version: version, action: 'restart' })
  expect(cli('models', 'list', POLICY_MODEL)).toContain(version)

  // It failed and made things worse: the rule table takes over at once, and says why.
  await said(learned, 'started', [0.6, 0.6])
  await said(learned, 'failed', [0.6, 0.1])
  const demotion = await until('the demotion', () =>
    versions.find(v => v.version === 'rules' && v.lineage?.decision === learned.decision),
  )
  expect(demotion).toMatchObject({
    state: 'held',
    lineage: { decision: learned.decision, reason: expect.stringContaining('unsafe act') },
  })
  expect((await decide('disk', 1))[0].policy).toBe('rules')

  expect(cli('policy', 'rollback', '--to', version, '--reason', 'it was the disk')).toContain(
    `${version} decides from the next tick on`,
  )
  await heard(POLICY_MODEL, version, 'held')
  expect((await decide('disk', 1))[0].policy).toBe('incident-ppo')
  expect(cli('policy', 'rollback')).toContain('rules decides from the next tick on')
  await heard(POLICY_MODEL, 'rules', 'held')
  expect((await decide('disk', 1))[0].policy).toBe('rules')
}, 180_000)
