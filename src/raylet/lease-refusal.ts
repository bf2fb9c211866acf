// Says at once what can never run, instead of letting it wait in silence.

import { formatSelectors, labelPolicy, whyNoLabels } from '../scheduling/label-policy.js'
import { ResourcePool } from '../scheduling/resource-pool.js'
import { ResourceSet } from '../scheduling/resources.js'
import type { SchedulingStrategy, WireError } from '../wire/messages/terms.js'
import type { PendingRequest } from './lease-queue.js'
import type { LeaseTables } from './lease-tables.js'

/** Why the request can never be granted, or undefined when it can or may yet be. */
export function refusalOf(
  tables: LeaseTables,
  request: PendingRequest,
  strategy?: SchedulingStrategy,
): WireError | undefined {
  if (request.target !== undefined) return groupRefusal(tables, request)
  const wanted = strategy?.kind === 'nodeAffinity' ? strategy.nodeId : undefined
  if (wanted !== undefined && wanted !== tables.nodeId && strategy?.soft !== true) {
    return unschedulable(request, `it must run on node ${wanted}, which is not alive`)
  }
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
  if (!tables.bundles.isKnown(target.group)) return undefined
  const pools = tables.bundles.pools(target)
  if (pools.some((pool) => pool.canEverAllocate(request.need))) return undefined
  const which = target.bundle < 0 ? 'any one bundle' : `bundle ${target.bundle}`
  const has = pools.map((pool) => `{${pool.total}}`).join(' ') || 'no such bundle'
  return unschedulable(
    request,
    `it needs ${request.need} in ${which} of placement group ${target.group}, which has ${has}`,
    'Ask for less, or make the bundle larger.',
  )
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
