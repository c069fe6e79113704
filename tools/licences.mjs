#!/usr/bin/env node
// The licences of everything that ships, from npm's own bill of materials (CycloneDX). Fails on one that is not on the list.
// node tools/licences.mjs [FILE]   FILE: where the bill of materials is written
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
/** Permissive ones: they ask for their text to be kept and no more. */
const allowed = /^(MIT|Apache-2\.0|BSD-[23]-Clause|ISC|0BSD|Unlicense|PSF-2\.0|CC0-1\.0|BlueOak-1\.0\.0)$/
/** Said in the package and not in the lock file. */
const known = { '@kafkajs/confluent-schema-registry': 'MIT' }

const text = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--omit', 'dev'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 1 << 28,
})
if (process.argv[2]) writeFileSync(process.argv[2], text)
const counts = new Map()
const objections = []
for (const { group, name, licenses } of JSON.parse(text).components) {
  const full = group ? `${group}/${name}` : name
  if (
    existsSync(join(root, 'node_modules', full)) &&
    JSON.parse(readFileSync(join(root, 'node_modules', full, 'package.json'), 'utf8')).private
  )
    continue
  const words =
    (licenses ?? []).map(l => l.license?.id ?? l.license?.name ?? l.expression).join(' AND ') || known[full] || 'none told'
  counts.set(words, (counts.get(words) ?? 0) + 1)
  if (
    !words
      .replace(/[()]/g, '')
      .split(/ AND /)
      .every(one => one.split(' OR ').some(l => allowed.test(l)))
  )
    objections.push(`${full}: ${words}`)
}
for (const [words, n] of [...counts].sort((a, b) => b[1] - a[1])) console.log(`${String(n).padStart(5)}  ${words}`)
for (const objection of objections) console.error(`not on the list: ${objection}`)
process.exitCode = objections.length === 0 ? 0 : 1
