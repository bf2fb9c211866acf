// The link of a node to a GCS in another process.

import { systemClock } from '../base/clock.js'
import { GcsSession } from '../raylet/gcs-session.js'
import { type Caller, DialedLink } from '../wire/link/dialed-link.js'
import type { FromGcs, NodeHoldings, ToGcs } from '../wire/messages/gcs.js'
import type { WireError } from '../wire/messages/terms.js'

export interface GcsLinkEvents {
  readonly message: (message: FromGcs) => void
  /** The GCS does not let this node in, or was away for too long. */
  readonly refused: (error: WireError) => void
  /** What the node has on behalf of the GCS. */
  readonly holdings: () => NodeHoldings
}

export class GcsLink {
  readonly #link: DialedLink<ToGcs, FromGcs>
  readonly #session = new GcsSession()
  readonly #events: GcsLinkEvents

  constructor(address: string, caller: () => Caller, events: GcsLinkEvents) {
    this.#events = events
    this.#link = new DialedLink<ToGcs, FromGcs>(
      { clock: systemClock, address, caller },
      {
        message: (message) => {
          if (this.#session.received(message)) events.message(message)
        },
        refused: (error) => events.refused(error),
        reset: () => this.#repeat(),
      },
    )
  }

  /** What went wrong at the last attempt to connect; '' when nobody knows. */
  get lastProblem(): string {
    return this.#link.lastProblem
  }

  send(message: ToGcs): void {
    this.#session.sending(message)
    this.#link.send(message)
    if (!this.#session.isOverfull) return
    this.close()
    this.#events.refused({ code: 'RAY_RPC', message: 'the GCS was away for too long' })
  }

  close(): void {
    this.#link.close()
  }

  /** The GCS has started again. */
  #repeat(): void {
    for (const message of this.#session.repeat(this.#events.holdings())) this.#link.send(message)
  }
}
