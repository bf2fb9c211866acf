// Programs that say goodbye to a node that goes on for others.
//
// Their workers are asked to end before the program itself does, so that their last words reach its
// terminal. An actor among them ends because its job does: taken for a crash, it would be restarted
// a moment before the GCS hears of the end of the job.

import type { Clock } from '../base/clock.js'
import type { ProcessId } from '../base/ids.js'
import { workerExitMs } from '../base/limits.js'
import type { LeaseEvent } from './lease-events.js'
import type { LeaseTables } from './lease-tables.js'
import { outlivesJob } from './outlives-job.js'

export interface JobEndPorts {
  readonly tables: LeaseTables
  /** The process of a worker that lives. */
  readonly processOf: (start: string) => ProcessId | undefined
  readonly askToExit: (process: ProcessId) => void
  readonly leaseEvent: (event: LeaseEvent) => void
}

export class JobEnds {
  readonly #clock: Clock
  readonly #ports: JobEndPorts
  /** Jobs that have said goodbye and whose workers have not ended yet. */
  #waiting: { readonly isOver: () => boolean; readonly resolve: () => void }[] = []

  constructor(clock: Clock, ports: JobEndPorts) {
    this.#clock = clock
    this.#ports = ports
  }

  /** What the job has detached goes on, with its tasks. */
  async end(jobId: string): Promise<void> {
    const { tables, processOf, askToExit, leaseEvent } = this.#ports
    const ending = [...tables.workers.all()].filter(
      (worker) => worker.kind.jobId === jobId && !outlivesJob(tables, worker),
    )
    for (const { start, actor } of ending) {
      const from = processOf(start)
      if (from === undefined) continue
      if (actor !== undefined) {
        const { spec } = actor.actor
        leaseEvent({ kind: 'actorExiting', from, actor: spec.actor, how: 'jobFinished' })
      }
      askToExit(from)
    }
    const isOver = (): boolean => !ending.some(({ start }) => processOf(start))
    if (isOver()) return
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.timer(workerExitMs, resolve)
      this.#waiting.push({ isOver, resolve: () => (cancel(), resolve()) })
    })
  }

  workerEnded(): void {
    this.#waiting = this.#waiting.filter(({ isOver, resolve }) => {
      if (isOver()) resolve()
      return !isOver()
    })
  }
}
