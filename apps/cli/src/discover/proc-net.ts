/**
 * Who listens where, and who is connected to whom, from what Linux says of itself: `/proc/net/tcp` and `tcp6` (proc(5)) and the sockets that processes hold
 * open. Reads only; of other people's processes only what the user may see.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'

export interface Socket {
  readonly local: string
  readonly localPort: number
  readonly remote: string
  readonly remotePort: number
  readonly state: 'listen' | 'established' | 'other'
  readonly inode: string
}
const STATES: Readonly<Record<string, Socket['state']>> = { '0A': 'listen', '01': 'established' }

/** Bytes stand in the machine's order, four at a time: little endian on all that Node runs on. */
const addressOf = (hex: string): string => {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap(word => (word.match(/../g) ?? []).reverse().map(b => Number.parseInt(b, 16)))
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.slice(0, 10).every(b => b === 0) && bytes[10] === 255) return bytes.slice(12).join('.')
  if (bytes.every(b => b === 0)) return '::'
  if (bytes.slice(0, 15).every(b => b === 0)) return '::1'
  return (Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? []).map(w => w.replace(/^0{1,3}/, '')).join(':')
}
/** The table of `/proc/net/tcp` or `tcp6`; lines that are none are left out. */
export const readSockets = (table: string): Socket[] =>
  table.split('\n').flatMap((line): Socket[] => {
    const words = line.trim().split(/\s+/)
    const [, local, remote, state] = words
    const ends = [local, remote].map(end => /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/i.exec(end ?? ''))
    if (!ends[0] || !ends[1] || words.length < 10) return []
    return [
      {
        local: addressOf(ends[0][1]),
        localPort: Number.parseInt(ends[0][2], 16),
        remote: addressOf(ends[1][1]),
        remotePort: Number.parseInt(ends[1][2], 16),
        state: STATES[state.toUpperCase()] ?? 'other',
        inode: words[9],
      },
    ]
  })

export interface Process {
  readonly pid: number
  readonly parent: number
  readonly command: string
  readonly arguments: readonly string[]
  /** Its unit of systemd, from its control group. */
  readonly unit?: string
  readonly sockets: readonly string[]
}
const text = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
export const readProcesses = (proc = '/proc'): Process[] =>
  readdirSync(proc)
    .filter(name => /^\d+$/.test(name))
    .flatMap((name): Process[] => {
      const at = path.join(proc, name)
      const status = text(path.join(at, 'status'))
      const command = /^Name:\s*(.+)$/m.exec(status)?.[1]
      if (!command) return []
      let held: string[] = []
      try {
        held = readdirSync(path.join(at, 'fd'))
      } catch {
        // Somebody else's.
      }
      const sockets = held.flatMap(fd => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(path.join(at, 'fd', fd)))?.[1] ?? []
        } catch {
          return []
        }
      })
      const unit = /\/([^/]+)\.service(?:\/|$)/m.exec(text(path.join(at, 'cgroup')))?.[1]
      return [
        {
          pid: Number(name),
          parent: Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0),
          command,
          arguments: text(path.join(at, 'cmdline')).split('\0').filter(Boolean),
          ...(unit && !/^user@/.test(unit) && { unit }),
          sockets,
        },
      ]
    })
