// What must be sent again when a connection breaks.
//
// A TCP connection loses what was on its way when it breaks, and nobody can tell what has arrived.
// Making every message between nodes safe to repeat would put that burden on each of them. Instead
// both ends of a link count: messages have numbers that are never written, the n-th of a link is
// the n-th frame over all its connections. What is not acknowledged is kept. When a new connection
// is made, each side says how many it has, and the other goes on behind that.
//
// Pure: the sockets are in `link.ts`.
//
// Invariant: `sent` is the number of acknowledged messages plus that of those that are kept.

import { assert } from '../../base/assert.js'
import { linkAckEvery } from '../../base/limits.js'

export class ReliableLink {
  /** Messages of the other side that have arrived. */
  received = 0
  /** Bytes that are kept. */
  keptBytes = 0
  #acknowledged = 0
  /** Frames behind the acknowledged ones, in order. Added by `add`, removed by `acknowledge`. */
  #kept: Uint8Array[] = []
  /** Of those, how many at the front are void: shifting an array for each would be quadratic. */
  #gone = 0
  #sinceAck = 0

  /** Messages that were ever given to this end. */
  get sent(): number {
    return this.#acknowledged + this.#kept.length - this.#gone
  }

  add(frame: Uint8Array): void {
    this.#kept.push(frame)
    this.keptBytes += frame.length
  }

  /** A message has arrived. True: it is time to acknowledge. */
  arrived(): boolean {
    this.received++
    return ++this.#sinceAck >= linkAckEvery
  }

  /** Whether anything has arrived that was not acknowledged. */
  get owesAck(): boolean {
    return this.#sinceAck > 0
  }

  ackSent(): void {
    this.#sinceAck = 0
  }

  /** The other side has so many. */
  acknowledge(count: number): void {
    assert(count <= this.sent, 'nobody has more than was sent')
    while (this.#acknowledged < count) {
      this.keptBytes -= this.#kept[this.#gone]?.length ?? 0
      this.#acknowledged++
      this.#gone++
    }
    if (this.#gone * 2 < this.#kept.length) return
    this.#kept = this.#kept.slice(this.#gone)
    this.#gone = 0
  }

  /** What a new connection must carry first, when the other side has so many. */
  resume(count: number): readonly Uint8Array[] {
    this.acknowledge(count)
    this.#sinceAck = 0
    return this.#kept.slice(this.#gone)
  }

  /** The other side begins anew: what was said before is void. */
  reset(): void {
    this.received = 0
    this.keptBytes = 0
    this.#acknowledged = 0
    this.#kept = []
    this.#gone = 0
    this.#sinceAck = 0
  }
}
