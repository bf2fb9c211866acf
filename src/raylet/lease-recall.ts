// Which leases to ask back when somebody waits.
//
// The raylet cannot see whether a leased worker is idle: tasks go past it. So it asks the workers.
// All leases that hold what is lacking are asked to close when idle, but not at once: a lease that
// carried a short task is idle before its owner has even heard of it, and would go back and forth
// without ever being used for more than that one task. When another owner, or another kind of task,
// waits, as many as it takes are asked to close soon in any case, oldest first. Each lease is asked
// once for each.

import { leaseRecallIdleMs } from '../base/limits.js'
import type { ProcessId } from '../base/ids.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import type { PendingRequest } from './lease-queue.js'
import type { LeaseTables } from './lease-tables.js'
import type { Stuck } from './grant-round.js'
import type { Lease } from './worker-table.js'

const lineFrontMax = 64

interface Recall {
  readonly lease: Lease
  readonly idleOnly: boolean
}

interface RecallPlan {
  readonly recalls: readonly Recall[]
  /** When to plan again, because leases were too young; Infinity when none was. */
  readonly againAt: number
}

/** Asks for leases; returns when to do so again. */
export function recallLeases(
  stuck: readonly Stuck[],
  { tables, send, now }: { tables: LeaseTables; send: RecallSender; now: number },
): number {
  // Who fits but has no worker gets one that starts, unless no more may be started.
  const { workers } = tables
  const isShort = workers.startingCount === 0 && workers.size >= workers.limit
  const short = stuck.filter(({ lacks }) => isShort || lacks.length > 0)
  const { recalls, againAt } = planRecalls(short, tables, now)
  for (const { lease, idleOnly } of recalls) {
    lease.recall = idleOnly ? 'idle' : 'full'
    const how = idleOnly ? { idleOnly } : {}
    const message = { kind: 'recallLease', lease: lease.lease, ownerDied: false, ...how } as const
    send(lease.worker.process, message)
  }
  return againAt
}

type RecallSender = (to: ProcessId, message: FromRaylet) => void

function planRecalls(stuck: readonly Stuck[], tables: LeaseTables, now: number): RecallPlan {
  const recalls = new Map<Lease, Recall>()
  let againAt = Infinity
  const { queue, leases, cluster } = tables
  const isQuiet = stuck.length === 0 && !cluster.hasDemandElsewhere
  const held = isQuiet ? [] : [...leases.values()].filter((lease) => lease.recall !== 'ownerDied')
  if (held.length === 0) return { recalls: [], againAt }
  const lines = new Map(queue.lines().map((line) => [line[0]?.shape, line]))
  const wantIdle = (lease: Lease): void => {
    if (lease.recall !== 'none' || recalls.has(lease)) return
    const at = lease.grantedAt + leaseRecallIdleMs
    if (at <= now) recalls.set(lease, { lease, idleOnly: true })
    else againAt = Math.min(againAt, at)
  }
  // What waits at other nodes can come here.
  for (const lease of held) {
    if (cluster.isWantedElsewhere(lease.allocation.resources.amounts.keys())) wantIdle(lease)
  }
  for (const { request, pools, lacks } of stuck) {
    const candidates = held.filter(
      (lease) =>
        pools.includes(lease.pool) &&
        (lacks.length === 0 || lacks.some((name) => holds(lease, name))),
    )
    for (const lease of candidates) wantIdle(lease)
    for (const lease of enoughFor(front(lines.get(request.shape)), lacks, candidates)) {
      recalls.set(lease, { lease, idleOnly: false })
    }
  }
  return { recalls: [...recalls.values()], againAt }
}

/**
 * A look at the front of a line says enough, and keeps a round cheap when 100 000 requests wait.
 */
function front(line: readonly PendingRequest[] = []): readonly PendingRequest[] {
  return line.slice(0, lineFrontMax)
}

function holds(lease: Lease, name: string): boolean {
  if (name === 'CPU' && lease.worker.isBlocked) return false
  return lease.allocation.resources.get(name) > 0
}

/**
 * The oldest leases of others that together hold what the line lacks, without those that are asked
 * already.
 */
function enoughFor(
  line: readonly PendingRequest[],
  lacks: readonly string[],
  candidates: readonly Lease[],
): Lease[] {
  const chosen: Lease[] = []
  for (const name of lacks) {
    const foreign = candidates.filter(
      (lease) => holds(lease, name) && line.some((request) => isOther(request, lease)),
    )
    let missing = sum(line, (request) => request.need.get(name))
    for (const lease of foreign) {
      if (missing <= 0) break
      missing -= lease.allocation.resources.get(name)
      if (lease.recall !== 'full' && !chosen.includes(lease)) chosen.push(lease)
    }
  }
  return chosen
}

function isOther(request: PendingRequest, lease: Lease): boolean {
  return request.owner !== lease.owner || request.shape !== lease.shape
}

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  let total = 0
  for (const item of items) total += amount(item)
  return total
}
