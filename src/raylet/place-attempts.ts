// Which requests to place actors this node has heard, and which of them it has refused.
//
// A GCS that starts again, or that lost sight of the node for a while, repeats a request that has
// no answer yet. What was refused once must not be granted then: the GCS may have heard the refusal
// already and have placed the actor elsewhere, and for a moment it would run twice. So every
// request has a number, and one that is known is answered as it was before.
//
// Bounded: the actors that were heard of last are remembered. An older one that is here still is
// found where it waits or runs.

import { placeAttemptsMax } from '../base/limits.js'
import type { ToGcs } from '../wire/messages/gcs.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { PendingActor } from './lease-queue.js'

type Refusal = Extract<ToGcs, { kind: 'actorNotPlaced' }>

interface Known {
  readonly attempt: number
  readonly refusal: Refusal | undefined
}

/** What to do about a request to place an actor. */
export interface HeardAttempt {
  /** It is known, or a later one is: nothing new may come of it. */
  readonly isOld: boolean
  /** What it was answered before; an older request is not, its answer would not be heard. */
  readonly refusal: Refusal | undefined
}

export class PlaceAttempts {
  /** The last request of each actor, the actor that was heard of last at the end. */
  readonly #known = new Map<string, Known>()

  hear({ spec, attempt }: PendingActor): HeardAttempt {
    const known = this.#known.get(keyOf(spec.actor))
    if (known === undefined || known.attempt < attempt) {
      this.#note(spec.actor, { attempt, refusal: undefined })
      return { isOld: false, refusal: undefined }
    }
    return { isOld: true, refusal: known.attempt === attempt ? known.refusal : undefined }
  }

  refused(refusal: Refusal): void {
    const known = this.#known.get(keyOf(refusal.actor))
    const { actor, attempt } = refusal
    if (known === undefined || known.attempt <= attempt) this.#note(actor, { attempt, refusal })
  }

  #note(actor: ObjectKey, known: Known): void {
    const key = keyOf(actor)
    this.#known.delete(key)
    this.#known.set(key, known)
    if (this.#known.size <= placeAttemptsMax) return
    const [oldest] = this.#known.keys()
    if (oldest !== undefined) this.#known.delete(oldest)
  }
}

const keyOf = ([owner, sequence]: ObjectKey): string => `${owner}/${sequence}`
