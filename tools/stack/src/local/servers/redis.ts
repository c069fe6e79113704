import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { redisAnswers } from '../health.ts'
import { onPath, serverFolder } from '../places.ts'
import type { ServerPlan } from './plan.ts'

/** The machine's own redis-server or valkey-server where there is one, else the binary that set-up fetched. */
export const redis: ServerPlan = {
  name: 'redis',
  async prepare({ folder, ports }) {
    const data = join(folder, 'data', 'redis')
    mkdirSync(data, { recursive: true })
    const file = onPath('redis-server') ?? onPath('valkey-server') ?? join(serverFolder('redis'), 'redis-server')
    const options = { port: ports.redis, bind: '127.0.0.1', dir: data, appendonly: 'yes', save: '', daemonize: 'no' }
    return { file, args: Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]), cwd: data }
  },
  probe: ({ ports }) => redisAnswers('127.0.0.1', ports.redis),
}
