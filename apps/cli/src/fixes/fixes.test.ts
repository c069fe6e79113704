import { AegisError } from '@aegis/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changes, changesInHistory, stepsIn } from './commands-in.ts'
import { fixesInTickets } from './fixes-in-tickets.ts'
import { type KnownIncident, matchIncident } from './match-incident.ts'
import { offsetOf, readTickets, type Ticket, timeOf } from './read-tickets.ts'

const us = (iso: string) => Date.parse(iso) * 1000
const incident = (id: string, started: string, ended: string | null, first: string, others: string[] = []): KnownIncident => ({
  id,
  environment: 'prod-eu',
  started: us(started),
  ended: ended === null ? null : us(ended),
  entities: [first, ...others],
  causes: [{ entity: first }] as never,
})
const CHECKOUT = incident('a'.repeat(24), '2026-03-12T14:00:00Z', '2026-03-12T15:00:00Z', 'service:checkout', ['service:cart'])
const LEDGER = incident('b'.repeat(24), '2026-03-14T02:00:00Z', '2026-03-14T02:40:00Z', 'service:ledger')

const JIRA_CSV = [
  '\ufeffSummary,Issue key,Status,Resolution,Created,Resolved,Description,Component/s,Comment,Comment',
  '"Checkout fails, 500s",OPS-12,Done,Fixed,12/Mar/26 2:05 PM,12/Mar/26 2:50 PM,"Customers see 500.',
  'Repro steps: {{kubectl scale deployment/checkout --replicas=0}}",checkout,"12/Mar/26 2:40 PM;ada;Rolled back, errors gone:',
  '{code:bash}',
  '$ kubectl -n shop rollout undo deployment/checkout',
  'deployment.apps/checkout rolled back',
  '{code}","12/Mar/26 2:20 PM;ada;Tried {{kubectl -n shop rollout restart deployment/checkout}}, did not help."',
  'Disk full,OPS-13,In Progress,,14/Mar/26 2:10 AM,,"`docker restart ledger`",ledger,,',
  'Printer,OPS-14,Done,Fixed,14/Mar/26 2:10 AM,14/Mar/26 2:20 AM,Turned it off and on again.,,,',
  'Odd,OPS-15,Done,Fixed,03/04/2026 10:00,,x,,,',
  'Cut,OPS-16,Done,Fixed,14/Mar/26 2:10 AM,14/Mar/26 2:20 AM,"no end',
].join('\n')

describe('changes', () => {
  it('tells what changes what runs from what only looks', () => {
    for (const yes of [
      'kubectl rollout restart deployment/cart',
      'kubectl -n shop --context prod rollout undo deploy/cart',
      'sudo systemctl restart nginx',
      'KUBECONFIG=/x kubectl delete pod a',
      'docker compose up -d cart',
      'helm -n shop rollback cart 3',
    ])
      expect([yes, changes(yes)]).toEqual([yes, true])
    for (const no of [
      'kubectl rollout status deployment/cart',
      'kubectl get pods',
      'kubectl -n shop logs restart',
      'kubectl apply -f x.yaml --dry-run=client',
      'systemctl status nginx',
      'docker ps',
      'kubectlx delete pod a',
      'echo kubectl delete pod a',
    ])
      expect([no, changes(no)]).toEqual([no, false])
  })

  it('reads histories of zsh and bash with their times, each command once', () => {
    const history = [
      'ls -la',
      ': 1700000000:0;kubectl rollout restart deployment/cart',
      'kubectl get pods',
      '#1700000100',
      'docker restart db',
      'docker restart db',
    ]
    expect(changesInHistory(history.join('\n'))).toEqual([
      { command: 'kubectl rollout restart deployment/cart', time: 1_700_000_000_000_000 },
      { command: 'docker restart db', time: 1_700_000_100_000_000 },
    ])
  })
})

describe('stepsIn', () => {
  it('finds commands in code only, with what is said of them', () => {
    const text = [
      'kubectl delete pod in-prose is not code.',
      'Restarted with `kubectl rollout restart deploy/a` but it still failed.',
      '```sh',
      'ops@host:~$ kubectl cordon node-3 && \\',
      '  kubectl drain node-3   # slow',
      'node/node-3 drained',
      '```',
      'That fixed it.',
      'Never run `kubectl delete namespace shop`!',
      '# systemctl restart kubelet',
      '<pre>docker restart &quot;x&quot;</pre>',
    ].join('\n')
    expect(stepsIn(text)).toEqual([
      { commands: ['kubectl rollout restart deploy/a'], said: 'did not help' },
      { commands: ['kubectl cordon node-3', 'kubectl drain node-3'], said: 'helped' },
      { commands: ['kubectl delete namespace shop'], said: 'not done' },
      { commands: ['systemctl restart kubelet'], said: undefined },
      { commands: ['docker restart "x"'], said: undefined },
    ])
  })

  it('reads long nonsense as fast as text', () => {
    for (const part of ['`', '```\n', '{code}', '<pre ', '<pre>', 'kubectl --a ', ' ', 'a@b x\n', '`kubectl delete pod a` '])
      for (const text of [part.repeat(20_000), `kubectl${part.repeat(20_000)}`, `\`kubectl ${'--a '.repeat(200)}\``])
        for (const { commands } of stepsIn(text)) expect(commands.length).toBeGreaterThan(0)
    expect(changes(`kubectl ${'--a '.repeat(20_000)}`)).toBe(false)
  })

  it('takes any text without throwing, and finds nothing where there is no code', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('`', '~', '{code}', '<pre>', '\n', '$ ', 'kubectl delete x', ' ', '{{', '}}') }),
        text => {
          for (const step of stepsIn(text)) expect(step.commands.every(changes)).toBe(true)
        },
      ),
      { seed: 8, numRuns: 500 },
    )
    expect(stepsIn('we ran kubectl delete pod a and it helped')).toEqual([])
  })
})

describe('timeOf', () => {
  it('reads what trackers write, in the zone that it says or that was told, and nothing that can be read twice', () => {
    const want = us('2026-03-12T14:05:00Z')
    for (const text of [
      '2026-03-12T14:05:00Z',
      '2026-03-12T15:05:00.000+0100',
      '2026-03-12 14:05:00',
      '12/Mar/26 2:05 PM',
      '1773324300',
    ])
      expect([text, timeOf(text)]).toEqual([text, want])
    expect(timeOf('12/Mar/26 4:05 PM', offsetOf('+02:00'))).toBe(want)
    expect(timeOf('2026-03-12T14:05:00Z', offsetOf('-0500'))).toBe(want)
    expect(timeOf('12/Mar/26 12:05 AM')).toBe(us('2026-03-12T00:05:00Z'))
    expect([timeOf('03/04/2026 10:00'), timeOf('yesterday'), timeOf('')]).toEqual([undefined, undefined, undefined])
    expect(() => offsetOf('CET')).toThrow(/--zone/)
  })
})

describe('readTickets', () => {
  it('reads an export of Jira as CSV: comments in their order, places of what cannot be read', () => {
    const { tickets, unread } = readTickets(JIRA_CSV, 'jira.csv')
    expect(tickets.map(t => [t.id, t.place, t.resolved])).toEqual([
      ['OPS-12', 'line 2', true],
      ['OPS-13', 'line 8', false],
      ['OPS-14', 'line 9', true],
    ])
    expect(tickets[0]).toMatchObject({
      opened: us('2026-03-12T14:05:00Z'),
      ended: us('2026-03-12T14:50:00Z'),
      about: ['checkout'],
    })
    expect(tickets[0].texts.map(t => t.text.slice(0, 9))).toEqual(['Customers', 'Tried {{k', 'Rolled ba', 'Fixed'])
    expect(unread).toEqual([
      expect.stringMatching(/^line 10: the time "03\/04\/2026 10:00"/),
      expect.stringMatching(/^line 11: a quote is opened here and never closed/),
    ])
  })

  it('reads issues of Jira with documents, of GitHub, GitLab and ServiceNow', () => {
    const document = {
      type: 'doc',
      content: [
        {
          type: 'paragraph',
          content: [
            { type: 'text', text: 'Ran ' },
            { type: 'text', text: 'docker restart a', marks: [{ type: 'code' }] },
          ],
        },
        { type: 'codeBlock', content: [{ type: 'text', text: 'kubectl delete pod b' }] },
      ],
    }
    const jira = {
      issues: [
        {
          key: 'OPS-1',
          fields: {
            summary: 'x',
            status: { name: 'Closed' },
            resolution: { name: "Won't Do" },
            created: '2026-03-12T14:05:00.000+0000',
            components: [{ name: 'cart' }],
            description: document,
            comment: {
              comments: [{ author: { displayName: 'Ada' }, created: '2026-03-12T14:06:00.000+0000', body: 'Restarted' }],
            },
          },
        },
      ],
    }
    const [a] = readTickets(JSON.stringify(jira), 'f').tickets
    expect(a).toMatchObject({ id: 'OPS-1', resolved: false, state: "Closed, Won't Do", about: ['cart'] })
    expect(stepsIn(a.texts[0].text).flatMap(s => s.commands)).toEqual(['docker restart a', 'kubectl delete pod b'])
    expect(a.texts.some(t => t.text.includes('Ada'))).toBe(false)

    const github = [
      {
        number: 41,
        title: 'cart down',
        body: 'since noon',
        state: 'CLOSED',
        stateReason: 'COMPLETED',
        createdAt: '2026-03-12T14:05:00Z',
        closedAt: '2026-03-12T15:05:00Z',
        labels: [{ name: 'cart', color: 'ff0000' }],
        comments: [
          { author: { login: 'ada' }, body: 'later', createdAt: '2026-03-12T14:30:00Z' },
          { body: 'sooner', createdAt: '2026-03-12T14:10:00Z' },
        ],
      },
    ]
    const [b] = readTickets(JSON.stringify(github), 'f').tickets
    expect(b).toMatchObject({ id: '41', resolved: true, about: ['cart'], ended: us('2026-03-12T15:05:00Z') })
    expect(b.texts.map(t => t.text)).toEqual(['since noon', 'sooner', 'later'])
    expect(readTickets(JSON.stringify({ ...github[0], stateReason: 'NOT_PLANNED' }), 'f').tickets[0].resolved).toBe(false)

    const gitlab =
      '{"iid":7,"title":"t","description":"d","state":"closed","created_at":"2026-03-12T14:05:00Z","closed_at":null}\n\n{"broken\n'
    expect(readTickets(gitlab, 'f')).toMatchObject({ tickets: [{ id: '7', resolved: true }], unread: ['line 3: is no JSON'] })

    const serviceNow = {
      records: [
        {
          number: 'INC001',
          short_description: 'cart',
          state: '6',
          close_code: 'Solved (Permanently)',
          opened_at: '2026-03-12 14:05:00',
          resolved_at: '2026-03-12 14:50:00',
          cmdb_ci: { display_value: 'cart', link: 'https://x' },
          close_notes: 'last',
          work_notes: '2026-03-12 14:40:00 - Ada L. (Work notes)\nsecond\n\n2026-03-12 14:20:00 - Ada L. (Work notes)\nfirst\n',
        },
      ],
    }
    const [c] = readTickets(JSON.stringify(serviceNow), 'f').tickets
    expect(c).toMatchObject({ id: 'INC001', resolved: true, about: ['cart'] })
    expect(c.texts.map(t => t.text.trim())).toEqual(['first', 'second', 'last'])
  })

  it('says of what is no export what is wanted', () => {
    for (const text of ['', 'a,b\n1,2', '[1,2', '{"x":1}', '[]', 'no table at all'])
      expect(() => readTickets(text, 'f.csv')).toThrow(AegisError)
    expect(() => readTickets('time,value\n1,2', 'f.csv')).toThrow(/f\.csv: the first line is no header .* has time, value/)
  })
})

describe('matchIncident', () => {
  const ticket = (t: Partial<Ticket>): Ticket => ({
    id: '1',
    place: 'line 2',
    title: '',
    resolved: true,
    state: '',
    about: [],
    texts: [],
    ...t,
  })
  const known = [CHECKOUT, LEDGER]
  it('goes by the id, else by time and entity, and says why not', () => {
    expect(matchIncident(ticket({ title: `see ${LEDGER.id}` }), known)).toMatchObject({
      incident: LEDGER,
      why: 'named by its id',
    })
    const opened = us('2026-03-12T14:05:00Z')
    expect(matchIncident(ticket({ opened, title: 'Checkout slow' }), known)).toMatchObject({ incident: CHECKOUT })
    expect(matchIncident(ticket({ opened, about: ['cart'] }), known)).toMatchObject({
      incident: CHECKOUT,
      why: expect.stringContaining('an entity'),
    })
    expect(matchIncident(ticket({ opened, title: 'checkouts slow' }), known)).toMatchObject({
      reason: expect.stringContaining('mentions no entity'),
    })
    expect(matchIncident(ticket({ opened, title: 'ledger' }), known)).toMatchObject({
      reason: expect.stringContaining('mentions no entity'),
    })
    expect(matchIncident(ticket({ opened: us('2026-06-01T00:00:00Z'), title: 'checkout' }), known)).toMatchObject({
      reason: expect.stringContaining('no incident'),
    })
    expect(matchIncident(ticket({ title: 'checkout' }), known)).toMatchObject({ reason: expect.stringContaining('neither') })
    const twin = { ...CHECKOUT, id: 'c'.repeat(24) }
    expect(matchIncident(ticket({ opened, title: 'checkout' }), [CHECKOUT, twin])).toMatchObject({
      reason: expect.stringContaining('as well as'),
    })
  })
})

describe('fixesInTickets', () => {
  const read = readTickets(JIRA_CSV, 'jira.csv').tickets
  it('takes from resolved tickets what helped and what did not, and says of the rest why not', () => {
    const { found, leftOut } = fixesInTickets(read, [CHECKOUT, LEDGER], { all: false, success: undefined, note: '' })
    expect(found.map(f => [f.incident, f.success, f.command, f.time])).toEqual([
      [CHECKOUT.id, false, 'kubectl -n shop rollout restart deployment/checkout', us('2026-03-12T14:20:00Z')],
      [CHECKOUT.id, true, 'kubectl -n shop rollout undo deployment/checkout', us('2026-03-12T14:40:00Z')],
    ])
    expect(leftOut).toEqual([
      expect.stringMatching(/^OPS-12 .*replicas=0" was advised or planned/),
      expect.stringMatching(/^OPS-13 .*not resolved \(In Progress\)/),
      expect.stringMatching(/^OPS-14 .*no command/),
    ])
  })

  it('leaves out earlier commands of which nothing is said, takes the word given for all, and takes secrets out', () => {
    const text = '`docker restart a`\n\n`helm upgrade b --set password=hunter2secret`'
    const ticket: Ticket = { ...read[0], texts: [{ field: 'body', text }] }
    const one = fixesInTickets([ticket], [LEDGER], { all: true, success: undefined, note: '' })
    expect(one.found.map(f => [f.incident, f.command])).toEqual([
      [LEDGER.id, 'helm upgrade b --set password=<redacted:password>'],
    ])
    expect(one.leftOut).toEqual([expect.stringContaining('nothing says whether it helped')])
    const told = fixesInTickets([{ ...ticket, resolved: false }], [LEDGER], { all: true, success: false, note: 'n' })
    expect(told.found.map(f => [f.success, f.note])).toEqual([
      [false, 'n'],
      [false, 'n'],
    ])
  })
})
