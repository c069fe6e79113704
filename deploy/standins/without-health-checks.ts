// Prints docker-compose.yml without its health checks, for an engine that cannot run them (podman without systemd). An override
// file cannot do it: older docker-compose refuses to switch off a check that has other settings.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'

const root = resolve(import.meta.dirname, '../..')
const file = parse(readFileSync(resolve(root, 'docker-compose.yml'), 'utf8'), { merge: true })
for (const service of Object.values<any>(file.services)) {
  delete service.healthcheck
  for (const needed of Object.keys(service.depends_on ?? {})) service.depends_on[needed] = { condition: 'service_started' }
  if (service.build) service.build.context = root
}
const { services, volumes } = file
console.log(JSON.stringify({ services, volumes }, null, 2)) // JSON is YAML, and leaves no doubt whether yes is a word
