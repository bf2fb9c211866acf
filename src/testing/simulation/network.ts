// Carries messages between simulated processes: late, but each connection in order, and nothing is
// lost. A cut connection is a message like any other, so it comes after what was sent before it, as
// on a socket. While a node is off the network, what goes between it and others waits, as on a link
// that sends again what was not acknowledged.

import type { Clock } from '../../base/clock.js'
import type { Prng } from '../../base/prng.js'

/** One ordered connection; without nodes, both ends are on one machine. */
export interface Connection {
  readonly from: string
  readonly to: string
  readonly nodes?: readonly [string, string]
}

export interface NetworkOptions {
  readonly delayMsMax: number
  /** How often a message, and all behind it, is held up, and for how long at most. */
  readonly slowChance: number
  readonly slowMsMax: number
  /** How often a connection is slow from beginning to end, and by how much at most. */
  readonly slowLinkChance: number
  readonly slowLinkMsMax: number
}

export class Network {
  readonly #clock: Clock
  readonly #prng: Prng
  readonly #options: NetworkOptions
  /** When the last message of a connection arrives. */
  readonly #lastAt = new Map<string, number>()
  /** How much each connection adds. Set at its first message. */
  readonly #latencies = new Map<string, number>()
  /** Until when a node is off the network. */
  readonly #cutUntil = new Map<string, number>()
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

  /** Whether the node was ever cut off and may not have heard yet what happened meanwhile. */
  wasCut(nodeId: string): boolean {
    return this.#cutUntil.has(nodeId)
  }

  /** What was held up has had time to arrive. */
  get isWhole(): boolean {
    const now = this.#clock.now()
    const { slowMsMax, slowLinkMsMax } = this.#options
    const late = 2 * (slowMsMax + slowLinkMsMax)
    return [...this.#cutUntil.values()].every((until) => until + late < now)
  }

  /** Takes a node off the network for a while. */
  cut(nodeId: string, ms: number): void {
    this.#cutUntil.set(nodeId, this.#clock.now() + exact(ms))
  }

  send({ from, to, nodes }: Connection, arrive: () => void): void {
    const { delayMsMax, slowChance, slowMsMax } = this.#options
    const key = `${from}>${to}`
    const now = this.#clock.now()
    const slow = this.#prng.chance(slowChance) ? this.#prng.fraction() * slowMsMax : 0
    const late = this.#prng.fraction() * delayMsMax + slow + this.#latencyOf(key)
    const cutUntil = nodes?.[0] === nodes?.[1] ? 0 : this.#cutOf(nodes ?? [])
    const wanted = Math.max(now, cutUntil) + exact(late)
    const at = Math.max(wanted, this.#lastAt.get(key) ?? 0)
    this.#lastAt.set(key, at)
    this.#inFlight++
    this.#clock.timer(at - now, () => {
      this.#inFlight--
      this.carried++
      arrive()
    })
  }

  #cutOf(nodes: readonly string[]): number {
    return Math.max(0, ...nodes.map((node) => this.#cutUntil.get(node) ?? 0))
  }

  #latencyOf(key: string): number {
    const known = this.#latencies.get(key)
    if (known !== undefined) return known
    const { slowLinkChance, slowLinkMsMax } = this.#options
    const isSlow = this.#prng.chance(slowLinkChance)
    const latency = isSlow ? this.#prng.fraction() * slowLinkMsMax : 0
    this.#latencies.set(key, latency)
    return latency
  }
}

/** Rounds to what adds up without error, so that messages for one instant stay in order. */
function exact(ms: number): number {
  return Math.round(ms * 1024) / 1024
}
