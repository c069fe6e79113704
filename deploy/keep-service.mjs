// Leaves of the workspaces only those that a service needs, so that npm installs for them alone: node deploy/keep-service.mjs SERVICE
// What only tests need (devDependencies) is not followed. Runs in the build of an image, before any package is installed.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'

const packages = new Map()
for (const floor of ['libs', 'services', 'apps'])
  for (const name of existsSync(floor) ? readdirSync(floor) : []) {
    const file = `${floor}/${name}/package.json`
    if (existsSync(file)) packages.set(JSON.parse(readFileSync(file, 'utf8')).name, `${floor}/${name}`)
  }
const needed = new Set()
const need = name => {
  const folder = packages.get(name)
  if (!folder || needed.has(folder)) return
  needed.add(folder)
  for (const dependency of Object.keys(JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')).dependencies ?? {}))
    need(dependency)
}
const service = [...packages].find(([, folder]) => folder === `services/${process.argv[2]}`)
if (!service) {
  console.error(`there is no service "${process.argv[2]}"; SERVICE is one of ${readdirSync('services').join(', ')}`)
  process.exit(1)
}
need(service[0])
for (const folder of packages.values()) if (!needed.has(folder)) rmSync(folder, { recursive: true })
