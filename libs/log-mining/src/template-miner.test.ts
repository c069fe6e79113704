import { TemplateHistory } from '@aegis/lab/evaluation/template-history'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type TemplateChange, TemplateMiner } from './template-miner.ts'

const templateOf = (line: string) => new TemplateMiner().learn(line).template

const mine = (lines: readonly string[]) => {
  const miner = new TemplateMiner()
  const history = new TemplateHistory()
  const ids = lines.map(line => {
    const match = miner.learn(line)
    history.follow(match.changes)
    return match.templateId
  })
  const texts = new Map(miner.templates().map(({ id, text }) => [id, text]))
  return { miner, finals: ids.map(id => texts.get(history.resolve(id))) }
}

describe('masks', () => {
  it.each([
    ['retry 3 of 5', 'retry <*> of <*>'],
    ['took 35ms, then 1.5 s', 'took <*>, then <*> s'],
    ['sent 5.2 KB to peer', 'sent <*> to peer'],
    ['request 7f3c2a9e-1b2c-4d5e-8f90-123456789abc done', 'request <*> done'],
    ['peer /10.0.0.7:9092 joined', 'peer <*> joined'],
    ['10.0.0.7:9092:Got an answer', '<*>:Got an answer'],
    ['GET https://shop.example/cart?id=7, retrying', 'GET <*>, retrying'],
    ['open /var/lib/data/part-00001.log.', 'open <*>.'],
    ['read C:\\Users\\app\\cache.bin failed', 'read <*> failed'],
    ['uid=0 ready=true name=', 'uid=<*> ready=<*> name='],
    ['connect db.shop.example.com:5432 failed', 'connect <*> failed'],
    ['node-12 left, worker PS/2', 'node-<*> left, worker PS/<*>'],
    ['driver v1.0.3 loaded', 'driver <*> loaded'],
    ['block blk_-12345 gone', 'block <*> gone'],
    ['session opened for user alice by root', 'session opened for user <*> by root'],
    ['check pass; user unknown', 'check pass; user unknown'],
    ['at Fri Jun 17 07:07:00 2005 end', 'at <*> end'],
    ['mac 00:11:43:e3:ba:c3 seen', 'mac <*> seen'],
    ['eth0 up', 'eth0 up'],
    ['and/or read/write', 'and/or read/write'],
    ['a.b.MyException@1f2e3d thrown', 'a.b.MyException@<*> thrown'],
    ['tag="View Lock", ok', 'tag="<*>", ok'],
    ['org.example.Service started', 'org.example.Service started'],
    ['from () at noon', 'from (<*>) at noon'],
    ['flush()', 'flush()'],
    ['loss 50%', 'loss <*>%'],
    ['', ''],
  ])('%s', (line, template) => {
    expect(templateOf(line)).toBe(template)
  })

  it('types the parameters', () => {
    const line = 'user bob at 10.0.0.1 read /etc/hosts in 5ms (0x1f) 3.5 KB true a@b.org 1.2.3-rc1'
    expect(new TemplateMiner().learn(line).parameters.map(({ kind, text }) => `${kind}:${text}`)).toEqual([
      'user:bob',
      'ip:10.0.0.1',
      'path:/etc/hosts',
      'duration:5ms',
      'hex:0x1f',
      'size:3.5 KB',
      'boolean:true',
      'email:a@b.org',
      'id:1.2.3-rc1',
    ])
  })
})

describe('what is learned', () => {
  it('puts lists of different length under one template', () => {
    const { finals } = mine(['no answer from 1 2 3', 'no answer from 4 5', 'no answer from 6'])
    expect(new Set(finals)).toEqual(new Set(['no answer from <*>']))
  })

  it('puts scaled units under one template', () => {
    const { finals } = mine([
      'closed, 12 bytes sent, up 3 sec',
      'closed, 1200 bytes (1.17 KB) sent, up 00:03',
      'closed, 0 bytes sent, up <1 sec',
    ])
    expect(new Set(finals)).toEqual(new Set(['closed, <*> sent, up <*>']))
  })

  it('takes a word for a value only when enough others stood in its place', () => {
    const messages = mine(['link is up now', 'link is down now'])
    expect(new Set(messages.finals).size).toBe(2)
    const values = mine(
      ['alpha', 'beta', 'gamma', 'delta', 'omega', 'kappa', 'sigma'].map(name => `the thing ${name} was removed today`),
    )
    expect(new Set(values.finals)).toEqual(new Set(['the thing <*> was removed today']))
  })

  it('keeps names of speakers apart', () => {
    const { finals } = mine(
      ['alpha', 'beta', 'gamma', 'delta', 'omega', 'kappa', 'sigma'].map(name => `${name} startup succeeded`),
    )
    expect(new Set(finals).size).toBe(7)
  })

  it('takes what a key holds for a value at the second sight, several keys at once', () => {
    const { finals } = mine(['lock tag=view name=ui', 'lock tag=radio name=phone'])
    expect(new Set(finals)).toEqual(new Set(['lock tag=<*> name=<*>']))
  })

  it('takes a token around a value for a value where a whole value stood, in either order', () => {
    const lines = ['synchronized to 10.0.0.1, stratum 3', 'synchronized to LOCAL(0), stratum 10']
    for (const order of [lines, [...lines].reverse()]) {
      const { finals, miner } = mine([...order, ...order])
      expect(new Set(finals)).toEqual(new Set(['synchronized to <*>, stratum <*>']))
      expect(miner.learn('synchronized to LOCAL(1), stratum 10').parameters.map(p => p.text)).toEqual(['LOCAL(1)', '10'])
    }
  })

  it('follows a line through a merge of its keys and then of its compound', () => {
    const { finals } = mine([
      'lock tag=a name=one src=null',
      'lock tag=b name=two src=null',
      'lock tag=c name=three src=Work{101}',
      'lock tag=d name=four src=Work{102}',
    ])
    expect(new Set(finals)).toEqual(new Set(['lock tag=<*> name=<*> src=<*>']))
  })

  it('finds identifiers that vary together', () => {
    const names = ['Task', 'Job', 'Map', 'Node', 'Disk', 'Host', 'User']
    const { finals } = mine(names.map(name => `registering class org.shop.${name}Event for class org.shop.${name}Handler`))
    expect(new Set(finals)).toEqual(new Set(['registering class <*> for class <*>']))
  })
})

const word = fc.constantFrom(
  'k=W{12}',
  'k=v',
  'k=7',
  'L(3)',
  'open',
  'close',
  'user',
  'from',
  'to',
  'eth0',
  'x=',
  'a=b',
  '(',
  ')',
  '12',
  '1.2.3.4',
  '/a/b',
  'true',
  'A.b.C',
  'k:v',
  '5 KB',
  ',',
  '<*>',
  'an14',
  '"q r"',
  '[x]',
  'é',
  '#7#',
  'é9',
)
const line = fc.oneof(
  fc.array(word, { maxLength: 12 }).map(words => words.join(' ')),
  fc.array(word, { maxLength: 8 }).map(words => words.join('')),
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
)
/** A line that counts how often its characters are looked at. */
class CountedText {
  looks = 0
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  get length(): number {
    return this.#text.length
  }
  charCodeAt(at: number): number {
    this.looks++
    return this.#text.charCodeAt(at)
  }
  slice(start: number, end: number): string {
    const part = this.#text.slice(start, end)
    this.looks += part.length
    return part
  }
  indexOf(what: string, from: number): number {
    const at = this.#text.indexOf(what, from)
    this.looks += (at < 0 ? this.#text.length : at) - from
    return at
  }
  trim(): string {
    this.looks += this.#text.length
    return this.#text.trim()
  }
}

const seeded = { seed: 20260101, numRuns: 150 }

describe('promises', () => {
  it('gives one parameter per <*> the miner put in, each found in the line', () => {
    fc.assert(
      fc.property(
        fc.array(
          line.filter(text => !text.includes('<*>')),
          { maxLength: 30 },
        ),
        lines => {
          const miner = new TemplateMiner()
          for (const text of lines) {
            const { template, parameters } = miner.learn(text)
            expect(template.split('<*>').length - 1).toBe(parameters.length)
            for (const parameter of parameters) expect(text).toContain(parameter.text)
          }
        },
      ),
      seeded,
    )
  })

  it('counts every line once, whatever is merged or given up', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 80 }), fc.integer({ min: 1, max: 20 }), (lines, maxTemplates) => {
        const miner = new TemplateMiner({ maxTemplates, maxSkeletons: 16 })
        for (const text of lines) miner.learn(text)
        expect(miner.templates().reduce((sum, template) => sum + template.count, 0)).toBe(lines.length)
        expect(miner.templates().length).toBeLessThanOrEqual(maxTemplates + 1)
      }),
      seeded,
    )
  })

  it('goes on from a snapshot as if it had never stopped', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), fc.array(line, { maxLength: 40 }), (before, after) => {
        const one = new TemplateMiner({ maxTemplates: 12 })
        for (const text of before) one.learn(text)
        const two = new TemplateMiner({ maxTemplates: 12 })
        two.restore(one.snapshot())
        for (const text of after) expect(two.learn(text)).toEqual(one.learn(text))
        expect(two.templates()).toEqual(one.templates())
      }),
      seeded,
    )
  })

  it('reports every change, so that a follower knows the live templates', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), lines => {
        const miner = new TemplateMiner({ maxTemplates: 10 })
        const live = new Map<string, string>()
        const follow = (change: TemplateChange) => {
          if (change.kind === 'created') live.set(change.id, change.text)
          else {
            live.delete(change.from)
            live.set(change.kind === 'widened' ? change.to : change.into, change.text)
          }
        }
        for (const text of lines) {
          const match = miner.learn(text)
          match.changes.forEach(follow)
          expect(live.get(match.templateId)).toBe(match.template)
        }
        expect(new Set(miner.templates().map(({ id }) => id))).toEqual(new Set(live.keys()))
      }),
      seeded,
    )
  })

  it('looks at each character a bounded number of times, whatever the tokens', () => {
    const tokens = [
      'a',
      '1',
      '-',
      ':',
      '=',
      '(',
      ')',
      '<',
      '@',
      '/',
      '.',
      'a1',
      '..',
      ', ',
      '1 ',
      'x=1 ',
      '<a@',
      '="',
      'Jan ',
      '1:',
      'a-1-',
      '() ',
      '#',
      'user ',
    ]
    const looks = (line: string) => {
      const text = new CountedText(line)
      new TemplateMiner().learn(text as unknown as string)
      return text.looks
    }
    for (const token of tokens) {
      const short = looks(token.repeat(500))
      expect(looks(token.repeat(4000))).toBeLessThanOrEqual(short * 8 * 1.1 + 2000)
      expect(short).toBeLessThanOrEqual(60 * 500 * token.length + 2000)
    }
  })
})

describe('words in varying number', () => {
  // Words of letters only, never the same.
  const word = (n: number) => [...String(n * 7919 + 13)].map(c => 'qwertyuiop'[Number(c)]).join('')
  const words = (n: number, count: number) => Array.from({ length: count }, (_, i) => word(n * 11 + i))
  it.each([
    ['at the end', (w: string[]) => `labels of the box changed to ${w.join(' ')}`, 'labels of the box changed to <*>'],
    ['at the beginning', (w: string[]) => `${w.join(' ')} was put into the box`, '<*> was put into the box'],
    ['in brackets', (w: string[]) => `took labels [${w.join(', ')}] off the box`, 'took labels [<*>] off the box'],
  ])('%s they end in one template', (_, line, template) => {
    const miner = new TemplateMiner()
    for (let n = 0; n < 60; n++) miner.learn(line(words(n, 2 + (n % 5))))
    expect(miner.learn(line(words(99, 4))).template).toBe(template)
    expect(miner.templates().reduce((sum, { count }) => sum + count, 0)).toBe(61)
    const again = new TemplateMiner()
    again.restore(miner.snapshot())
    expect(again.learn(line(words(123, 7))).template).toBe(template)
  })
  it('different sentences that begin alike stay apart', () => {
    const miner = new TemplateMiner()
    const ends = [
      'the door of the house',
      'a window',
      'the gate by hand again',
      'it',
      'no lid at all today',
      'the shop for the day',
      'this box',
      'the lock with a key',
      'the lid on top',
      'an old book of songs',
      'the jar',
    ]
    for (let n = 0; n < 4; n++) for (const end of ends) miner.learn(`failed to open ${end}`)
    expect(miner.templates().length).toBe(ends.length)
  })
  it('what no longer has a template is counted under no words of a line', () => {
    const miner = new TemplateMiner({ maxTemplates: 20 })
    for (let n = 0; n < 60; n++) miner.learn(words(n, 3 + (n % 9)).join(' '))
    const rest = miner.templates().find(({ text }) => text === '<other lines>')
    expect(rest?.count).toBeGreaterThan(0)
  })
})
