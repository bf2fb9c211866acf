// Cancelling tasks.
//
// The ref fails at once, whatever the task does. A task that was not sent is dropped. One that was
// gets a message: if it has not started it is answered unrun, if it runs its AbortSignal fires. A
// function that computes without a pause reads no message, so after a moment its worker is sent
// SIGINT, which stops it soundly, and after a grace its worker is replaced. `force` does that at
// once. Calls to actors get the message only: their worker holds state.

import { cancelGraceMs } from '../base/limits.js'
import type { CoreWorker } from './core-worker.js'
import type { LeaseLine } from './lease-line.js'
import { refState, settleRef } from './object-ref.js'
import { type Task, taskStatus } from './task.js'
import { cancelled } from './task-outcomes.js'

export interface CancelOptions {
  readonly force: boolean
  readonly recursive: boolean
}

/** A task that has not reacted to the message after this long is interrupted, in ms. */
const interruptAfterMs = 25
/** When to look again whether the task is the one that runs, in ms. */
const signalAgainMs = 10

export class Canceller {
  readonly #core: CoreWorker

  constructor(core: CoreWorker) {
    this.#core = core
  }

  cancel(task: Task, { force, recursive }: CancelOptions): void {
    if (task.status === taskStatus.finished || task.isCancelled) return
    task.isCancelled = true
    const core = this.#core
    if (task.actor !== null) {
      core.actors.lineOf(task)?.cancel(task)
      this.#failRefs(task)
      if (task.status !== taskStatus.inFlight) core.settler.fail(task, cancelled(task))
      return
    }
    if (task.status === taskStatus.waiting || core.submitter.unqueue(task)) {
      core.settler.fail(task, cancelled(task))
      return
    }
    if (task.status === taskStatus.carried) {
      this.#failRefs(task)
      core.submitter.cancelCarried(task)
      return
    }
    this.#cancelSent(task, { force, recursive })
  }

  /** The task is with a worker. */
  #cancelSent(task: Task, { force, recursive }: CancelOptions): void {
    const core = this.#core
    core.sendToTask(task, { kind: 'cancel', sequence: task.ref.sequence, recursive })
    this.#failRefs(task)
    const { line } = task
    if (line === null) return
    if (force) {
      this.#signal(task, line, 'SIGKILL')
      return
    }
    const interrupt = setTimeout(() => this.#signal(task, line, 'SIGINT'), interruptAfterMs)
    const kill = setTimeout(() => this.#signal(task, line, 'SIGKILL'), cancelGraceMs)
    interrupt.unref()
    kill.unref()
  }

  /** As soon as it can hit nothing but this task. */
  #signal(task: Task, line: LeaseLine, signal: 'SIGINT' | 'SIGKILL'): void {
    if (task.status === taskStatus.finished || task.line !== line) return
    if (this.#core.submitter.signal(task, signal)) return
    setTimeout(() => this.#signal(task, line, signal), signalAgainMs).unref()
  }

  /** A task that was cancelled while the raylet handed it over. */
  onTheWay(task: Task): void {
    this.#cancelSent(task, { force: false, recursive: true })
  }

  #failRefs(task: Task): void {
    for (const ref of task.returns ?? [task.ref]) {
      if (settleRef(ref, refState.error, cancelled(task)) && ref.isKnown)
        this.#core.references.settled(ref)
    }
    task.stream?.failed()
  }
}
