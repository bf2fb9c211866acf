// Questions to the raylet, most of which the GCS answers.

import type { PendingQuery } from './pending.js'
import type { StateQuery } from './state.js'
import type { Resources } from './terms.js'

export type Query =
  | { readonly what: 'nodes' }
  | { readonly what: 'clusterResources' }
  /** What no node could ever run, and waits for nodes to join: rows of InfeasibleDemand. */
  | { readonly what: 'infeasible' }
  /** The node takes nothing new and ends when it has nothing left, or after so long. */
  | {
      readonly what: 'drainNode'
      readonly nodeId: string
      readonly reason: string
      readonly deadlineMs: number
    }
  | { readonly what: 'availableResources' }
  | { readonly what: 'actorByName'; readonly name: string; readonly namespace: string }
  /** Of all namespaces when none is given. */
  | { readonly what: 'namedActors'; readonly namespace?: string }
  | { readonly what: 'placementGroups' }
  | { readonly what: 'placementGroup'; readonly group: string }
  | {
      readonly what: 'placementGroupByName'
      readonly name: string
      readonly namespace: string
    }
  | { readonly what: 'storeStatistics' }
  | { readonly what: 'workers' }
  /** The same of every node, in a list: of each what its raylet answers. */
  | { readonly what: 'everyNode'; readonly question: 'storeStatistics' | 'workers' }
  | StateQuery
  | PendingQuery

/** What the raylet of a node is asked by that of another. */
export type NodeQuestion =
  { readonly what: 'storeStatistics' } | { readonly what: 'workers' } | StateQuery

/** Answer to the questions about placement groups. */
export interface PlacementGroupRow {
  readonly group: string
  readonly name: string
  readonly namespace: string
  readonly strategy: 'PACK' | 'SPREAD' | 'STRICT_PACK' | 'STRICT_SPREAD'
  readonly state: 'pending' | 'created' | 'removed' | 'infeasible'
  readonly detached: boolean
  readonly jobId: string
  /** Why it is in this state, where that needs words. */
  readonly message?: string
  readonly bundles: readonly {
    readonly index: number
    readonly resources: Resources
    readonly nodeId?: string
  }[]
}
