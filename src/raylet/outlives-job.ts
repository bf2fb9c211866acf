import type { LeaseTables } from './lease-tables.js'
import type { WorkerRecord } from './worker-table.js'

/** Is the worker a detached actor, or does it work for one? */
export function outlivesJob(tables: LeaseTables, worker: WorkerRecord | undefined): boolean {
  // Two workers may each run a task of the other.
  const seen = new Set<WorkerRecord>()
  for (let at = worker; at !== undefined && !seen.has(at);) {
    if (at.actor !== undefined) return at.actor.actor.spec.detached
    if (at.lease?.outlivesJob === true) return true
    seen.add(at)
    const owner = at.lease?.owner
    at = owner === undefined ? undefined : tables.workers.ofProcess(owner)
  }
  return false
}
