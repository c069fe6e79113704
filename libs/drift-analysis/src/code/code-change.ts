/** A change to infrastructure code, and what was known before it was made. Its own message is not part of it. */
export interface CodeChange {
  readonly id: string
  readonly repo: string
  /** ISO 8601 with the author's offset, so that night and weekend are the author's. */
  readonly time: string
  readonly author: string
  readonly files: readonly {
    readonly path: string
    readonly added: number
    readonly removed: number
    readonly commitsBefore: number
  }[]
  /** Unified diff. */
  readonly patch: string
  readonly authorHistory: {
    readonly commitsBefore: number
    readonly daysActive: number
    readonly hoursSincePrevious?: number
    readonly commits24h: number
    readonly commits7d: number
    /** 0 to 1. */
    readonly shareNight: number
    readonly shareWeekend: number
    readonly filesKnownShare: number
    readonly revertedBefore: number
  }
  readonly fileHistory: {
    readonly commitsBefore: number
    readonly authorsBefore: number
    readonly hoursSincePrevious?: number
    readonly revertedBefore: number
  }
  readonly repoHistory: { readonly commits1h: number; readonly commits24h: number }
  readonly earlierSameFiles: readonly EarlierChange[]
  readonly earlier24h: readonly EarlierChange[]
}
export interface EarlierChange {
  readonly ageHours: number
  readonly sameAuthor: boolean
  readonly subject: string
}
