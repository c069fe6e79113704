import { readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { AegisError } from '@aegis/domain'
import { Command } from 'commander'
import { describeMachine } from '../discover/describe-machine.ts'
import { readProcesses, readSockets } from '../discover/proc-net.ts'

const tableOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** `aegis discover`: what runs on this machine as a topology to say yes or no to. */
export const discoverCommand = (): Command =>
  new Command('discover')
    .option('--environment <name>', 'environment it belongs to', 'default')
    .option('--write <file>', 'write the topology there, to be read and changed before it is told')
    .option('--tell <gateway>', 'tell it to the gateway at once: http://host:port')
    .option('--from <file>', 'with --tell: what is in that file instead of what runs here')
    .addHelpText('after', '\nReads /proc only; run it as root to see the connections of other users.')
    .action(async (options: { environment: string; write?: string; tell?: string; from?: string }) => {
      const machine = options.from
        ? JSON.parse(readFileSync(options.from, 'utf8'))
        : {
            environment: options.environment,
            source: 'discover',
            ...describeMachine(
              ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(f => readSockets(tableOf(f))),
              readProcesses(),
              os.hostname(),
            ),
          }
      const { exporters, ...topology } = machine
      if (options.write) writeFileSync(options.write, `${JSON.stringify(topology, null, 2)}\n`)
      for (const e of topology.entities) console.log(`${e.id}  ${e.addresses.join(' ')}`)
      for (const e of topology.edges) console.log(`${e.from} calls ${e.to}`)
      if (exporters?.length > 0)
        console.log(
          `exporters: AEGIS_SCRAPE_TARGETS=${exporters.map((e: { name: string; address: string }) => `${e.name.replace(/^prometheus-|-exporter$/g, '')}=http://${e.address}/metrics`).join(',')}`,
        )
      if (topology.entities.length === 0) console.error('nothing that listens is seen; as root it would be')
      if (!options.tell) return
      const response = await fetch(`${options.tell.replace(/\/$/, '')}/api/v1/topology`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(process.env.AEGIS_API_TOKEN && { authorization: `Bearer ${process.env.AEGIS_API_TOKEN}` }),
        },
        body: JSON.stringify(topology),
      })
      if (!response.ok)
        throw new AegisError(
          'INPUT_INVALID',
          `the gateway at ${options.tell} answered ${response.status}: ${(await response.text()).slice(0, 300)}`,
        )
      console.log(`told to ${options.tell}: ${topology.entities.length} entities, ${topology.edges.length} edges`)
    })
