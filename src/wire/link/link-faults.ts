// Cuts connections on purpose, for tests: a message is lost before it goes out, after it went out
// and before anybody has heard of it, or after it was handled and before that was acknowledged.
// Each point has a count, so that a test can ask that all were hit.
//
// `TYPERAY_LINK_FAULTS=seed:perMessage` turns it on in the processes that read it: one in so many
// messages has a fault. `TYPERAY_LINK_FAULTS_LOG` names a file to which each adds a line, so that
// the faults of processes that are killed are counted too.

import { appendFileSync } from 'node:fs'
import { Prng } from '../../base/prng.js'

type FaultPoint = 'request' | 'flight' | 'response'

class LinkFaults {
  readonly counts: Record<FaultPoint, number> = { request: 0, flight: 0, response: 0 }
  readonly #prng: Prng
  readonly #probability: number

  readonly #log: string | undefined

  constructor(seed: number, perMessage: number, log: string | undefined) {
    this.#prng = new Prng(seed)
    this.#probability = 1 / perMessage
    this.#log = log
  }

  /** Whether the connection is to be cut here. */
  strikes(point: FaultPoint): boolean {
    if (!this.#prng.chance(this.#probability)) return false
    this.counts[point]++
    if (this.#log !== undefined) appendFileSync(this.#log, `${point}\n`)
    return true
  }
}

/** Undefined unless the environment asks for them. */
export function linkFaultsFrom(text: string | undefined, pid: number): LinkFaults | undefined {
  const match = /^(\d+):(\d+)$/.exec(text ?? '')
  if (match === null) return undefined
  const log = process.env['TYPERAY_LINK_FAULTS_LOG']
  return new LinkFaults(Number(match[1]) + pid, Number(match[2]), log)
}
