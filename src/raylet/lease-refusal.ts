// Says what can never run, instead of letting it wait in silence.

import { formatSelectors, labelPolicy, whyNoLabels } from '../scheduling/label-policy.js'
import { ResourcePool } from '../scheduling/resource-pool.js'
import { ResourceSet } from '../scheduling/resources.js'
import type { PlacementGroupTarget, WireError } from '../wire/messages/terms.js'
import type { PendingRequest } from './lease-queue.js'
import type { LeaseTables } from './lease-tables.js'

export interface Impossible {
  readonly error: WireError
  /** What is lacking, if a node that joins could bring it. */
  readonly why: string | undefined
}

/** Why the request cannot be granted by anybody, or undefined when it can. */
export function impossibleOf(tables: LeaseTables, request: PendingRequest): Impossible | undefined {
  const error = refusalOf(tables, request)
  if (error !== undefined) return { error, why: undefined }
  const why = lackOf(tables, request)
  return why === undefined ? undefined : { error: unschedulable(request, why), why }
}

/** What no node that joins can change. */
function refusalOf(tables: LeaseTables, request: PendingRequest): WireError | undefined {
  if (request.target !== undefined) return groupRefusal(tables, request)
  const { affinity } = request
  return affinity?.soft === false ? affinityRefusal(tables, request, affinity.nodeId) : undefined
}

/** What the nodes lack together. */
function lackOf(tables: LeaseTables, request: PendingRequest): string | undefined {
  if (request.target !== undefined || request.affinity?.soft === false) return undefined
  if (request.labels.length > 0) {
    const why = whyNoLabels(tables.nodes(), request.labels)
    if (why !== undefined) return why
    const { need, labels } = request
    if (labelPolicy(tables.nodes(), need.toResources(), labels).length > 0) return undefined
    return `it needs ${need}, and no node with labels ${formatSelectors(labels)} has that`
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
  return `it needs ${what}, and no node has that (${has})`
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
