// Waiting for another process that writes to shared memory.
//
// A message would take 50 us and more; the other rank is usually done within one. So a rank looks
// for a while, then naps, blocking its thread, which costs no turn of the event loop and leaves the
// core to others; and when nobody comes for 2 ms, it lets the event loop turn and looks every
// millisecond.

const looksMax = 3000
const napMs = 0.05
const napsMax = 40
const pauseMs = 1
/** A long operation lets others have a turn about this often. */
const turnMs = 10

const nap = new Int32Array(new SharedArrayBuffer(4))

export class Patience {
  #turnAt = 0

  /** Looks and naps; false when it is time to wait asynchronously. */
  isSoon(isReady: () => boolean): boolean {
    for (let i = 0; i < looksMax; i++) if (isReady()) return true
    for (let i = 0; i < napsMax; i++) {
      Atomics.wait(nap, 0, 0, napMs)
      if (isReady()) return true
    }
    return false
  }

  /** Waits as long as it takes; `check`, called now and then, throws to end it. */
  async wait(isReady: () => boolean, check: (waitedMs: number) => void): Promise<void> {
    const startedMs = performance.now()
    while (!isReady()) {
      check(performance.now() - startedMs)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
    this.#turnAt = performance.now() + turnMs
  }

  /** Lets the event loop turn if it has not for a while. */
  get isTurnDue(): boolean {
    return performance.now() > this.#turnAt
  }

  async turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#turnAt = performance.now() + turnMs
  }
}
