import type { Transaction, Transactor } from '@aegis/runtime'

export const isSnapshot = (topic: string | undefined): boolean => topic?.endsWith('.snapshots') === true

/** Outputs and offsets each in a transaction of their own: what a runtime without transactions would do. */
export const apart = (transactor: Transactor): Transaction => {
  const alone = async (work: (tx: Transaction) => Promise<void>) => {
    const tx = await transactor.begin()
    await work(tx)
    await tx.commit()
  }
  return {
    send: records => alone(tx => tx.send(records)),
    offsets: (group, partition, positions) => alone(tx => tx.offsets(group, partition, positions)),
    commit: async () => undefined,
    abort: async () => undefined,
  }
}
