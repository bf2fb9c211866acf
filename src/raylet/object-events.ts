// What the table of objects hears, and what it wants done.

import type { ProcessId } from '../base/ids.js'
import type { FromRaylet, ToRaylet } from '../wire/messages/raylet.js'
import type { ObjectMessage, StoredObject } from '../wire/messages/peer.js'
import type { ObjectKey } from '../wire/messages/terms.js'

type OwnerSaid<Kind extends ToRaylet['kind']> = Extract<ToRaylet, { readonly kind: Kind }> & {
  readonly from: ProcessId
}

export type ObjectEvent =
  /** From processes and raylets of all nodes. */
  | ObjectMessage
  /** From the owner, which is a process of this node. */
  | OwnerSaid<'escape'>
  | OwnerSaid<'forget'>
  | OwnerSaid<'revive'>
  | OwnerSaid<'releaseLineage'>
  /** From the consumer of a stream, which owns its items. */
  | OwnerSaid<'dropItems'>
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
  /** An actor and what its arguments nest; the creating process holds one count on it. */
  | {
      readonly kind: 'createActor'
      readonly from: ProcessId
      readonly actor: ObjectKey
      readonly nested: readonly ObjectKey[]
    }
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
