/**
 * Makes every generated file from its one source and writes it, or with --check compares and fails.
 * Sources: schemas/*.avsc -> words.generated.ts; streams.ts -> asyncapi.generated.json and docs/reference; definitions of the services ->
 * what the chart and .env.example know of them; generate/alerts.ts and dashboards.ts -> rules, their tests, runbooks, dashboards.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { asyncApi } from './generate/asyncapi.ts'
import { chartFiles } from './generate/chart.ts'
import { composeFile } from './generate/compose.ts'
import { monitoringFiles } from './generate/monitoring.ts'
import { permissionsPage } from './generate/permissions.ts'
import { referencePages } from './generate/reference.ts'
import { typesOf } from './generate/words.ts'

const root = path.resolve(import.meta.dirname, '..')
const schemas = readdirSync(path.join(root, 'schemas'))
  .filter(f => f.endsWith('.avsc'))
  .sort()
  .map(file => ({
    name: file.replace(/\.avsc$/, ''),
    schema: JSON.parse(readFileSync(path.join(root, 'schemas', file), 'utf8')),
  }))

const files: Record<string, string> = { 'libs/domain/src/words.generated.ts': typesOf(schemas) }
if (process.argv.includes('--types-only') === false) {
  files['docs/reference/asyncapi.generated.json'] = await asyncApi(schemas)
  Object.assign(
    files,
    await referencePages(root),
    await permissionsPage(),
    await chartFiles(root),
    await composeFile(root),
    monitoringFiles(),
  )
}

const check = process.argv.includes('--check')
const stale: string[] = []
for (const [file, text] of Object.entries(files)) {
  const target = path.join(root, file)
  if (existsSync(target) && readFileSync(target, 'utf8') === text) continue
  if (check) stale.push(file)
  else {
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, text)
    console.log(`wrote ${file}`)
  }
}
if (stale.length > 0) {
  console.error(`Out of date: ${stale.join(', ')}. Run "npm run generate" and commit the result.`)
  process.exitCode = 1
}
