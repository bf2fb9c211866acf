import { requireSession } from './session.js'

/** A machine of the cluster, as `ray.nodes()` describes it. */
export interface NodeState {
  /** Id of the node, in hexadecimal. */
  readonly nodeId: string
  /** False once the cluster has given the node up. */
  readonly alive: boolean
  /** It takes nothing new, and ends when what it runs is over. */
  readonly isDraining: boolean
  /** Where its raylet listens. */
  readonly address: string
  /** All that the node has, in use or not: amounts by name, `memory` in bytes. */
  readonly resources: Readonly<Record<string, number>>
  /** Of them, what is free as far as is known. */
  readonly available: Readonly<Record<string, number>>
  /** What requests wait for there, in all. */
  readonly waiting: Readonly<Record<string, number>>
  /** Labels that tasks may be scheduled by. */
  readonly labels: Readonly<Record<string, string>>
}

/**
 * The nodes of the cluster, dead ones included.
 *
 * Follows `ray.nodes` of Ray.
 *
 * @example
 * const alive = (await ray.nodes()).filter((node) => node.alive)
 */
export async function nodes(): Promise<NodeState[]> {
  return (await requireSession().query({ what: 'nodes' })) as NodeState[]
}

/**
 * Ids of the workers and drivers whose processes are there.
 */
export async function livingWorkers(): Promise<ReadonlySet<string>> {
  const answer = (await requireSession().query({
    what: 'state',
    resource: 'workers',
    filters: [{ key: 'isAlive', predicate: '=', value: 'true' }],
    limit: Infinity,
    detail: false,
  })) as { readonly rows: readonly { readonly workerId: string }[] }
  return new Set(answer.rows.map((row) => row.workerId))
}

/**
 * Amounts of every resource in the cluster, by name. `memory` is in bytes.
 *
 * Follows `ray.cluster_resources` of Ray.
 *
 * @example
 * const { CPU } = await ray.clusterResources()
 */
export async function clusterResources(): Promise<Record<string, number>> {
  return (await requireSession().query({ what: 'clusterResources' })) as Record<string, number>
}

/**
 * What is not in use now.
 *
 * Amounts by name, `memory` in bytes. Follows `ray.available_resources` of Ray.
 *
 * @example
 * const { CPU = 0 } = await ray.availableResources()
 */
export async function availableResources(): Promise<Record<string, number>> {
  return (await requireSession().query({ what: 'availableResources' })) as Record<string, number>
}
