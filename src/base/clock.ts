// Time, as a port: state machines are told the time, and shells that need a timer are given a
// clock. The simulator has another one, which jumps.

export interface Clock {
  /** Milliseconds. Only differences mean anything. */
  now(): number
  /**
   * Runs `run` once after `ms`; the function returned takes that back, and may be called at any
   * time.
   */
  timer(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  timer(ms, run) {
    const timeout = setTimeout(run, ms)
    return () => clearTimeout(timeout)
  },
}
