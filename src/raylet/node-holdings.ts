// What a node has on behalf of the GCS, for one that has started anew.

import type { HeldActor, NodeHoldings } from '../wire/messages/gcs.js'
import type { LeaseTables } from './lease-tables.js'

export function nodeHoldings({ pool, queue, workers, bundles }: LeaseTables): NodeHoldings {
  const actors: HeldActor[] = []
  const awaited = new Set<string>()
  for (const { actor, target } of queue) {
    if (target !== undefined) awaited.add(target.group)
    if (actor === undefined) continue
    const { spec, incarnation, attempt } = actor
    actors.push({ actor: spec.actor, incarnation, attempt, address: '', isStarted: false })
  }
  for (const { actor: hold, process: worker, address } of workers.all()) {
    if (hold === undefined) continue
    const { spec, incarnation, attempt } = hold.actor
    const run = { actor: spec.actor, incarnation, attempt }
    actors.push({ ...run, worker, address, isStarted: hold.isStarted })
  }
  return {
    available: pool.available.toResources(),
    total: pool.total.toResources(),
    actors,
    bundles: bundles.held(),
    awaited: [...awaited],
  }
}
