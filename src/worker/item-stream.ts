// The consumer side of a streaming generator: refs of items as they arrive.
//
// The task holds its stream until it has finished, and the program holds only a generator that
// reads it. So a generator that is dropped is collected, and the stream hears of that: its producer
// would wait for ever for a reader that there will never be, and is cancelled when it has come to
// that. What it makes before goes on, as somebody may have called it for what it does.

import { readU48 } from '../base/bytes.js'
import type { ProcessId } from '../base/ids.js'
import { generatorItemsMax } from '../base/limits.js'
import { bodyTag } from '../wire/frame.js'
import type { CoreWorker } from './core-worker.js'
import { ObjectRef, refState } from './object-ref.js'
import type { Task, TaskStream } from './task.js'

export class ItemStream implements TaskStream {
  readonly #core: CoreWorker
  readonly #task: Task
  readonly #limit: number
  #items: (ObjectRef | undefined)[] = []
  #read = 0
  #arrived = 0
  #credited: number
  #isEnded = false
  #isFailed = false
  #isRestarted = false
  /** Nobody can read any more. */
  #isAbandoned = false
  /** Which attempt at the task this is, and how many items have come of it. */
  #attempt = 0
  #came = 0
  #wakes: (() => void)[] = []

  constructor(core: CoreWorker, task: Task, limit: number | undefined) {
    this.#core = core
    this.#task = task
    this.#limit = limit ?? generatorItemsMax
    this.#credited = this.#limit
  }

  /** The ref of the next item, as soon as the item is there. */
  async next(): Promise<IteratorResult<ObjectRef, undefined>> {
    while (this.#items.length === 0 && !this.#isEnded) {
      this.#core.waiting(1)
      await new Promise<void>((resolve) => this.#wakes.push(resolve))
      this.#core.waiting(-1)
    }
    const item = this.#items.shift()
    if (item !== undefined) {
      this.#read++
      this.#giveCredit()
      return { done: false, value: item }
    }
    if (this.#isFailed) {
      this.#isFailed = false
      return { done: false, value: this.#task.ref }
    }
    return { done: true, value: undefined }
  }

  /** Ends the stream: the generator is cancelled, its `finally` runs, unread items are freed. */
  close(): void {
    if (!this.#isEnded) this.#core.cancel(this.#task, { force: false, recursive: true })
    this.#isEnded = true
    this.#isFailed = false
    this.#dropItems()
  }

  /** The generator that reads it was collected. */
  abandon(): void {
    if (this.#isEnded || this.#core.isClosed) return
    this.#isAbandoned = true
    this.#dropItems()
    this.#closeIfStuck()
  }

  #closeIfStuck(): void {
    if (this.#isAbandoned && this.#came >= this.#credited) this.close()
  }

  #dropItems(): void {
    for (const item of this.#items) if (item !== undefined) this.#core.references.release(item)
    this.#items = []
  }

  // Half of the window at a time: one message for many items.
  #giveCredit(): void {
    const next = this.#read + this.#limit
    if (this.#isEnded || next - this.#credited < Math.max(1, this.#limit >> 1)) return
    this.#credited = next
    this.#core.sendToTask(this.#task, {
      kind: 'credit',
      sequence: this.#task.ref.sequence,
      items: next,
    })
  }

  itemArrived(index: number, body: Uint8Array): void {
    if (this.#isRestarted) {
      this.#isRestarted = false
      this.#credited = this.#limit
      this.#giveCredit()
    }
    this.#came = index + 1
    if (index < this.#arrived || this.#isEnded || this.#isAbandoned) {
      // We were lent what was stored, and have it already or do not want it.
      if (body[0] === bodyTag.stored) this.#core.references.release(this.#storedRef(body))
      this.#closeIfStuck()
      return
    }
    this.#arrived = index + 1
    let ref: ObjectRef
    if (body[0] === bodyTag.stored) ref = this.#storedRef(body)
    else {
      ref = new ObjectRef(this.#core.process, this.#core.nextSequence())
      this.#core.settler.settle(ref, body)
    }
    this.#items.push(ref)
    this.#notify()
  }

  #storedRef(body: Uint8Array): ObjectRef {
    const ref = new ObjectRef(readU48(body, 7), readU48(body, 13))
    ref.state = refState.stored
    this.#core.references.hold(ref)
    return ref
  }

  ended(): void {
    this.#isEnded = true
    this.#notify()
  }

  failed(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#isFailed = true
    this.#notify()
  }

  /** What the worker had stored ahead and not told of is given back. */
  lost(worker: ProcessId): void {
    const { sequence } = this.#task.ref
    const item = { stream: sequence, attempt: this.#attempt, index: this.#came }
    this.#core.references.dropItems(worker, item)
  }

  /**
   * The generator runs again from its first item: those that were delivered are skipped.
   * Its new run has the credit of a beginner; it hears of more with its first item, because until
   * then nobody knows where it runs.
   */
  restarted(): void {
    this.#isRestarted = true
    this.#attempt = (this.#attempt + 1) & 0xff
    this.#came = 0
  }

  #notify(): void {
    for (const wake of this.#wakes.splice(0)) wake()
  }
}
