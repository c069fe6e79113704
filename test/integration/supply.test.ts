/** What is released: by a workflow that actionlint accepts and whose actions are pinned; with licences that are on our list. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const { goTools } = (await import(path.join(root, 'tools/setup/go-tools.mjs'))) as { goTools: () => Promise<string | undefined> }
const home = await goTools()
const folder = path.join(root, '.github/workflows')
const workflows = readdirSync(folder).map(file => path.join(folder, file))

describe('what is released', () => {
  it.skipIf(!home)(`by workflows that actionlint accepts${home ? '' : ' (left out: no Go)'}`, () => {
    const { status, stdout } = spawnSync(
      path.join(home as string, 'bin/actionlint'),
      ['-shellcheck=', '-pyflakes=', ...workflows],
      { encoding: 'utf8' },
    )
    expect([status, stdout]).toEqual([0, ''])
  })

  it('pins every action by commit', () => {
    for (const file of workflows)
      for (const [, action] of readFileSync(file, 'utf8').matchAll(/uses: (\S+)/g)) expect(action).toMatch(/@[0-9a-f]{40}$/)
  })

  it('has licences that ask for their text to be kept and no more', () => {
    const { status, stderr } = spawnSync(process.execPath, [path.join(root, 'tools/licences.mjs')], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  }, 60_000)
})
