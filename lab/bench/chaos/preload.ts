/**
 * Loaded into each service of the kill harness before the service itself (`--import`). Stands between the runtime and its broker: writes down
 * what is under way, so that a kill can be said to have landed in it; shifts the wall clock; and takes one promise away at a time, so that the
 * harness can show that it notices. The runtime knows nothing of it.
 *
 * What is under way stands in a file, a byte for each phase, written at its place with each change: it outlives SIGKILL.
 */
import { randomUUID } from 'node:crypto'
import { openSync, writeSync } from 'node:fs'
import { KafkaBroker, type OutRecord, type Transaction } from '@aegis/runtime'
import { apart, isSnapshotTopic, kindOf } from './apart.ts'
import { type Broken, PHASES, type Phase } from './phases.ts'

const env = process.env
const broken = env.AEGIS_CHAOS_BREAK as Broken | undefined
/** Microseconds of sleep for each record sent: a stage that is many times too slow. */
const slowUs = Number(env.AEGIS_CHAOS_SLOW_US ?? 0)

const file = openSync(env.AEGIS_CHAOS_PHASES!, 'w')
const counts = Buffer.alloc(PHASES.length)
writeSync(file, counts, 0, counts.length, 0)
const mark = (phase: Phase, by: 1 | -1): void => {
  const at = PHASES.indexOf(phase)
  counts[at] += by
  writeSync(file, counts, at, 1, at)
}

const skewMs = Number(env.AEGIS_CHAOS_SKEW_MS ?? 0)
if (skewMs !== 0) {
  const now = Date.now
  Date.now = () => now() + skewMs
  Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + skewMs })
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Marks a transaction from its first request to the answer to its last. */
const watched = (tx: Transaction): Transaction => {
  const open = new Set<Phase>()
  const enter = (phase: Phase) => {
    if (!open.has(phase)) mark(phase, 1)
    open.add(phase)
  }
  const leave = () => {
    for (const phase of open) mark(phase, -1)
    open.clear()
  }
  const last = (work: () => Promise<void>) => work().finally(leave)
  return {
    send: async (records: readonly OutRecord[]) => {
      enter('transaction')
      const kind = kindOf(records)
      if (kind === 'snapshot') enter('snapshot')
      if (kind !== 'send') {
        if (broken === 'snapshots' || broken === kind) return
      } else if (slowUs > 0) await pause((slowUs * records.length) / 1000)
      await tx.send(records)
    },
    offsets: (group, partition, positions) => {
      enter('transaction')
      return tx.offsets(group, partition, positions)
    },
    commit: () => {
      enter('commit')
      return last(() => tx.commit())
    },
    abort: () => last(() => tx.abort()),
  }
}

const { transactor, read } = KafkaBroker.prototype
KafkaBroker.prototype.transactor = async function (id) {
  const held = await transactor.call(this, broken === 'fencing' ? `${id}-${randomUUID()}` : id)
  return {
    close: () => held.close(),
    begin: async () => watched(broken === 'transactions' ? apart(held) : await held.begin()),
  }
}
KafkaBroker.prototype.read = async function (topic, partition, from, to, onRecords) {
  const phase: Phase = isSnapshotTopic(topic) ? 'restore' : 'replay'
  // Without snapshots there is nothing to start from, and a restart begins with empty hands.
  if (broken === 'snapshots') return
  mark(phase, 1)
  try {
    await read.call(this, topic, partition, from, to, onRecords)
  } finally {
    mark(phase, -1)
  }
}
