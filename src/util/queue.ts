import {
  ActorDiedError,
  type ActorHandle,
  type ActorOptions,
  get,
  kill,
  type ObjectRef,
  put,
  remote,
} from '../ray/index.js'
import { type Box, QueueActor } from './queue-actor.js'
import { QueueEmptyError, QueueFullError } from './queue-errors.js'

/** Options of `new Queue`. */
export interface QueueOptions {
  /** Options of the actor that keeps the items: resources, a name, a placement. */
  readonly actorOptions?: ActorOptions
}

/** How long to wait for room or for an item. */
export interface QueueWaitOptions {
  /** How long to wait in milliseconds; for ever if left out, and not at all with 0. */
  readonly timeoutMs?: number
  /** Stops waiting, with a TaskCancelledError. */
  readonly signal?: AbortSignal
}

/** Whether a queue that ends lets those who wait for it finish. */
export interface QueueShutdownOptions {
  /** End the queue at once, though somebody waits for it. */
  readonly force?: boolean
  /** How long those who wait for the queue may go on doing so; 5 seconds by default. */
  readonly gracePeriodMs?: number
}

/** Every caller that waits is a call under way. */
const callersMax = 1_000_000
/** Typed arrays from this size on pass by the actor, through the object store. */
const boxedBytesMin = 100 * 1024

const RemoteQueueActor = remote(QueueActor)

function boxOf(item: unknown): Box {
  const isLarge = ArrayBuffer.isView(item) && item.byteLength >= boxedBytesMin
  return isLarge ? [put(item), true] : [item]
}

function itemOf<T>([item, isRef]: Box): T | Promise<T> {
  return isRef === true ? get(item as ObjectRef<T>) : (item as T)
}

function timeoutOf(what: string, timeoutMs: number | undefined): number {
  if (timeoutMs === undefined) return -1
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return timeoutMs
  throw new RangeError(
    `Queue.${what}: timeoutMs must be a number of zero or more, not ${String(timeoutMs)}.`,
  )
}

/**
 * A first-in first-out queue that tasks, actors and the driver share. Pass it to them like any
 * value: every copy is the same queue. A ref that is put comes out as a ref. An item is given out
 * at most once, as in Ray: with a reader that is killed at that moment it is lost.
 *
 * @example
 * const queue = new Queue<number>(100)
 * const produce = ray.remote(async (q: Queue<number>) => q.put(42))
 * produce.remote(queue)
 * console.log(await queue.get()) // 42
 */
export class Queue<T = unknown> implements AsyncIterable<T> {
  /** The most items that it holds; 0: no limit. */
  readonly maxsize: number
  /** The actor that keeps the items; the queue lives as long as a handle to it. */
  readonly actor: ActorHandle<QueueActor>

  /** @throws RangeError for a maxsize that is not an integer of zero or more. */
  constructor(maxsize = 0, { actorOptions = {} }: QueueOptions = {}) {
    if (!Number.isInteger(maxsize) || maxsize < 0) {
      throw new RangeError(
        'Queue: maxsize, the first argument, must be an integer of zero or more, not ' +
          `${typeof maxsize === 'number' ? maxsize : `of type ${typeof maxsize}`}.`,
      )
    }
    this.maxsize = maxsize
    const options = { maxConcurrency: callersMax, ...actorOptions }
    this.actor = RemoteQueueActor.options(options).remote(maxsize)
  }

  /**
   * Adds an item; waits while the queue is full.
   *
   * @throws QueueFullError when there was no room within `timeoutMs`. ActorDiedError when the queue
   * was shut down.
   */
  async put(item: T, options: QueueWaitOptions = {}): Promise<void> {
    const timeoutMs = timeoutOf('put', options.timeoutMs)
    const { put } = this.actor
    const method = options.signal === undefined ? put : put.options({ signal: options.signal })
    if ((await method.remote(boxOf(item), timeoutMs).get()) === true) return
    throw new QueueFullError(
      `Queue: there was no room for the item${timeoutMs > 0 ? ` within ${timeoutMs} ms` : ''}; ` +
        `maxsize is ${this.maxsize}.`,
      { fields: { maxsize: this.maxsize, timeoutMs } },
    )
  }

  /**
   * Takes the next item; waits while the queue is empty.
   *
   * @throws QueueEmptyError when none came within `timeoutMs`. ActorDiedError when the queue was
   * shut down.
   */
  async get(options: QueueWaitOptions = {}): Promise<T> {
    const timeoutMs = timeoutOf('get', options.timeoutMs)
    const { get } = this.actor
    const method = options.signal === undefined ? get : get.options({ signal: options.signal })
    const box = await method.remote(timeoutMs).get()
    if (box !== undefined) return itemOf<T>(box)
    throw new QueueEmptyError(
      `Queue: there is no item${timeoutMs > 0 ? `, and none came within ${timeoutMs} ms` : ''}.`,
      { fields: { timeoutMs } },
    )
  }

  /** Adds an item if there is room now, else throws QueueFullError. */
  putNowait(item: T): Promise<void> {
    return this.put(item, { timeoutMs: 0 })
  }

  /** Takes an item if there is one now, else throws QueueEmptyError. */
  getNowait(): Promise<T> {
    return this.get({ timeoutMs: 0 })
  }

  /** Adds all the items, or none and throws QueueFullError. */
  async putNowaitBatch(items: readonly T[]): Promise<void> {
    const { isDone, size } = await this.actor.putBatch.remote(items.map(boxOf)).get()
    if (isDone) return
    throw new QueueFullError(
      `Queue: cannot add ${items.length} items to a queue of ${size}; maxsize is ${this.maxsize}.`,
      { fields: { maxsize: this.maxsize, size } },
    )
  }

  /** Takes `count` items, or none and throws QueueEmptyError. */
  async getNowaitBatch(count: number): Promise<T[]> {
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`Queue.getNowaitBatch: count must be an integer, not ${String(count)}.`)
    }
    const taken = await this.actor.getBatch.remote(count).get()
    if ('length' in taken) return Promise.all(taken.map((box) => itemOf<T>(box)))
    throw new QueueEmptyError(`Queue: cannot take ${count} items from a queue of ${taken.size}.`, {
      fields: { count, size: taken.size },
    })
  }

  /** The number of items. */
  size(): Promise<number> {
    return this.actor.size.remote().get()
  }

  /** The number of items; Ray's other name for `size`. */
  qsize(): Promise<number> {
    return this.size()
  }

  /** Whether there is no item now. */
  async empty(): Promise<boolean> {
    return (await this.size()) === 0
  }

  /** Whether there is no room now. */
  async full(): Promise<boolean> {
    return this.maxsize > 0 && (await this.size()) >= this.maxsize
  }

  /** Ends the queue and what is in it. Later calls fail with ActorDiedError. */
  async shutdown({
    force = false,
    gracePeriodMs = 5000,
  }: QueueShutdownOptions = {}): Promise<void> {
    if (!force) await this.actor.quiet.remote(timeoutOf('shutdown', gracePeriodMs)).get()
    kill(this.actor)
  }

  /** Items as they come, until the queue is shut down. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    const next = (): Promise<{ readonly item: T } | undefined> =>
      this.get().then(
        (item) => ({ item }),
        (error: unknown) => {
          if (error instanceof ActorDiedError) return undefined
          throw error
        },
      )
    for (let taken = await next(); taken !== undefined; taken = await next()) yield taken.item
  }
}
