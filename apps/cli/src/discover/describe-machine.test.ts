import { expect, it, test } from 'vitest'
import { describeMachine, nameOfProcess } from './describe-machine.ts'
import { type Process, readSockets } from './proc-net.ts'

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 11 1 0 100 0 0 10 0
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0 100 0 0 10 0
   2: 0100007F:C001 0100007F:1538 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0 20 4 30 10 -1
   3: 0100007F:1538 0100007F:C001 01 00000000:00000000 00:00000000 00000000   101        0 14 1 0 20 4 30 10 -1
   4: nonsense`
const process = (pid: number, words: string[], sockets: string[], parent = 1, unit?: string): Process => ({
  pid,
  parent,
  command: words[0].split('/').at(-1)!,
  arguments: words,
  sockets,
  ...(unit && { unit }),
})

it('finds who listens and who calls whom, workers under their master', () => {
  const machine = describeMachine(
    readSockets(TCP),
    [
      process(5, ['/usr/lib/postgresql/15/bin/postgres'], ['11']),
      process(7, ['postgres'], ['11', '14'], 5),
      process(9, ['/usr/bin/node', '/srv/wiki/server.js'], ['12', '13']),
    ],
    'box',
  )
  expect(machine.entities).toEqual([
    { id: 'service:postgres', addresses: ['127.0.0.1:5432', 'localhost:5432'], runs_on: 'host:box' },
    { id: 'service:wiki', addresses: ['127.0.0.1:8080', 'localhost:8080'], runs_on: 'host:box' },
  ])
  expect(machine.edges).toEqual([{ from: 'service:wiki', to: 'service:postgres', kind: 'calls' }])
})
test.each([
  [process(1, ['nginx: master process'], [], 1, 'nginx'), 'nginx'],
  [process(1, ['/usr/bin/redis-server'], []), 'redis'],
  [process(1, ['java', '-jar', '/opt/shop/orders.jar'], []), 'orders'],
  [process(1, ['redis-server 127.0.0.1:6379'], []), 'redis'],
  [process(1, ['nginx: master process nginx -c /etc/x.conf'], []), 'nginx'],
  [process(1, ['java', '-cp', '/opt/*', 'org.acme.Broker', 'a.properties'], []), 'Broker'],
  [process(1, ['python3', '/srv/reports/main.py'], []), 'reports'],
])('names processes as people do', (p, name) => {
  expect(nameOfProcess(p)).toBe(name)
})
