#!/usr/bin/env node
// Runs every suite and closes with one line of totals. In CI a suite that cannot run has failed; elsewhere it is named, counted and skipped.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const ci = /^(1|true)$/.test(process.env.CI ?? '')
const root = path.resolve(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(os.tmpdir(), 'aegis-tests-'))
const wanted = process.argv.slice(2)
const suites = [
  { project: 'unit', servers: false },
  { project: 'integration', servers: true },
  { project: 'scenarios', servers: true },
].filter(s => wanted.length === 0 || wanted.includes(s.project))

const { canRunServers } = await import(path.join(root, 'tools/stack/src/local/stack.ts'))
const servers = await canRunServers()
/** Told once more at the very end: the end is what is kept of a long output. */
const failures = []
const totals = { passed: 0, failed: 0, skipped: 0 }
const seconds = {}
for (const { project, servers: needed } of suites) {
  if (needed && !servers) {
    console.error(
      `${project}: cannot run, because there is neither a container engine nor a JDK with the fetched servers (npm run setup says what is missing)`,
    )
    totals[ci ? 'failed' : 'skipped']++
    continue
  }
  const started = Date.now()
  const report = path.join(folder, `${project}.json`)
  const result = spawnSync(
    process.execPath,
    [
      path.join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
    },
  )
  seconds[project] = Math.round((Date.now() - started) / 1000)
  let counts
  try {
    const json = JSON.parse(readFileSync(report, 'utf8'))
    const files = json.testResults ?? []
    for (const file of files)
      for (const test of file.assertionResults)
        if (test.status === 'pending' || test.status === 'skipped' || test.status === 'todo')
          console.log(`skipped: ${test.fullName}`)
        else if (test.status === 'failed')
          failures.push(
            `${path.relative(root, file.name)} > ${test.fullName}\n  ${test.failureMessages.join('\n').slice(0, 1500)}`,
          )
    // A file that fails to load has no test to count; it has failed all the same.
    const unloaded = files.filter(f => f.status === 'failed' && f.assertionResults.length === 0)
    for (const f of unloaded)
      failures.push(`${path.relative(root, f.name)} could not be loaded\n  ${String(f.message).slice(0, 1500)}`)
    counts = {
      passed: json.numPassedTests,
      failed: json.numFailedTests + unloaded.length,
      skipped: json.numPendingTests + json.numTodoTests,
    }
  } catch (error) {
    console.error(`${project}: no report was written (${error.message})`)
    counts = { passed: 0, failed: 1, skipped: 0 }
  }
  // vitest may fail for what is no test: an unhandled error, a set-up that broke.
  if (result.status !== 0 && counts.failed === 0) counts.failed = 1
  if (counts.passed === 0 && counts.failed === 0) counts.failed = 1
  for (const key of Object.keys(totals)) totals[key] += counts[key]
}
rmSync(folder, { recursive: true, force: true })
for (const failure of failures) console.log(`\nfailed: ${failure}`)
console.log(
  `\n${Object.entries(seconds)
    .map(([name, s]) => `${name} ${s} s`)
    .join(', ')}`,
)
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exit(totals.failed > 0 ? 1 : 0)
