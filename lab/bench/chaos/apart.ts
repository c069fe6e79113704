import { isOrderRecord, type OutRecord, type Transaction, type Transactor } from '@aegis/runtime'

export const isSnapshotTopic = (topic: string): boolean => topic.endsWith('.snapshots')
/** What a list of records of one transaction is: a snapshot, the order since one, or outputs. */
export const kindOf = ([first]: readonly OutRecord[]): 'snapshot' | 'order' | 'send' =>
  !first || !isSnapshotTopic(first.topic) ? 'send' : isOrderRecord(first) ? 'order' : 'snapshot'

const ATTEMPTS = 20

/** Outputs and offsets each in a transaction of their own: what a runtime without transactions would do. */
export const apart = (transactor: Transactor): Transaction => {
  const alone = async (work: (tx: Transaction) => Promise<void>) => {
    for (let attempt = 1; ; attempt++) {
      const tx = await transactor.begin()
      try {
        await work(tx)
        return await tx.commit()
      } catch (error) {
        await tx.abort().catch(() => undefined)
        // The broker may still be writing the markers of the transaction just before: two in a row are not what the runtime does.
        if (attempt >= ATTEMPTS || !/concurrent/i.test((error as Error).message)) throw error
        await new Promise(resolve => setTimeout(resolve, 20 * attempt))
      }
    }
  }
  return {
    send: records => alone(tx => tx.send(records)),
    offsets: (group, partition, positions) => alone(tx => tx.offsets(group, partition, positions)),
    commit: async () => undefined,
    abort: async () => undefined,
  }
}
