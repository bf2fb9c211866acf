// What happens to actors.

import type { ProcessId } from '../base/ids.js'
import type { ToGcs } from '../wire/messages/gcs.js'

export type ActorEvent =
  | (ToGcs & {
      readonly kind:
        | 'createActor'
        | 'subscribeActor'
        | 'killActor'
        | 'actorOutOfScope'
        | 'actorPlaced'
        | 'actorNotPlaced'
        | 'actorStarted'
        | 'actorWorkerDied'
        | 'nodeHolds'
    })
  /**
   * Something may have become free; `nodeId` when it is known where, undefined to ask those again
   * who said no.
   */
  | { readonly kind: 'viewChanged'; readonly nodeId?: string }
  | { readonly kind: 'groupChanged'; readonly group: string; readonly removed: boolean }
  | { readonly kind: 'nodeDied'; readonly nodeId: string }
  | { readonly kind: 'processDied'; readonly process: ProcessId }
  | { readonly kind: 'jobFinished'; readonly jobId: string }

export type EventOf<K extends ActorEvent['kind']> = ActorEvent & { readonly kind: K }
