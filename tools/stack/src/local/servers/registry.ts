import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { registryAnswers } from '../health.ts'
import { java, serverFolder, servers } from '../places.ts'
import { fastJvm, type ServerPlan } from './plan.ts'

/** Apicurio Registry with its schemas in a file: as shipped it keeps them in memory and forgets them. */
export const registry: ServerPlan = {
  name: 'registry',
  async prepare({ folder, ports }) {
    const home = serverFolder('registry')
    const data = join(folder, 'data', 'registry')
    mkdirSync(data, { recursive: true })
    const settings = {
      'quarkus.http.host': '127.0.0.1',
      'quarkus.http.port': ports.registry,
      'quarkus.log.level': 'WARN',
      'apicurio.storage.kind': 'sql',
      'apicurio.storage.sql.kind': 'h2',
      'apicurio.datasource.url': `jdbc:h2:file:${join(data, 'registry')}`,
    }
    const options = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
    return {
      file: java(),
      args: ['-Xms64m', '-Xmx384m', ...fastJvm, ...options, '-jar', join(home, servers.registry.proof)],
      cwd: folder,
    }
  },
  probe: ({ ports }) => registryAnswers('127.0.0.1', ports.registry),
}
