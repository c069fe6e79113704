import { seededRandom } from '@aegis/domain'
import { argmax } from '@aegis/learning/classification-scores'
import { describe, expect, it } from 'vitest'
import { readChange } from '../code/change-features.ts'
import type { CodeChange } from '../code/code-change.ts'
import { editDistance, readPatch } from '../code/read-patch.ts'
import { causesByRule } from './cause-rules.ts'
import { CAUSES, readingOf } from './causes.ts'
import { ChangeLearner, readForLearning } from './learn-causes.ts'
import { studyCauses } from './study-causes.ts'

const change = (path: string, lines: string[], over: Partial<CodeChange> = {}): CodeChange => ({
  id: over.id ?? path,
  repo: 'infra',
  time: '2026-03-04T11:20:00+01:00',
  author: 'mo',
  files: [
    {
      path,
      added: lines.filter(l => l.startsWith('+')).length,
      removed: lines.filter(l => l.startsWith('-')).length,
      commitsBefore: 3,
    },
  ],
  patch: [`diff --git a/${path} b/${path}`, `--- a/${path}`, `+++ b/${path}`, '@@ -1,3 +1,3 @@', ...lines].join('\n'),
  authorHistory: {
    commitsBefore: 40,
    daysActive: 300,
    hoursSincePrevious: 30,
    commits24h: 1,
    commits7d: 4,
    shareNight: 0.02,
    shareWeekend: 0.01,
    filesKnownShare: 1,
    revertedBefore: 0,
  },
  fileHistory: { commitsBefore: 3, authorsBefore: 2, hoursSincePrevious: 400, revertedBefore: 0 },
  repoHistory: { commits1h: 0, commits24h: 2 },
  earlierSameFiles: [],
  earlier24h: [],
  ...over,
})
const ruled = (c: CodeChange) => readingOf(causesByRule(readChange(c).values)).cause

describe('what a patch shows', () => {
  it('pairs the lines that took each other’s place', () => {
    const patch = readPatch('diff --git a/x b/x\n@@ -1 +1 @@\n a\n-b = 1\n-c = 2\n+b = 3\n d\n+e\n')
    expect(patch.pairs).toEqual([{ before: 'b = 1', after: 'b = 3' }])
    expect(patch.added).toEqual(['b = 3', 'e'])
    expect(patch.removed).toEqual(['b = 1', 'c = 2'])
  })
  it('counts letters changed, and gives up where there are many', () => {
    expect(editDistance('recieve', 'receive', 3)).toBe(2)
    expect(editDistance('abc', 'vwxyz', 3)).toBeGreaterThan(3)
  })
  it('names how a line was changed', () => {
    const values = readChange(
      change('a.tf', [
        '-  timeout = 30',
        '+  timeout = 60',
        '-  image = "web:1.4.2"',
        '+  image = "web:1.4.1"',
        '-  on = true',
        '+  on = false',
        '-  x = 1',
        '+  # x = 1',
      ]),
    ).values
    expect(values).toMatchObject({ edit_numberUp: 0.25, edit_versionDown: 0.25, edit_toFalse: 0.25, edit_commentedOut: 0.25 })
  })
})

describe('rules, before anyone taught', () => {
  it('a scanner told to look away is a deviation, a letter put right a mistake, a third try within minutes a search', () => {
    expect(ruled(change('s3.tf', ['+  # trivy:ignore:AVD-AWS-0001 not needed here']))).toBe('intentional_override')
    expect(ruled(change('vars.tf', ['-  name = "recieve"', '+  name = "receive"']))).toBe('configuration_error')
    const again = [0.1, 0.3, 0.5].map(ageHours => ({ ageHours, sameAuthor: true, subject: 'try with debug output' }))
    expect(ruled(change('app.tf', ['+  log_level = "debug"'], { earlierSameFiles: again, earlier24h: again }))).toBe(
      'manual_troubleshooting',
    )
  })
  it('chances add up to 1', () => {
    expect(causesByRule(readChange(change('a.tf', [])).values).reduce((a, b) => a + b)).toBeCloseTo(1, 12)
  })
})

/** A made-up organisation with habits of its own. */
const history = (count: number) => {
  const random = seededRandom(4)
  return Array.from({ length: count }, (_, i) => {
    const time = new Date(1_700_000_000_000 + i * 3_600_000).toISOString()
    const n = Math.floor(random() * 90)
    const kind = i % 3
    if (kind === 0)
      return {
        label: 'automated_response' as const,
        change: change('deps.yaml', [`-  version: 1.${n}.0`, `+  version: 1.${n + 1}.0`], { id: `c${i}`, time, author: 'robot' }),
      }
    if (kind === 1)
      return {
        label: 'none' as const,
        change: change(`mod${n}.tf`, [`+resource "queue" "q${n}" {`, '+  retention = 4', '+}'], {
          id: `c${i}`,
          time,
          author: 'ada',
        }),
      }
    return {
      label: 'emergency_fix' as const,
      change: change('prod/pool.tf', [`-  max_size = ${n}`, `+  max_size = ${n * 2 + 2}`], {
        id: `c${i}`,
        time: time.replace(/T\d\d/, 'T03'),
        author: 'eve',
      }),
    }
  })
}

describe('learning from own labels', () => {
  const rows = history(90)
  it('learns the habits of an organisation, alike each time', () => {
    const targets = rows.map(r => CAUSES.indexOf(r.label))
    const read = rows.map(r => readForLearning(r.change))
    const learn = () => {
      const learner = new ChangeLearner({ classes: CAUSES.length, prior: r => causesByRule(r.values), rounds: 20 })
      learner.fit(read.slice(0, 60), targets.slice(0, 60))
      return learner
    }
    const [one, two] = [learn(), learn()]
    const right = read.slice(60).filter((c, i) => argmax(one.predict(c)) === targets[60 + i])
    expect(right.length).toBeGreaterThan(27)
    expect([...two.predict(read[70])]).toEqual([...one.predict(read[70])])
  })
  it('the study tells how well each way does', () => {
    const lines = studyCauses(
      rows.slice(0, 60).map(r => readForLearning(r.change)),
      rows.slice(0, 60).map(r => r.label),
      undefined,
      8,
    )
    expect(lines.length).toBeGreaterThanOrEqual(4)
    for (const l of lines) expect(Number.isFinite(l.accuracy + l.macroF1 + l.calibrationError)).toBe(true)
    expect(lines[1].accuracy).toBeGreaterThan(0.9)
  })
})
