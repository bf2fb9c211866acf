// What a placement group that is not whole waits for.

import { bundlePolicy, type BundleRequest } from '../scheduling/bundle-policy.js'
import type { NodeView } from '../scheduling/node-view.js'
import { addAmounts } from '../scheduling/resource-amounts.js'
import { roomKey } from '../wire/messages/gcs.js'
import type { Resources } from '../wire/messages/terms.js'
import type { GroupRecord } from './placement-group-record.js'
import type { RoomDemand, RoomShares } from './room-plan.js'

/** The bundles that have no node. */
export function missingOf({ bundles, strategy }: GroupRecord): BundleRequest {
  const missing = bundles.filter((bundle) => bundle.nodeId === undefined)
  const heldBy = bundles.flatMap(({ nodeId }) => (nodeId === undefined ? [] : [nodeId]))
  return { strategy, bundles: missing, heldBy }
}

export function groupDemand(record: GroupRecord): RoomDemand {
  const { group, jobId } = record
  const request = missingOf(record)
  const missing = request.bundles.map(({ index }) => index).join()
  return {
    key: roomKey('group', group),
    name: group,
    jobId,
    depth: 0,
    shape: `group ${group} ${missing} ${request.heldBy.join()}`,
    place: (nodes) => sharesOf(request, nodes),
  }
}

function sharesOf(request: BundleRequest, nodes: readonly NodeView[]): RoomShares | undefined {
  const choice = bundlePolicy(nodes, request)
  if (choice.kind !== 'nodes') return undefined
  const shares = new Map<string, Resources>()
  for (const { index, resources } of request.bundles) {
    const nodeId = choice.nodeIds.get(index)
    if (nodeId !== undefined) shares.set(nodeId, addAmounts(shares.get(nodeId) ?? {}, resources))
  }
  return shares
}
