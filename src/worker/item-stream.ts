// The consumer side of a streaming generator: refs of items as they arrive.
//
// The task holds its stream until it has finished, and the program holds only a generator that
// reads it. So a generator that is dropped is collected, and the stream hears of that: its producer
// would wait for ever for a reader that there will never be, and is cancelled when it has come to
// that. What it makes before goes on, as somebody may have called it for what it does.

import type { ProcessId } from '../base/ids.js'
import { generatorItemsMax } from '../base/limits.js'
import { bodyTag } from '../wire/frame.js'
import type { CoreWorker } from './core-worker.js'
import { itemSequence, itemsFrom } from './item-ids.js'
import { ObjectRef } from './object-ref.js'
import { frameWith } from './push-extension.js'
import type { Task, TaskStream } from './task.js'

export class ItemStream implements TaskStream {
  readonly number: number
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
  /** How many items of this attempt have come, or had come of earlier ones. */
  #came = 0
  /** Workers that were lost with items that they may have stored and not told of. */
  readonly #lost = new Set<ProcessId>()
  #wakes: (() => void)[] = []

  constructor(core: CoreWorker, task: Task, limit: number | undefined) {
    this.number = core.nextStream()
    this.#core = core
    this.#task = task
    this.#limit = limit ?? generatorItemsMax
    this.#credited = this.#limit
  }

  get heard(): number {
    return this.#arrived
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
    this.#over()
    this.#isFailed = false
    this.#dropItems()
  }

  #over(): void {
    this.#isEnded = true
    for (const worker of this.#lost) this.#dropUnheard(worker)
    this.#lost.clear()
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
      this.#credited = this.#arrived + this.#limit
      this.#giveCredit()
    }
    this.#came = index + 1
    if (index < this.#arrived) return
    this.#arrived = index + 1
    const isStored = body[0] === bodyTag.stored
    const core = this.#core
    const sequence = isStored ? itemSequence(this.number, index) : core.nextSequence()
    const ref = new ObjectRef(core.process, sequence)
    if (isStored) ref.task = this.#task
    core.settler.settle(ref, body)
    if (this.#isEnded || this.#isAbandoned) {
      core.references.release(ref)
      this.#closeIfStuck()
      return
    }
    this.#items.push(ref)
    this.#notify()
  }

  ended(): void {
    this.#over()
    this.#notify()
  }

  failed(): void {
    if (this.#isEnded) return
    this.#over()
    this.#isFailed = true
    this.#notify()
  }

  /** What the worker had stored ahead and not told of comes of the next run, or is given back. */
  lost(worker: ProcessId): void {
    if (this.#isEnded) this.#dropUnheard(worker)
    else this.#lost.add(worker)
  }

  #dropUnheard(worker: ProcessId): void {
    this.#core.references.dropItems(worker, itemsFrom(this.number, this.#arrived))
  }

  /**
   * The generator runs again from its first item: those that were delivered are skipped. Its new
   * run has the credit of one that was read so far; it hears of more with its first item, because
   * until then nobody knows where it runs.
   */
  restarted(): void {
    const task = this.#task
    const { slab, start, end } = task
    if (slab === null) return
    task.slab = frameWith(slab.subarray(start, end), { skip: this.#arrived })
    task.start = 0
    task.end = task.slab.length
    this.#isRestarted = true
    this.#came = this.#arrived
  }

  #notify(): void {
    for (const wake of this.#wakes.splice(0)) wake()
  }
}
