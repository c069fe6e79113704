/** Proof of who wrote a record, kept in its headers; what proves it is the service's to say (libs/authority). */
export interface Seal {
  /** Headers for a record of this service; none for streams that need no proof. */
  sign(topic: string, value: Uint8Array, nowUs: number): Readonly<Record<string, string>>
  /** Why a record is not to be trusted; undefined where it is, or needs no proof. `timestamp`: when the broker wrote it, milliseconds. */
  objection(record: {
    readonly topic: string
    readonly value: Uint8Array | null
    readonly headers: Readonly<Record<string, unknown>>
    readonly timestamp: number
  }): string | undefined
}
