// A wait for the end of an idle moment. Asked to wait for less than it does, it waits for less.

export class IdleTimer {
  #timer: NodeJS.Timeout | null = null
  #ms = 0

  /** Calls `done` in `ms`, or when it would have called it anyway if that is sooner. */
  start(ms: number, done: () => void): void {
    if (this.#timer !== null) {
      if (this.#ms <= ms) return
      clearTimeout(this.#timer)
    }
    this.#ms = ms
    this.#timer = setTimeout(() => {
      this.#timer = null
      done()
    }, ms)
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
