/** Sockets and processes of a machine as a described system: entities with their addresses, and who calls whom. */
import { entityId } from '@aegis/domain'
import type { Process, Socket } from './proc-net.ts'

export interface DescribedMachine {
  readonly entities: { id: string; addresses: string[]; runs_on: string }[]
  readonly edges: { from: string; to: string; kind: 'calls' }[]
  /** Ports that look like exporters of Prometheus, by the program that listens. */
  readonly exporters: { name: string; address: string }[]
}
const INTERPRETERS = /^(node|nodejs|python[\d.]*|ruby|java|perl|php|deno|bun|dotnet|MainThread)$/i
const EXPORTER = /exporter|metrics|cadvisor/i
const VERSIONS = /[\d.]+$/
const RUNS = /^(start|run|serve|server|main|index|app|cli|manage|bin|dist|src|lib|build)$/i

/** What a person would call it: its unit, else its program; of an interpreter the script, else the folder that holds it. */
export const nameOfProcess = ({ command, arguments: words, unit }: Process): string => {
  if (unit) return unit.replace(/@.*/, '')
  // Some write what they are doing over their own command line: `nginx: master process …`.
  const program = (words.length > 1 ? words[0] : (words[0] ?? command).split(/\s/)[0]).split('/').at(-1)!.replace(/:$/, '')
  const interpreter = INTERPRETERS.test(program) || INTERPRETERS.test(command)
  if (!interpreter)
    return (
      program
        .replace(/-server$/, '')
        .replace(/^(postmaster|postgres.*)$/, 'postgres')
        .replace(VERSIONS, '') || command
    )
  const jar = words[words.indexOf('-jar') + 1]
  const mainClass =
    command === 'java'
      ? words
          .slice(1)
          .find(w => /^([a-z]\w*\.)+[A-Z]\w*$/.test(w))
          ?.split('.')
          .at(-1)
      : undefined
  const script = words.includes('-jar') ? jar : (mainClass ?? words.slice(1).find(w => !w.startsWith('-')))
  const parts = (script ?? command).split('/').map(p => p.replace(/\.(c?js|mjs|ts|py|rb|php|jar|pl)$/, ''))
  return parts.reverse().find(p => p && !RUNS.test(p)) ?? command
}

const isLocal = (address: string) => /^127\.|^::1$|^0\.0\.0\.0$|^::$/.test(address)

export const describeMachine = (sockets: readonly Socket[], processes: readonly Process[], host: string): DescribedMachine => {
  const holders = new Map<string, Process>()
  const byPid = new Map(processes.map(p => [p.pid, p]))
  // Workers share their master's sockets and name: the oldest that holds one is who it is.
  for (const p of [...processes].sort((a, b) => a.pid - b.pid))
    for (const inode of p.sockets) if (!holders.has(inode)) holders.set(inode, p)
  const rootOf = (p: Process): Process => {
    let at = p
    for (let parent = byPid.get(p.parent); parent && parent.command === p.command; parent = byPid.get(parent.parent)) at = parent
    return at
  }
  const idOf = (p: Process) => entityId('service', nameOfProcess(rootOf(p)))
  const entities = new Map<string, Set<string>>()
  const listeners = new Map<number, string>()
  for (const s of sockets) {
    const p = s.state === 'listen' ? holders.get(s.inode) : undefined
    if (!p) continue
    const id = idOf(p)
    listeners.set(s.localPort, id)
    const known = entities.get(id) ?? new Set()
    entities.set(id, known)
    for (const address of s.local === '0.0.0.0' || s.local === '::'
      ? ['127.0.0.1', 'localhost', host]
      : [s.local, ...(isLocal(s.local) ? ['localhost'] : [])])
      known.add(`${address}:${s.localPort}`)
  }
  const here = new Set(sockets.map(s => s.local))
  const edges = new Map<string, { from: string; to: string; kind: 'calls' }>()
  for (const s of sockets) {
    const p = s.state === 'established' ? holders.get(s.inode) : undefined
    if (!p || listeners.get(s.localPort) === idOf(p)) continue
    const to = isLocal(s.remote) || here.has(s.remote) ? listeners.get(s.remotePort) : undefined
    const from = idOf(p)
    if (to && to !== from) edges.set(`${from} ${to}`, { from, to, kind: 'calls' })
  }
  const exporters = [...entities].flatMap(([id, addresses]) =>
    EXPORTER.test(id) ? [{ name: id.slice('service:'.length), address: [...addresses][0] }] : [],
  )
  // Who only measures is no part of what customers depend on.
  const measuring = (id: string) => EXPORTER.test(id) || /:prometheus/.test(id)
  for (const { from } of edges.values()) if (!entities.has(from) && !measuring(from)) entities.set(from, new Set())
  return {
    entities: [...entities]
      .filter(([id]) => !measuring(id))
      .map(([id, addresses]) => ({ id, addresses: [...addresses].sort(), runs_on: entityId('host', host) })),
    edges: [...edges.values()].filter(e => !measuring(e.from) && !measuring(e.to)),
    exporters,
  }
}
