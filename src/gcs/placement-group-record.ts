// One placement group as the GCS knows it, and what others are told of it.

import type { ProcessId } from '../base/ids.js'
import type { BundleStrategy } from '../scheduling/bundle-policy.js'
import { addAmounts, formatAmounts } from '../scheduling/resource-amounts.js'
import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'
import type { PlacementGroupRow } from '../wire/messages/raylet.js'
import type { Resources, WireError } from '../wire/messages/terms.js'
import { keyOf, nameKey } from './actor-record.js'

export interface Bundle {
  readonly index: number
  readonly resources: Resources
  /** Set when an attempt plans it there; cleared when the attempt fails or the node dies. */
  nodeId: string | undefined
  /** The node has agreed, and so have all others of the attempt. */
  isHeld: boolean
}

/** Whose end is the end of the group: a detached group has no owner. */
export type GroupOwner =
  | { readonly kind: 'job'; readonly jobId: string }
  /** The group was made inside an actor, which may outlive the job; by `keyOf` of its id. */
  | { readonly kind: 'actor'; readonly actor: string }

export interface GroupRecord {
  readonly group: string
  /** Grows from one creation to the next. */
  readonly order: number
  readonly name: string
  readonly nameKey: string
  readonly namespace: string
  readonly strategy: BundleStrategy
  readonly detached: boolean
  readonly jobId: string
  readonly owner: GroupOwner | undefined
  /** The driver that made it, whose death ends its job; undefined when a worker made it. */
  readonly driver: { readonly nodeId: string; readonly process: ProcessId } | undefined
  readonly specs: readonly Resources[]
  state: PlacementGroupRow['state']
  message: string | undefined
  /** Set when the group was refused. */
  error: WireError | undefined
  bundles: Bundle[]
  attempt: number
  /** Nodes that were asked in this attempt and have not answered. Empty outside an attempt. */
  readonly waitingFor: Set<string>
  /** Who is told of changes, with their nodes. Removed when the process or its node dies. */
  readonly subscribers: Map<ProcessId, string>
  /** Nodes that are told where the bundles are. Removed when the node dies. */
  readonly watchers: Set<string>
}

export function newGroup(
  event: ToGcs & { readonly kind: 'createPlacementGroup' },
  order: number,
): GroupRecord {
  const { group, name, namespace, strategy, detached, jobId, creatorActor, from, nodeId } = event
  const owner: GroupOwner =
    creatorActor === undefined
      ? { kind: 'job', jobId }
      : { kind: 'actor', actor: keyOf(creatorActor) }
  return {
    group,
    order,
    name,
    nameKey: nameKey(namespace, name),
    namespace,
    strategy,
    detached,
    jobId,
    owner: detached ? undefined : owner,
    driver: event.byDriver ? { nodeId, process: from } : undefined,
    specs: event.bundles,
    state: 'pending',
    message: undefined,
    error: undefined,
    bundles: event.bundles.map((resources, index) => ({
      index,
      resources,
      nodeId: undefined,
      isHeld: false,
    })),
    attempt: 0,
    waitingFor: new Set(),
    subscribers: new Map([[from, nodeId]]),
    watchers: new Set(),
  }
}

export function groupRow(record: GroupRecord): PlacementGroupRow {
  const { group, name, namespace, strategy, state, detached, jobId, message } = record
  const bundles = record.specs.map((resources, index) => {
    const bundle = record.bundles[index]
    const isPlaced = bundle?.nodeId !== undefined && bundle.isHeld
    return { index, resources, ...(isPlaced && { nodeId: bundle.nodeId }) }
  }) as PlacementGroupRow['bundles']
  const row = { group, name, namespace, strategy, state, detached, jobId, bundles }
  return message === undefined ? row : { ...row, message }
}

/** What a subscriber is told. */
export function groupChanged(
  { group, state, message, error }: GroupRecord,
  to: ProcessId,
): FromGcs & { readonly kind: 'placementGroupChanged' } {
  return {
    kind: 'placementGroupChanged',
    to,
    group,
    state,
    ...(message === undefined ? {} : { message }),
    ...(error === undefined ? {} : { error }),
  }
}

export const claimOf = ({ group }: GroupRecord): string => `group ${group}`

export function byNode(bundles: readonly Bundle[]): Map<string, Bundle[]> {
  const map = new Map<string, Bundle[]>()
  for (const bundle of bundles) {
    if (bundle.nodeId === undefined) continue
    const list = map.get(bundle.nodeId)
    if (list === undefined) map.set(bundle.nodeId, [bundle])
    else list.push(bundle)
  }
  return map
}

export function groupNameTaken({ name, namespace, group }: GroupRecord, holder: string): WireError {
  return {
    code: 'RAY_ERROR',
    message:
      `Placement group ${group} was not made: the name ${name} (namespace=${namespace}) belongs ` +
      `to group ${holder}. Choose another name, get the group that has it with ` +
      `ray.getPlacementGroup, or remove that one first.`,
    fields: { name, namespace, placementGroupId: group },
  }
}

export function infeasibleGroup(record: GroupRecord, nodes: Nodes): string {
  return (
    `Placement group ${record.group} can never be placed: ${whyInfeasible(record, nodes)} ` +
    `It waits for nodes to join; remove it or ask for less.`
  )
}

type Nodes = readonly { readonly total: Resources }[]

/** What it needs, and what there is. */
export function whyInfeasible(record: GroupRecord, nodes: Nodes): string {
  const bundles = record.bundles.map((bundle) => `{${formatAmounts(bundle.resources)}}`)
  const total = nodes.reduce<Resources>((sum, node) => addAmounts(sum, node.total), {})
  const count = nodes.length === 1 ? '1 node' : `${nodes.length} nodes`
  const isTooSpread = record.strategy === 'STRICT_SPREAD' && bundles.length > nodes.length
  const why = isTooSpread ? ` STRICT_SPREAD puts every bundle on a node of its own.` : ''
  return (
    `it asks for the bundles ${bundles.join(', ')} with ${record.strategy}, and the cluster has ` +
    `${formatAmounts(total)} on ${count}.${why}`
  )
}

/** Where the bundles are; nowhere yet, unless the group is whole. */
export function groupLocated({ group, state, bundles }: GroupRecord): FromGcs {
  const isWhole = state === 'created'
  const located = bundles.map(({ index, resources, nodeId }) => ({
    index,
    resources,
    ...(isWhole && nodeId !== undefined && { nodeId }),
  }))
  return { kind: 'groupLocated', group, bundles: located }
}
