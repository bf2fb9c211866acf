// Looks after lease lines from time to time: those that are of no use are returned, and what waits
// behind a long task is taken back.

import { leaseIdleMs } from '../base/limits.js'
import type { LeaseLine } from './lease-line.js'
import type { SchedulingKey } from './scheduling-key.js'

/** A head that is older than this while another worker is idle is stolen from. */
const stealAfterMs = 4

export interface WatchedLines {
  readonly lines: ReadonlyMap<number, LeaseLine>
  readonly keys: Iterable<SchedulingKey>
  /** Does any task wait for such a line? */
  readonly isWanted: (line: LeaseLine) => boolean
  readonly giveBack: (line: LeaseLine) => void
  readonly stop: (line: LeaseLine) => void
  readonly now: () => number
}

export class LineWatch {
  readonly #of: WatchedLines
  #sweep: NodeJS.Timeout | null = null
  #steal: NodeJS.Timeout | null = null

  constructor(of: WatchedLines) {
    this.#of = of
  }

  /**
   * A line that has not been used for a while is returned, so that others find a free worker
   * without a recall.
   */
  forIdle(): void {
    if (this.#sweep !== null) return
    this.#sweep = setTimeout(() => {
      this.#sweep = null
      const now = this.#of.now()
      for (const line of [...this.#of.lines.values()]) {
        if (!line.isIdle || line.isSuspended || now - line.lastActive < leaseIdleMs) continue
        if (!this.#of.isWanted(line)) this.#of.giveBack(line)
      }
      if (this.#of.lines.size > 0) this.forIdle()
    }, leaseIdleMs)
    this.#sweep.unref()
  }

  /**
   * Tasks that wait behind one that runs long, while another worker of the key has nothing to do,
   * are taken back.
   */
  forStealing(): void {
    if (this.#steal !== null) return
    this.#steal = setTimeout(() => {
      this.#steal = null
      let isWatching = false
      for (const key of this.#of.keys) {
        for (const line of key.lines) {
          if (line.inFlight < 2 || line.isSuspended) continue
          isWatching = true
          if (this.#of.now() - line.headSince < stealAfterMs || line.headSince === 0) continue
          this.#of.stop(line)
        }
      }
      if (isWatching) this.forStealing()
    }, stealAfterMs)
  }

  close(): void {
    if (this.#sweep !== null) clearTimeout(this.#sweep)
    if (this.#steal !== null) clearTimeout(this.#steal)
  }
}
