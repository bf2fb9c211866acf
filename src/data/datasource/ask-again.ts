// Requests that fail for reasons of the server or of the network are made again, after a pause that
// doubles each time. Its length is random within a factor of two: tasks that a server turned away
// together must not come back together.

import { setTimeout as pause } from 'node:timers/promises'
import { requestPauseMs, requestPauseMsMax, requestTriesMax } from '../../base/limits.js'
import { randomBytes } from '../../base/random.js'

/** A failure that may be over soon; its cause is what happens if it is not. */
export class PassingFailure extends Error {
  /** The pause that the server asks for. */
  readonly pauseMs: number

  constructor(cause: unknown, pauseMs = 0) {
    super('a request failed, and may not the next time', { cause })
    this.pauseMs = Math.min(pauseMs, requestPauseMsMax)
  }
}

/**
 * Calls `ask` until it does not throw a PassingFailure, or too often; then throws the cause. `ask`
 * is told when it is called for the last time.
 */
export async function askAgain<T>(ask: (isLast: boolean) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const isLast = tries >= requestTriesMax
    try {
      return await ask(isLast)
    } catch (error) {
      if (!(error instanceof PassingFailure)) throw error
      if (isLast) throw error.cause
      const own = requestPauseMs * 2 ** (tries - 1) * (0.5 + chance() / 2)
      await pause(Math.max(own, error.pauseMs))
    }
  }
}

/** A number from 0 to 1. */
function chance(): number {
  return randomBytes(1).readUInt8() / 255
}
