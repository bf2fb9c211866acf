// Tells the GCS what is free on this node, and that it lives.

import type { Clock } from '../base/clock.js'
import { nodeHeartbeatMs } from '../base/limits.js'
import type { ToGcs } from '../wire/messages/gcs.js'
import type { LeaseTables } from './lease-tables.js'

export interface ReportPorts {
  readonly clock: Clock
  readonly tables: LeaseTables
  readonly toGcs: (message: ToGcs) => void
}

export class NodeReport {
  readonly #ports: ReportPorts
  #isDue = false
  #isClosed = false
  /** What the GCS knows to be free; at first that is everything. */
  #last: string
  #cancelBeat: (() => void) | undefined

  constructor(ports: ReportPorts) {
    this.#ports = ports
    this.#last = this.#text()
  }

  /** The GCS takes a node that is silent for dead. */
  beat(): void {
    this.#send()
    this.#cancelBeat = this.#ports.clock.timer(nodeHeartbeatMs, () => this.beat())
  }

  /** Once per turn and only when something has changed. */
  soon(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      const text = this.#text()
      if (text === this.#last || this.#isClosed) return
      this.#last = text
      this.#send()
    })
  }

  close(): void {
    this.#isClosed = true
    this.#cancelBeat?.()
  }

  #text(): string {
    return reportText(this.#ports.tables)
  }

  #send(): void {
    this.#ports.toGcs(reportOf(this.#ports.tables))
  }
}

/** Changes with everything that is worth a report. */
export function reportText(tables: LeaseTables): string {
  const { pool, queue, isAlone, canGrow, infeasible } = tables
  const free = `${pool.available}|${tables.reclaimable(pool)}`
  const own = isAlone ? free : `${free}|${queue.demand}|${queue.groups().join()}`
  return canGrow ? `${own}|${JSON.stringify(infeasible.rows())}` : own
}

export function reportOf(tables: LeaseTables): ToGcs & { readonly kind: 'nodeReport' } {
  const { nodeId, pool, queue } = tables
  const available = pool.available.toResources()
  const total = pool.total.toResources()
  const waiting = queue.demand.isEmpty ? {} : { waiting: queue.demand.toResources() }
  const all = tables.reclaimable(pool)
  const reclaimable = all.equals(pool.available) ? {} : { reclaimable: all.toResources() }
  const rows = tables.infeasible.rows()
  const infeasible = rows.length > 0 ? { infeasible: rows } : {}
  const groups = queue.groups()
  const wanted = groups.length > 0 ? { wantedGroups: groups } : {}
  const more = { ...waiting, ...reclaimable, ...infeasible, ...wanted }
  return { kind: 'nodeReport', nodeId, available, total, ...more }
}
