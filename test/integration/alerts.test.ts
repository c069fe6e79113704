/** Rules and dashboards of Aegis' own health: every alert fires in promtool's test, and a real Prometheus takes all of them. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { METRICS } from '@aegis/runtime'
import { anyFree } from '@aegis/stack/local/ports'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { ALERTS } from '../../tools/generate/alerts.ts'
import { dashboardQueries } from '../../tools/generate/dashboards.ts'

const root = path.resolve(import.meta.dirname, '../..')
const rules = path.join(root, 'deploy/helm/aegis/files/rules.generated.yaml')
const tests = path.join(root, 'deploy/monitoring/rules-test.generated.yaml')
const promtool = (...args: string[]) => spawnSync('promtool', args, { encoding: 'utf8' })
const lacking = promtool('--version').status === 0 ? '' : ' (left out: no promtool on the path)'

describe.skipIf(lacking !== '')(`alerts and dashboards${lacking}`, () => {
  it('are rules that promtool accepts', () => {
    const { status, stdout } = promtool('check', 'rules', rules)
    expect([status, stdout]).toEqual([0, expect.stringContaining(`${ALERTS.length} rules found`)])
  })

  it('fire, each of them, on series made for it', () => {
    const { status, stdout, stderr } = promtool('test', 'rules', tests)
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')])
    expect(parse(readFileSync(tests, 'utf8')).tests.map((t: { name: string }) => t.name)).toEqual(ALERTS.map(a => a.name))
  })

  it('would not pass if an alert did not fire', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'aegis-rules-'))
    for (const { name } of ALERTS) {
      const never = parse(readFileSync(rules, 'utf8'))
      for (const rule of never.groups[0].rules) if (rule.alert === name) rule.expr = 'vector(0) > 1'
      writeFileSync(path.join(folder, 'rules.json'), JSON.stringify(never))
      const suite = { ...parse(readFileSync(tests, 'utf8')), rule_files: ['rules.json'] }
      writeFileSync(path.join(folder, 'tests.json'), JSON.stringify(suite))
      expect(promtool('test', 'rules', path.join(folder, 'tests.json')).status, name).not.toBe(0)
    }
    rmSync(folder, { recursive: true })
  })

  it('ask for metrics that there are', () => {
    const known = (name: string) => name.replace(/_(bucket|sum|count)$/, '') in METRICS
    for (const text of [...ALERTS.map(a => a.expression), ...dashboardQueries()])
      for (const [name] of text.matchAll(/\baegis_[a-z_]+\b/g)) expect(known(name), name).toBe(true)
  })

  it('are taken by a real Prometheus', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'aegis-rules-'))
    writeFileSync(path.join(folder, 'prometheus.yml'), `rule_files: [${rules}]\n`)
    const port = await anyFree()
    const server = spawn(
      'prometheus',
      ['--config.file=prometheus.yml', `--web.listen-address=127.0.0.1:${port}`, '--storage.tsdb.path=data'],
      {
        cwd: folder,
        stdio: 'ignore',
      },
    )
    try {
      const get = async (at: string) => (await fetch(`http://127.0.0.1:${port}${at}`)).json() as Promise<any>
      let loaded: { name: string; health: string }[] = []
      for (let i = 0; i < 300 && loaded.length === 0; i++) {
        loaded = await get('/api/v1/rules').then(
          r => r.data.groups[0]?.rules ?? [],
          () => [],
        )
        await sleep(100)
      }
      expect(loaded.map(r => r.name)).toEqual(ALERTS.map(a => a.name))
      for (const query of dashboardQueries())
        expect([query, (await get(`/api/v1/query?query=${encodeURIComponent(query)}`)).status]).toEqual([query, 'success'])
      for (const file of readdirSync(path.join(path.dirname(rules), 'dashboards'))) {
        const { panels, uid } = JSON.parse(readFileSync(path.join(path.dirname(rules), 'dashboards', file), 'utf8'))
        expect([uid, panels.length > 0]).toEqual([expect.stringMatching(/^aegis-/), true])
      }
    } finally {
      server.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
