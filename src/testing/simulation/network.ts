// Carries messages between simulated processes: late, but each connection in order, and nothing is
// lost. A cut connection is a message like any other, so it comes after what was sent before it, as
// on a socket.

import type { Clock } from '../../base/clock.js'
import type { Prng } from '../../base/prng.js'

export interface NetworkOptions {
  readonly delayMsMax: number
  /** How often a message, and all behind it, is held up, and for how long at most. */
  readonly slowChance: number
  readonly slowMsMax: number
}

export class Network {
  readonly #clock: Clock
  readonly #prng: Prng
  readonly #options: NetworkOptions
  /** When the last message of a connection arrives. */
  readonly #lastAt = new Map<string, number>()
  #inFlight = 0
  carried = 0

  constructor(clock: Clock, prng: Prng, options: NetworkOptions) {
    this.#clock = clock
    this.#prng = prng
    this.#options = options
  }

  get inFlight(): number {
    return this.#inFlight
  }

  send(connection: { from: string; to: string }, arrive: () => void): void {
    const { delayMsMax, slowChance, slowMsMax } = this.#options
    const key = `${connection.from}>${connection.to}`
    const now = this.#clock.now()
    const slow = this.#prng.chance(slowChance) ? this.#prng.fraction() * slowMsMax : 0
    const wanted = now + exact(this.#prng.fraction() * delayMsMax + slow)
    const at = Math.max(wanted, this.#lastAt.get(key) ?? 0)
    this.#lastAt.set(key, at)
    this.#inFlight++
    this.#clock.timer(at - now, () => {
      this.#inFlight--
      this.carried++
      arrive()
    })
  }
}

/** Rounds to what adds up without error, so that messages for one instant stay in order. */
function exact(ms: number): number {
  return Math.round(ms * 1024) / 1024
}
