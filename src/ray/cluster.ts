import { requireSession } from './session.js'

export interface NodeState {
  readonly nodeId: string
  readonly alive: boolean
  readonly address: string
  readonly resources: Readonly<Record<string, number>>
  readonly labels: Readonly<Record<string, string>>
}

/** The nodes of the cluster, dead ones included. */
export async function nodes(): Promise<NodeState[]> {
  return (await requireSession().query({ what: 'nodes' })) as NodeState[]
}

/** Amounts of every resource in the cluster, by name. `memory` is in bytes. */
export async function clusterResources(): Promise<Record<string, number>> {
  return (await requireSession().query({ what: 'clusterResources' })) as Record<string, number>
}

/** What is not in use now. */
export async function availableResources(): Promise<Record<string, number>> {
  return (await requireSession().query({ what: 'availableResources' })) as Record<string, number>
}
