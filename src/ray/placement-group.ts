import { TaskPlacementGroupRemovedError, TaskUnschedulableError } from '../base/errors.js'
import { newId } from '../base/ids.js'
import {
  type Bundle,
  type CoreWorker,
  ObjectRef,
  PlacementGroup,
  type PlacementStrategy,
  refState,
  settleRef,
} from '../worker/index.js'
import { requireSession } from './session.js'

const strategies = ['PACK', 'SPREAD', 'STRICT_PACK', 'STRICT_SPREAD']

/**
 * Reserves bundles of resources. PACK puts them on as few nodes as possible, SPREAD on as many; the
 * STRICT ones insist.
 *
 * Follows `ray.util.placement_group` of Ray.
 *
 * @example
 * const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }], 'PACK')
 * await ray.get(group.ready())
 * const where = ray.remote(() => ray.getRuntimeContext().placementGroupId)
 * const inside = where.options({ schedulingStrategy: { placementGroup: group, bundleIndex: 0 } })
 * console.log(await ray.get(inside.remote()))
 *
 * @throws TypeError for bundles that are empty or a strategy that does not exist.
 */
export function placementGroup(
  bundles: readonly Bundle[],
  strategy: PlacementStrategy = 'PACK',
  options: { readonly name?: string; readonly lifetime?: 'detached' } = {},
): PlacementGroup {
  checkBundles(bundles)
  if (!strategies.includes(strategy)) {
    throw new TypeError(
      `The strategy of a placement group is one of ${strategies.join(', ')}, not ` +
        `${String(strategy)}.`,
    )
  }
  const core = requireSession()
  const id = newId()
  const ready = new ObjectRef<PlacementGroup>(core.process, core.nextSequence())
  const group = new PlacementGroup(id, bundles, strategy, ready)
  listen(core, group, ready as ObjectRef)
  core.raylet.send({
    kind: 'createPlacementGroup',
    group: id,
    bundles,
    strategy,
    name: options.name ?? '',
    detached: options.lifetime === 'detached',
  })
  return group
}

function listen(core: CoreWorker, group: PlacementGroup, ready: ObjectRef): void {
  core.placementGroups.set(group.id, (state, message) => {
    if (state === 'created') settleRef(ready, refState.primitive, group)
    else if (state === 'infeasible') {
      settleRef(
        ready,
        refState.error,
        new TaskUnschedulableError(message, { fields: { placementGroupId: group.id } }),
      )
    } else if (state === 'removed') {
      const text = `Placement group ${group.id} was removed${message === '' ? '' : `: ${message}`}.`
      settleRef(
        ready,
        refState.error,
        new TaskPlacementGroupRemovedError(text, { fields: { placementGroupId: group.id } }),
      )
      core.placementGroups.delete(group.id)
    }
    if (ready.isKnown) core.references.settled(ready)
  })
}

function checkBundles(bundles: readonly Bundle[]): void {
  if (!Array.isArray(bundles) || bundles.length === 0) {
    throw new TypeError('A placement group needs at least one bundle, such as [{ CPU: 1 }].')
  }
  bundles.forEach((bundle, index) => {
    const amounts = Object.entries(bundle ?? {})
    const isValid =
      amounts.length > 0 &&
      amounts.every(([, n]) => typeof n === 'number' && Number.isFinite(n) && n >= 0)
    if (!isValid || amounts.every(([, n]) => n === 0)) {
      throw new TypeError(
        `Bundle ${index} of a placement group must name amounts above zero, such as { CPU: 1 }.`,
      )
    }
  })
}

/**
 * Gives the bundles back. Tasks and actors in them end with an error that says so.
 *
 * Follows `ray.util.remove_placement_group` of Ray.
 *
 * @example
 * const group = ray.placementGroup([{ CPU: 1 }])
 * ray.removePlacementGroup(group)
 *
 * @throws TypeError for anything that is not a PlacementGroup.
 */
export function removePlacementGroup(group: PlacementGroup): void {
  if (!(group instanceof PlacementGroup))
    throw new TypeError('ray.removePlacementGroup takes a PlacementGroup.')
  requireSession().raylet.send({ kind: 'removePlacementGroup', group: group.id })
}
