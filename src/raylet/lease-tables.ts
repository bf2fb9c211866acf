// Everything that the raylet knows about leases, for the parts of LeaseState that decide.

import { leasesOf } from '../base/ids.js'
import { workersMax } from '../base/limits.js'
import { ResourcePool } from '../scheduling/resource-pool.js'
import { ResourceSet } from '../scheduling/resources.js'
import { labelPolicy, type Labels, type LabelSelector } from '../scheduling/label-policy.js'
import type { NodeView } from '../scheduling/node-view.js'
import type { ClusterNode, Resources } from '../wire/messages/terms.js'
import { BundleTable } from './bundle-table.js'
import { ClusterView } from './cluster-view.js'
import { GroupLocations } from './group-locations.js'
import { InfeasibleQueue } from './infeasible-queue.js'
import { LeaseQueue, type PendingRequest } from './lease-queue.js'
import { WorkerTable, type Lease } from './worker-table.js'

export interface LeaseTablesOptions {
  readonly nodeId: string
  /** Makes the numbers of its leases unique in the cluster. */
  readonly nodeNumber?: number
  readonly resources: Resources
  readonly labels?: Labels
  /** Most workers there may be; the default follows from the CPUs and `workersMax`. */
  readonly workersLimit?: number
  /** Nodes may join, so what none can run now may run yet. */
  readonly canGrow?: boolean
  /** CPUs of the machine, where more are promised: no more workers than that are kept ahead. */
  readonly machineCpus?: number
}

export class LeaseTables {
  readonly nodeId: string
  readonly labels: Labels
  readonly pool: ResourcePool
  readonly bundles: BundleTable
  readonly workers: WorkerTable
  readonly queue = new LeaseQueue()
  readonly infeasible = new InfeasibleQueue()
  readonly canGrow: boolean
  /** Leases by number. Added by a grant; removed when returned, closed, or when the worker dies. */
  readonly leases = new Map<number, Lease>()
  readonly cluster: ClusterView
  /** Of groups that have bundles elsewhere. */
  readonly groups = new GroupLocations()
  /** Numbers of leases are above this one. */
  readonly firstLease: number

  constructor(options: LeaseTablesOptions) {
    this.nodeId = options.nodeId
    this.canGrow = options.canGrow === true
    this.cluster = new ClusterView(options.nodeId)
    this.firstLease = leasesOf(options.nodeNumber ?? 0)
    this.labels = options.labels ?? {}
    this.pool = new ResourcePool(ResourceSet.from(options.resources))
    this.bundles = new BundleTable(this.pool)
    const cpus = options.resources['CPU'] ?? 0
    this.workers = new WorkerTable(cpus, {
      limit: options.workersLimit ?? cpus + workersMax,
      aheadMax: options.machineCpus ?? cpus,
    })
  }

  /** Nodes as the GCS last said; empty until it has. */
  get view(): readonly ClusterNode[] {
    return this.cluster.nodes
  }

  /** This node and the others that are alive. */
  nodes(): NodeView[] {
    const { nodeId, labels, pool } = this
    const total = pool.total.toResources()
    const own = { nodeId, labels, alive: true, total, available: pool.available.toResources() }
    return [own, ...this.view.filter((node) => node.alive && node.nodeId !== nodeId)]
  }

  /** Is this node among those that the labels leave to choose from? */
  hasLabels(selectors: readonly LabelSelector[], need: ResourceSet): boolean {
    if (selectors.length === 0) return true
    const nodes = labelPolicy(this.nodes(), need.toResources(), selectors)
    return nodes.some((node) => node.nodeId === this.nodeId)
  }

  /** Where the request may take from: none while its placement group is not here. */
  poolsOf(request: PendingRequest): readonly ResourcePool[] {
    if (request.target !== undefined) return this.bundles.pools(request.target)
    return this.hasLabels(request.labels, request.need) ? [this.pool] : []
  }

  /** Removes all that match from whatever they wait in. */
  takeWaiting(matches: (request: PendingRequest) => boolean): PendingRequest[] {
    return [...this.queue.take(matches), ...this.infeasible.take(matches)]
  }

  /** What is free in the pool, or would be if every lease were returned. */
  reclaimable(pool: ResourcePool): ResourceSet {
    let all = pool.available
    for (const lease of this.leases.values()) {
      if (lease.pool !== pool) continue
      const { resources } = lease.allocation
      all = all.plus(lease.worker.isBlocked ? resources.minus(resources.only('CPU')) : resources)
    }
    return all
  }

  /**
   * What would be free if all ended but tasks that wait for others, and these had their CPUs back.
   */
  besideWaiting(pool: ResourcePool): ResourceSet {
    let all = pool.available
    for (const lease of this.leases.values()) {
      if (lease.pool !== pool) continue
      const { resources } = lease.allocation
      all = lease.worker.isBlocked ? all.minus(resources.only('CPU')) : all.plus(resources)
    }
    return all
  }

  /** Is there no other node that could run anything? */
  get isAlone(): boolean {
    return this.cluster.isAlone
  }
}
