// The end of a node that was asked to leave: it takes nothing new, lets run what it has, and ends
// when that is over or its time is up.

import type { Clock } from '../base/clock.js'
import type { ToGcs } from '../wire/messages/gcs.js'
import type { LeaseTables } from './lease-tables.js'

export interface DrainPorts {
  readonly clock: Clock
  readonly tables: LeaseTables
  readonly hasDriver: () => boolean
  readonly nodeId: string
  readonly toGcs: (message: ToGcs) => void
  readonly drained: (reason: string) => void
}

export class Drain {
  readonly #ports: DrainPorts
  #reason: string | undefined
  #cancel: (() => void) | undefined
  #isOver = false

  constructor(ports: DrainPorts) {
    this.#ports = ports
  }

  begin(reason: string, deadlineMs: number): void {
    this.#reason = reason
    this.#cancel?.()
    this.#cancel = this.#ports.clock.timer(deadlineMs, () => this.#end())
    this.check()
  }

  /** Something may have ended. */
  check(): void {
    if (this.#reason !== undefined && !this.#isOver && this.#isIdle()) this.#end()
  }

  close(): void {
    this.#isOver = true
    this.#cancel?.()
  }

  #end(): void {
    if (this.#isOver) return
    this.close()
    const { toGcs, nodeId, drained } = this.#ports
    toGcs({ kind: 'nodeDrained', nodeId })
    drained(this.#reason ?? '')
  }

  #isIdle(): boolean {
    const { leases, queue, workers, bundles } = this.#ports.tables
    if (leases.size > 0 || queue.size > 0 || this.#ports.hasDriver()) return false
    for (const worker of workers.all()) if (worker.actor !== undefined) return false
    return bundles.all().next().done === true
  }
}
