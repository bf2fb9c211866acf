// Invariants of the lease tables; run after every event in tests.

import { assert } from '../base/assert.js'
import { ResourceSet } from '../scheduling/resources.js'
import type { LeaseTables } from './lease-tables.js'

export function validateLeases(tables: LeaseTables): void {
  tables.pool.validate()
  tables.bundles.validate()
  tables.workers.validate()
  for (const lease of tables.leases.values()) {
    assert(lease.worker.lease === lease, 'a lease and its worker know each other')
  }
  for (const worker of tables.workers.all()) {
    const { lease } = worker
    assert(lease === undefined || tables.leases.get(lease.lease) === lease, 'a held lease is known')
  }
  validateAccounts(tables)
}

/** Everything that is not free is held by somebody. */
function validateAccounts(tables: LeaseTables): void {
  const held = new Map<unknown, ResourceSet>()
  for (const worker of tables.workers.all()) {
    const hold = worker.lease ?? worker.actor
    if (hold === undefined) continue
    const lent = worker.isBlocked ? hold.allocation.resources.only('CPU') : ResourceSet.empty
    const before = held.get(hold.pool) ?? ResourceSet.empty
    held.set(hold.pool, before.plus(hold.allocation.resources).minus(lent))
  }
  let node = held.get(tables.pool) ?? ResourceSet.empty
  for (const { pool, allocation } of tables.bundles.all()) {
    node = node.plus(allocation.resources)
    const inside = held.get(pool) ?? ResourceSet.empty
    assert(pool.available.plus(inside).equals(pool.total), 'a bundle is free or held')
  }
  assert(tables.pool.available.plus(node).equals(tables.pool.total), 'the node is free or held')
}
