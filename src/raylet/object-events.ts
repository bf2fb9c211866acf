// What the table of objects hears, and what it wants done.

import type { ProcessId } from '../base/ids.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import type { StoredObject } from '../wire/messages/peer.js'
import type { ObjectKey } from '../wire/messages/terms.js'

export type ObjectEvent =
  | {
      readonly kind: 'escape'
      readonly from: ProcessId
      readonly objects: readonly {
        readonly sequence: number
        readonly body?: Uint8Array
        readonly contains?: readonly ObjectKey[]
      }[]
    }
  | {
      readonly kind: 'settle'
      readonly from: ProcessId
      readonly object: ObjectKey
      readonly body: Uint8Array
      readonly contains?: readonly ObjectKey[]
    }
  /** The store of a node holds the object now. */
  | {
      readonly kind: 'seal'
      readonly object: ObjectKey
      readonly contains?: readonly ObjectKey[]
      /** The home's own, unless said otherwise. */
      readonly node?: number
      readonly sizeBytes?: number
      /** Who made the value, and in which attempt at the task. */
      readonly from?: ProcessId
      readonly attempt?: number
    }
  /** A reader's node has all of it. */
  | { readonly kind: 'copyAdded'; readonly object: ObjectKey; readonly node: number }
  /**
   * A node has it no more, or never will. With `isMissing` another node says so, which did not find
   * it there.
   */
  | {
      readonly kind: 'copyRemoved'
      readonly object: ObjectKey
      readonly node: number
      readonly isMissing?: boolean
    }
  /** No node has a copy of these any more; `reason` says how it came. */
  | {
      readonly kind: 'copiesLost'
      readonly objects: readonly ObjectKey[]
      readonly reason: string
    }
  /** A worker of another node has told the owner that it has stored the value there. */
  | {
      readonly kind: 'saidStored'
      readonly from: ProcessId
      readonly sequence: number
      readonly node: number
      readonly attempt: number
    }
  /**
   * The owner needs an object again that was freed, or that is gone altogether. It holds one more
   * count, unless `isHeld`.
   */
  | {
      readonly kind: 'revive'
      readonly from: ProcessId
      readonly sequence: number
      readonly attempt: number
      readonly isHeld?: boolean
    }
  /** The owner has no ref of these any more: does anybody need their lineage? */
  | {
      readonly kind: 'releaseLineage'
      readonly from: ProcessId
      readonly request: number
      readonly sequences: readonly number[]
    }
  | {
      readonly kind: 'lend'
      readonly to: ProcessId
      readonly objects: readonly ObjectKey[]
    }
  | {
      readonly kind: 'dropItems'
      readonly from: ProcessId
      readonly worker: ProcessId
      readonly first: number
      readonly count: number
    }
  | { readonly kind: 'unlend'; readonly from: ProcessId; readonly objects: readonly ObjectKey[] }
  | {
      readonly kind: 'release'
      readonly from: ProcessId
      /** Flat: owner, sequence, owner, sequence. */
      readonly objects: readonly number[]
    }
  /**
   * The values of objects whose refs never left their owner, flat as in release. They came only in
   * case they do.
   */
  | { readonly kind: 'forget'; readonly from: ProcessId; readonly objects: readonly number[] }
  | { readonly kind: 'free'; readonly objects: readonly ObjectKey[] }
  | {
      readonly kind: 'getObjects' | 'awaitObjects'
      readonly from: ProcessId
      readonly objects: readonly ObjectKey[]
      readonly isBare?: boolean
      readonly urgency?: number
    }
  /** An actor and what its arguments nest; the creating process holds one count on it. */
  | {
      readonly kind: 'createActor'
      readonly from: ProcessId
      readonly actor: ObjectKey
      readonly nested: readonly ObjectKey[]
    }
  /**
   * Something of the raylet's own, such as a function, holds the objects for as long as the node
   * lives.
   */
  | { readonly kind: 'keep'; readonly objects: readonly ObjectKey[] }
  | { readonly kind: 'processDied'; readonly process: ProcessId }
  /** Time has passed. */
  | { readonly kind: 'tick' }
  /** A node with all its processes and copies. */
  | { readonly kind: 'nodeDied'; readonly node: number }

export type ObjectEffect =
  | { readonly kind: 'send'; readonly to: ProcessId; readonly message: FromRaylet }
  /** Pin the object for the receiver on its node and send it `ready` with the location. */
  | ({ readonly kind: 'sendStored' } & StoredObject)
  | { readonly kind: 'freeStored'; readonly object: ObjectKey }
  /** The same on other nodes. */
  | {
      readonly kind: 'dropCopies'
      readonly object: ObjectKey
      readonly nodes: readonly number[]
    }
  /** The node has the only copy that must not be evicted from here on. */
  | { readonly kind: 'makePrimary'; readonly object: ObjectKey; readonly node: number }
  /** For the home of the objects, which is another node. */
  | {
      readonly kind: 'elsewhere'
      readonly event: Extract<ObjectEvent, { kind: 'lend' | 'release' }>
    }
  | { readonly kind: 'actorOutOfScope'; readonly actor: ObjectKey }
