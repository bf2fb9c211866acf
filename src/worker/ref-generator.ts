// What the program holds of a streaming generator.

import type { ItemStream } from './item-stream.js'
import type { ObjectRef } from './object-ref.js'

const dropped = new FinalizationRegistry<ItemStream>((stream) => stream.abandon())

/**
 * What a call with `numReturns: 'streaming'` returns: iterate it with `for await` to get an
 * ObjectRef for each item as soon as it is there. An error of the generator is the last ref.
 * Leaving the loop cancels the generator and frees what was not read; so does dropping it, as soon
 * as the generator waits to be read.
 *
 * Follows `ray.ObjectRefGenerator` of Ray.
 *
 * @example
 * const count = ray.remote({ numReturns: 'streaming' }, function* (n: number) {
 *   for (let i = 0; i < n; i++) yield i
 * })
 * for await (const ref of count.remote(3)) console.log(await ref.get())
 */
export class ObjectRefGenerator<T = unknown> implements AsyncIterableIterator<ObjectRef<T>> {
  readonly #stream: ItemStream

  /** @internal */
  constructor(stream: ItemStream) {
    this.#stream = stream
    dropped.register(this, stream)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** The ref of the next item, as soon as the item is there. */
  async next(): Promise<IteratorResult<ObjectRef<T>, undefined>> {
    // Awaited here, so that a generator lives as long as somebody waits for its next item.
    const step = await this.#stream.next()
    return step as IteratorResult<ObjectRef<T>, undefined>
  }

  /** Ends the stream: the generator is cancelled, its `finally` runs, unread items are freed. */
  return(): Promise<IteratorResult<ObjectRef<T>, undefined>> {
    this.#stream.close()
    return Promise.resolve({ done: true, value: undefined })
  }
}
