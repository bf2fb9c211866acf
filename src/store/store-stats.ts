// What the store says of itself: for status displays and tests.

export interface StoreStats {
  readonly arenaBytes: number
  readonly usedBytes: number
  readonly warmBytes: number
  readonly objects: number
  readonly pinnedCopies: number
  readonly waiting: number
  readonly files: number
  /** Of live copies, wherever written. */
  readonly fileBytes: number
  /** Since the start. */
  readonly spilledBytesTotal: number
  readonly fallbackBytesTotal: number
}
