import { checkAmount } from '../base/amounts.js'
import { RayError } from '../base/errors.js'
import { newId } from '../base/ids.js'
import {
  type Bundle,
  currentTask,
  PlacementGroup,
  type PlacementGroupRow,
  type PlacementStrategy,
} from '../worker/index.js'
import { requireSession } from './session.js'

const strategies = ['PACK', 'SPREAD', 'STRICT_PACK', 'STRICT_SPREAD']

/** Options of `ray.placementGroup`. */
export interface PlacementGroupOptions {
  /** For `ray.getPlacementGroup`; one group of a namespace may have it. */
  readonly name?: string
  /** It outlives the job, until it is removed. */
  readonly lifetime?: 'detached'
}

/** What the cluster knows of a group. */
export interface PlacementGroupState {
  /** Id of the group, in hexadecimal. */
  readonly placementGroupId: string
  /** Its name, or '' when it has none. */
  readonly name: string
  /** Where its name is known. */
  readonly namespace: string
  /** How the bundles are placed. */
  readonly strategy: PlacementStrategy
  /** INFEASIBLE: it waits, and the cluster as it is could never hold it. */
  readonly state: 'PENDING' | 'CREATED' | 'REMOVED' | 'INFEASIBLE'
  /** Whether it outlives its job. */
  readonly isDetached: boolean
  /** The job that made it. */
  readonly creatorJobId: string
  /** The amounts of each bundle, and the node that holds it once the group is created. */
  readonly bundles: readonly {
    readonly index: number
    readonly resources: Bundle
    readonly nodeId?: string
  }[]
  /** Why it is in this state, where that needs words. */
  readonly message?: string
}

const later = 'is not built yet; see "What works" in the README'
const refused: Readonly<Record<string, string>> = {
  bundleLabelSelector: `${later}. Bundles are placed by their resources alone`,
  softTargetNodeId: `${later}. There is one node`,
  topologyStrategy: later,
  topologyAssignments: later,
}

/**
 * Reserves bundles of resources. PACK puts them on as few nodes as possible, SPREAD on as many; the
 * STRICT ones insist. Returns at once; `ready()` and `wait()` of the group tell when it has them.
 *
 * The group ends with the job, or with the actor in which it was made, unless it is detached.
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
 * @throws TypeError for bundles that are empty, a strategy or an option that does not exist.
 */
export function placementGroup(
  bundles: readonly Bundle[],
  strategy: PlacementStrategy = 'PACK',
  options: PlacementGroupOptions = {},
): PlacementGroup {
  const specs = checkBundles(bundles)
  if (!strategies.includes(strategy)) {
    throw new TypeError(
      `The strategy of a placement group is one of ${strategies.join(', ')}, as in ` +
        `ray.placementGroup(bundles, 'SPREAD', { name }); not ${described(strategy)}.`,
    )
  }
  checkOptions(options)
  const core = requireSession()
  const group = new PlacementGroup(newId(), specs, strategy)
  core.placementGroups.create(group, {
    bundles: specs,
    strategy,
    name: options.name ?? '',
    namespace: core.welcome.namespace,
    detached: options.lifetime === 'detached',
    ...(core.hosted !== null && { creatorActor: core.hosted.spec.actor }),
  })
  return group
}

function described(given: unknown): string {
  return typeof given === 'object' && given !== null ? 'an object' : JSON.stringify(given)
}

function checkOptions(options: PlacementGroupOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('The options of a placement group are an object, such as { name }.')
  }
  for (const key of Object.keys(options)) {
    if (key === 'name' || key === 'lifetime') continue
    const why = refused[key] ?? 'is not one. Options are: lifetime, name'
    throw new TypeError(`The option '${key}' of a placement group ${why}.`)
  }
  const { name, lifetime } = options
  if (name !== undefined) checkName('A placement group', name)
  if (lifetime !== undefined && lifetime !== 'detached') {
    throw new TypeError(
      `The option 'lifetime' of a placement group must be 'detached' or left out, not ` +
        `${String(lifetime)}.`,
    )
  }
}

function checkName(what: string, name: unknown): void {
  if (typeof name === 'string' && name !== '') return
  throw new TypeError(`${what} takes a name that is not empty, not ${String(name)}.`)
}

/** A copy: what the caller does with its own later is no business of the group. */
function checkBundles(bundles: readonly Bundle[]): Bundle[] {
  if (!Array.isArray(bundles) || bundles.length === 0) {
    throw new TypeError('A placement group needs at least one bundle, such as [{ CPU: 1 }].')
  }
  return bundles.map((bundle: Bundle, index) => {
    const amounts = Object.entries(bundle ?? {}).map(
      ([name, amount]) => [name, amountOf(index, name, amount)] as const,
    )
    if (amounts.every(([, amount]) => amount === 0)) {
      throw new TypeError(
        `Bundle ${index} of a placement group must name amounts above zero, such as { CPU: 1 }.`,
      )
    }
    return Object.fromEntries(amounts.filter(([, amount]) => amount > 0))
  })
}

/** Names that are resources elsewhere: as such they would be custom ones that no node has. */
const meantNames = new Map([
  ['cpu', 'CPU'],
  ['gpu', 'GPU'],
  ['numcpus', 'CPU'],
  ['numgpus', 'GPU'],
])

function amountOf(index: number, name: string, amount: unknown): number {
  const meant = meantNames.get(name.toLowerCase())
  if (meant !== undefined && meant !== name) {
    throw new TypeError(
      `Bundle ${index} of a placement group: '${name}' is no resource. Write '${meant}'.`,
    )
  }
  try {
    return checkAmount(name, amount)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TypeError(`Bundle ${index} of a placement group: ${why}`, { cause })
  }
}

/**
 * Gives the bundles back. Tasks and actors in them end with an error that says so. A group that was
 * removed before is left as it is.
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
  checkGroup('ray.removePlacementGroup', group)
  requireSession().placementGroups.remove(group.id)
}

function checkGroup(what: string, group: unknown): void {
  if (!(group instanceof PlacementGroup)) throw new TypeError(`${what} takes a PlacementGroup.`)
}

/**
 * The group of that name, also one that another program made.
 *
 * Follows `ray.util.get_placement_group` of Ray.
 *
 * @example
 * ray.placementGroup([{ CPU: 1 }], 'PACK', { name: 'trainers' })
 * const group = await ray.getPlacementGroup('trainers')
 *
 * @throws RayError when there is no group of that name in the namespace.
 */
export async function getPlacementGroup(
  name: string,
  options: { readonly namespace?: string } = {},
): Promise<PlacementGroup> {
  checkName('ray.getPlacementGroup', name)
  const core = requireSession()
  const namespace = options.namespace ?? core.welcome.namespace
  const row = await ask({ what: 'placementGroupByName', name, namespace })
  if (row !== undefined) return handleOf(row)
  throw new RayError(
    `There is no placement group named '${name}' in the namespace '${namespace}'. Was it made ` +
      'with another namespace, or removed?',
    { fields: { name, namespace } },
  )
}

/**
 * The group that the running task or actor lives in; undefined outside of any.
 *
 * Follows `ray.util.get_current_placement_group` of Ray.
 *
 * @example
 * const isInGroup = ray.remote(async () => (await ray.getCurrentPlacementGroup()) !== undefined)
 * console.log(await ray.get(isInGroup.remote()))
 */
export async function getCurrentPlacementGroup(): Promise<PlacementGroup | undefined> {
  requireSession()
  const group = currentTask()?.placementGroup
  if (group === undefined) return undefined
  const row = await ask({ what: 'placementGroup', group })
  return row === undefined ? undefined : handleOf(row)
}

/**
 * What the cluster knows of a group, or of all groups by id. Removed ones are remembered for a
 * while.
 *
 * Follows `ray.util.placement_group_table` of Ray.
 *
 * @example
 * const group = ray.placementGroup([{ CPU: 1 }])
 * const { state, bundles } = await ray.placementGroupTable(group)
 *
 * @throws RayError for a group that the cluster does not know.
 */
export async function placementGroupTable(group: PlacementGroup): Promise<PlacementGroupState>
export async function placementGroupTable(): Promise<Record<string, PlacementGroupState>>
export async function placementGroupTable(
  group?: PlacementGroup,
): Promise<PlacementGroupState | Record<string, PlacementGroupState>> {
  if (group === undefined) {
    const rows = await requireSession().query({ what: 'placementGroups' })
    return Object.fromEntries((rows as PlacementGroupRow[]).map((row) => [row.group, stateOf(row)]))
  }
  checkGroup('ray.placementGroupTable', group)
  const row = await ask({ what: 'placementGroup', group: group.id })
  if (row !== undefined) return stateOf(row)
  throw new RayError(`The cluster does not know placement group ${group.id}.`, {
    fields: { placementGroupId: group.id },
  })
}

type Question = Parameters<ReturnType<typeof requireSession>['query']>[0]

async function ask(question: Question): Promise<PlacementGroupRow | undefined> {
  const row = await requireSession().query(question)
  return (row as PlacementGroupRow | null | undefined) ?? undefined
}

function handleOf({ group, bundles, strategy }: PlacementGroupRow): PlacementGroup {
  return new PlacementGroup(
    group,
    bundles.map((bundle) => bundle.resources),
    strategy,
  )
}

function stateOf(row: PlacementGroupRow): PlacementGroupState {
  const { name, namespace, strategy, bundles, message } = row
  return {
    placementGroupId: row.group,
    name,
    namespace,
    strategy,
    state: row.state.toUpperCase() as PlacementGroupState['state'],
    isDetached: row.detached,
    creatorJobId: row.jobId,
    bundles,
    ...(message !== undefined && { message }),
  }
}
