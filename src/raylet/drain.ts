// The end of a node that was asked to leave: it takes nothing new, lets run what it has, and ends
// when that is over and others have its objects (`evacuation`), or when its time is up.

import type { Clock } from '../base/clock.js'
import { drainCheckMs } from '../base/limits.js'
import type { ToGcs } from '../wire/messages/gcs.js'
import type { LeaseTables } from './lease-tables.js'

export interface DrainPorts {
  readonly clock: Clock
  readonly tables: LeaseTables
  /** Beside what it runs: a program, or objects that other nodes would lose with it. */
  readonly isNeeded: () => boolean
  /** Asks those who need it whether they still do. */
  readonly remind: () => void
  readonly nodeId: string
  readonly toGcs: (message: ToGcs) => void
  readonly drained: (reason: string) => void
}

const remindEvery = 10

export class Drain {
  readonly #ports: DrainPorts
  #reason: string | undefined
  #cancel: (() => void) | undefined
  #cancelLook: (() => void) | undefined
  #looks = 0
  #isOver = false

  constructor(ports: DrainPorts) {
    this.#ports = ports
  }

  begin(reason: string, deadlineMs: number): void {
    if (this.#isOver) return
    this.#reason = reason
    this.#cancel?.()
    this.#cancel = this.#ports.clock.timer(deadlineMs, () => this.#end())
    this.#look()
  }

  /** Leases, actors, programs and copies go one by one; it is enough to look now and then. */
  #look(): void {
    if (this.#isIdle()) return this.#end()
    if (++this.#looks % remindEvery === 0) this.#ports.remind()
    this.#cancelLook?.()
    this.#cancelLook = this.#ports.clock.timer(drainCheckMs, () => this.#look())
  }

  close(): void {
    this.#isOver = true
    this.#cancel?.()
    this.#cancelLook?.()
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
    if (leases.size > 0 || queue.size > 0) return false
    for (const worker of workers.all()) if (worker.actor !== undefined) return false
    return bundles.all().next().done === true && !this.#ports.isNeeded()
  }
}
