// Whether a process that is asked again and again has hung: one that is stopped, or computes for
// ever, is not dead and keeps its sockets, so nothing else tells.
//
// Pure: whoever uses it asks, and says what the clock shows.

export class HangWatch {
  readonly #limitMs: number
  #checkedAt: number
  #answeredAt: number

  constructor(limitMs: number, now: number) {
    this.#limitMs = limitMs
    this.#checkedAt = now
    this.#answeredAt = now
  }

  /** How often `check` is to be called. */
  get everyMs(): number {
    return this.#limitMs / 5
  }

  answered(now: number): void {
    this.#answeredAt = now
  }

  /** True: it has not answered within the limit. */
  check(now: number): boolean {
    const sinceCheck = now - this.#checkedAt
    this.#checkedAt = now
    // When it was this process that stood still, answers may wait in its pipes, unread.
    if (sinceCheck > this.#limitMs / 2) this.#answeredAt = now
    return now - this.#answeredAt > this.#limitMs
  }
}
