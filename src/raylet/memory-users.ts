import type { LeaseState } from './lease-state.js'
import type { MemoryUser } from './memory-policy.js'

/**
 * The workers of a node as the memory monitor sees them; undefined while one of them was sent its
 * end and has not gone yet, so that nobody else is chosen before its memory is free.
 */
export function memoryUsers(leases: LeaseState): Omit<MemoryUser, 'usedBytes'>[] | undefined {
  const users: Omit<MemoryUser, 'usedBytes'>[] = []
  for (const worker of leases.tables.workers.all()) {
    if (worker.isDoomed) return undefined
    const { start, pid, since, lease, actor } = worker
    if (pid === 0) continue
    const kind = actor !== undefined ? 'actor' : lease !== undefined ? 'task' : 'idle'
    users.push({
      start,
      pid,
      name: lease?.name ?? actor?.actor.spec.className ?? '',
      kind,
      owner: lease?.owner ?? 0,
      isOnce: lease?.isOnce ?? false,
      since,
    })
  }
  return users
}
