// Ends workers whose setup hook computes past its time.
//
// A worker watches its own hook, but not one that never lets the event loop turn. So the raylet
// waits too, a little longer, for the worker to say that the hook has settled.

import type { Clock } from '../base/clock.js'
import { setupGraceMs } from '../base/limits.js'
import { type SetupHook, setupReason, type WorkerEnvironment } from '../wire/messages/terms.js'

export class SetupWatch {
  readonly #clock: Clock
  readonly #kill: (start: string, reason: string) => void
  /** Time of the hooks of workers that have not said hello yet, by the name of their start. */
  readonly #expected = new Map<string, number>()
  readonly #cancels = new Map<string, () => void>()

  constructor(clock: Clock, kill: (start: string, reason: string) => void) {
    this.#clock = clock
    this.#kill = kill
  }

  expect(start: string, { env }: WorkerEnvironment): void {
    const text = env['TYPERAY_SETUP']
    if (text === undefined) return
    this.#expected.set(start, (JSON.parse(text) as SetupHook).timeoutMs)
  }

  /** The worker has said hello: its hook runs from now on. */
  begin(start: string): void {
    const timeoutMs = this.#expected.get(start)
    if (timeoutMs === undefined) return
    this.#expected.delete(start)
    const cancel = this.#clock.timer(timeoutMs + setupGraceMs, () => {
      this.#cancels.delete(start)
      this.#kill(start, `${setupReason} within ${timeoutMs} ms`)
    })
    this.#cancels.set(start, cancel)
  }

  /** The hook has settled, or the worker is gone. */
  end(start: string): void {
    this.#expected.delete(start)
    this.#cancels.get(start)?.()
    this.#cancels.delete(start)
  }
}
