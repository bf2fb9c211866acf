// Says at once what can never run, instead of letting it wait in silence.

import { formatSelectors, labelPolicy, whyNoLabels } from '../scheduling/label-policy.js'
import { ResourcePool } from '../scheduling/resource-pool.js'
import { ResourceSet } from '../scheduling/resources.js'
import type { PlacementGroupTarget, WireError } from '../wire/messages/terms.js'
import type { PendingRequest } from './lease-queue.js'
import type { LeaseTables } from './lease-tables.js'

/** Why the request can never be granted, or undefined when it can or may yet be. */
export function refusalOf(tables: LeaseTables, request: PendingRequest): WireError | undefined {
  if (request.target !== undefined) return groupRefusal(tables, request)
  const { affinity } = request
  if (affinity?.soft === false) return affinityRefusal(tables, request, affinity.nodeId)
  if (request.labels.length > 0) {
    const why = whyNoLabels(tables.nodes(), request.labels)
    if (why !== undefined) return unschedulable(request, why)
    const { need, labels } = request
    if (labelPolicy(tables.nodes(), need.toResources(), labels).length > 0) return undefined
    const which = `with labels ${formatSelectors(labels)}`
    return unschedulable(request, `it needs ${need}, and no node ${which} has that`)
  }
  if (tables.pool.canEverAllocate(request.need)) return undefined
  const others = tables.view.filter((node) => node.alive && node.nodeId !== tables.nodeId)
  const totals = others.map((node) => ResourceSet.from(node.total))
  if (totals.some((total) => new ResourcePool(total).canEverAllocate(request.need)))
    return undefined
  const cluster = totals.reduce((sum, total) => sum.plus(total), tables.pool.total)
  const has =
    others.length === 0 ? `this node has ${cluster}` : `all nodes together have ${cluster}`
  const missing = request.need.lacksIn(tables.pool.total)
  const what = (missing.length === 0 ? [...request.need.amounts.keys()] : missing)
    .map((name) => String(request.need.only(name)))
    .join(', ')
  return unschedulable(request, `it needs ${what}, and no node has that (${has})`)
}

function affinityRefusal(
  tables: LeaseTables,
  request: PendingRequest,
  nodeId: string,
): WireError | undefined {
  const node = tables.nodes().find((each) => each.nodeId === nodeId)
  if (node === undefined) {
    const advice = 'Choose another node, or pass soft: true.'
    return unschedulable(request, `it must run on node ${nodeId}, which is not alive`, advice)
  }
  const { need } = request
  if (new ResourcePool(ResourceSet.from(node.total)).canEverAllocate(need)) return undefined
  const has = ResourceSet.from(node.total)
  return unschedulable(request, `it needs ${need} on node ${nodeId}, which has ${has} in all`)
}

function groupRefusal(tables: LeaseTables, request: PendingRequest): WireError | undefined {
  const { target } = request
  if (target === undefined) return undefined
  const gone = tables.bundles.goneMessage(target.group)
  const kind = request.actor === undefined ? 'TASK' : 'ACTOR'
  if (gone !== undefined) {
    return {
      code: `RAY_${kind}_PLACEMENT_GROUP_REMOVED`,
      message: `${title(request)} cannot run. ${gone}`,
      fields: { placementGroupId: target.group },
    }
  }
  const totals = bundleTotals(tables, target)
  if (totals?.some((total) => new ResourcePool(total).canEverAllocate(request.need)) !== false) {
    return undefined
  }
  const which = target.bundle < 0 ? 'any one bundle' : `bundle ${target.bundle}`
  const has = totals.map((total) => `{${total}}`).join(' ') || 'no such bundle'
  return unschedulable(
    request,
    `it needs ${request.need} in ${which} of placement group ${target.group}, which has ${has}`,
    'Ask for less, or make the bundle larger.',
  )
}

/** What each bundle has that the target may take from; undefined while nobody here knows. */
function bundleTotals(
  tables: LeaseTables,
  target: PlacementGroupTarget,
): ResourceSet[] | undefined {
  const located = tables.groups.get(target.group)
  if (located !== undefined) {
    return located
      .filter(({ index }) => target.bundle < 0 || index === target.bundle)
      .map(({ resources }) => ResourceSet.from(resources))
  }
  if (!tables.isAlone || !tables.bundles.isKnown(target.group)) return undefined
  return tables.bundles.pools(target).map((pool) => pool.total)
}

function unschedulable(
  request: PendingRequest,
  why: string,
  advice = 'Ask for less, or add a node that has it.',
): WireError {
  const kind = request.actor === undefined ? 'TASK' : 'ACTOR'
  return {
    code: `RAY_${kind}_UNSCHEDULABLE`,
    message: `${title(request)} can never run: ${why}. ${advice}`,
    fields: { needs: request.need.toResources() },
  }
}

function title(request: PendingRequest): string {
  return `${request.actor === undefined ? 'Task' : 'Actor'} ${request.name}`
}
