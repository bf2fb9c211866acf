// Messages on the socket between an owner and a worker that it leases or whose actor it calls,
// beside the binary frames.

import type { ProcessId } from '../../base/ids.js'

/** From an owner to a worker. The first frame on the socket is `open`. */
export type ToWorker =
  | {
      readonly kind: 'open'
      readonly token: string
      readonly owner: ProcessId
      /**
       * The lease that pushes on this socket belong to, or undefined when the socket is for calls
       * to the actor.
       */
      readonly lease?: number
      readonly actor?: readonly [ProcessId, number]
    }
  /**
   * The ref of a task that was pushed has escaped: settle it at the raylet too, also if it has
   * finished already.
   */
  | { readonly kind: 'escaped'; readonly sequence: number }
  | { readonly kind: 'cancel'; readonly sequence: number; readonly recursive: boolean }
  /** The consumer of a stream has read up to this many items in all. */
  | { readonly kind: 'credit'; readonly sequence: number; readonly items: number }
  /** Results up to this one have arrived; the worker may forget them. */
  | { readonly kind: 'received'; readonly sequence: number }

/** From a worker to an owner. */
export type FromWorker =
  /**
   * The lease is not, or no longer, this owner's: nothing pushed on this socket that is unanswered
   * has run.
   */
  | { readonly kind: 'stale'; readonly lease: number }
  /**
   * Tasks from this index on (counted from the last resume) were not started and will not be; push
   * no more until `freed`.
   */
  | { readonly kind: 'back'; readonly started: number; readonly blocked: boolean }
  | { readonly kind: 'freed' }
  /** The lease is open, but the worker has no claim words yet: push one task at a time. */
  | { readonly kind: 'opened' }
  /**
   * The lease is open and the worker has mapped its claim slot: more than one task may be in
   * flight.
   */
  | { readonly kind: 'claims' }

/** What a function number of a socket stands for. */
export interface FunctionDescriptor {
  readonly hash: string
  readonly name: string
}

/** Rare facts about one task. */
export interface PushExtension {
  readonly returns?: number
  readonly name?: string
  readonly depth?: number
  readonly retryExceptions?: boolean
  /** Items that a generator may be ahead of its consumer. */
  readonly backpressure?: number
  /** Number of the stream among those of its consumer: ids of its items follow from it. */
  readonly stream?: number
  /** Items that its consumer has from an earlier run. */
  readonly skip?: number
  /** The only items that are wanted, in order: others are there from an earlier run. */
  readonly only?: readonly number[]
  /** The worker ends after so many runs of the function. */
  readonly maxCalls?: number
  /** Concurrency group of a call that names another than its method does. */
  readonly group?: string
  /** False: the task is not to be listed. */
  readonly events?: boolean
}
