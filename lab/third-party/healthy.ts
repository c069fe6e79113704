/** Healthy life with its variety: cron, a backup, a burst of scanners' 404s, a good release. Nobody should be called. */
import type { Heard } from '../drill/watch.ts'
import type { Tools } from './faults.ts'
import type { Load } from './load.ts'
import { sleep } from './programs.ts'

interface Around {
  readonly tools: Tools
  readonly load: Load
  readonly heard: Heard
  readonly say: (line: string) => void
}
const SCANNED = [
  '/wp-login.php',
  '/.env',
  '/admin.php',
  '/.git/config',
  '/phpmyadmin/',
  '/cgi-bin/test',
  '/xmlrpc.php',
  '/server-status',
]

const EVENTS: readonly (readonly [name: string, happen: (around: Around) => Promise<void>])[] = [
  [
    'scanners',
    async ({ load }) => {
      for (let i = 0; i < 160; i++) {
        load.knock(SCANNED[i % SCANNED.length])
        await sleep(60)
      }
    },
  ],
  [
    'backup',
    async ({ tools: { system } }) => {
      await system.session('backup', 'COPY articles TO STDOUT')
      await sleep(4000)
      await system.programs.stop('backup')
    },
  ],
  ['cron', async ({ tools: { system } }) => void (await system.sql('VACUUM ANALYZE', 'directus'))],
  [
    'a good release',
    async ({ tools }) => {
      await tools.tellChange('service:directus', 'deploy', '11.9.2', '11.9.2-2')
      for (const name of ['directus-1', 'directus-2'] as const) {
        await tools.system.programs.stop(name)
        await tools.system.startApp(name)
      }
    },
  ],
]

export const healthyMinutes = async (minutes: number, around: Around): Promise<string> => {
  const from = Date.now()
  const until = from + minutes * 60_000
  const pause = (minutes * 60_000) / (EVENTS.length + 1)
  for (const [name, happen] of EVENTS) {
    await sleep(pause / 2)
    around.say(`healthy: ${name}`)
    await happen(around)
    await sleep(pause / 2)
  }
  await sleep(Math.max(0, until - Date.now()))
  const { share, p95 } = around.load.served(from / 1000)
  const incidents = new Map(around.heard.incidents.filter(i => i.at >= from).map(i => [i.value.id, i.value]))
  const words = [...incidents.values()].map(
    i =>
      `${i.causes[0]?.entity ?? 'nobody named'} ${i.causes[0]?.fault_kind ?? ''}: ${i.causes[0]?.evidence?.[0]?.text?.slice(0, 120) ?? ''}`,
  )
  return [
    `${minutes} healthy minutes: ${incidents.size} incidents; customers ${(100 * share).toFixed(2)} % well, p95 ${p95.toFixed(0)} ms`,
    ...words,
  ].join('\n         ')
}
