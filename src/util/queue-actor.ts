// The actor behind a Queue.
//
// Calls that have to wait do not block others, because the actor runs as many at once as there are
// callers. What can be answered at once is answered without a promise.

import { abortWithCaller, getRuntimeContext } from '../ray/index.js'

/**
 * An item in a box, so that a ref is not taken for its value. With `true`, the box has the ref of
 * an item that is too large to pass through the actor.
 */
export type Box = readonly [item: unknown, isRef?: true]

interface Waiter<T> {
  /** Ends the wait, with what it was for or, if that did not come, with undefined. */
  readonly end: (value: T | undefined) => void
}

interface Putter extends Waiter<true> {
  readonly box: Box
}

/** A queue of waiters or items; taking from its head does not move the rest each time. */
class Line<T> {
  #entries: (T | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#entries.length - this.#head
  }

  push(entry: T): void {
    this.#entries.push(entry)
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const entry = this.#entries[this.#head]
    this.#entries[this.#head++] = undefined
    if (this.#head * 2 > this.#entries.length && this.#head > 32) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
    return entry
  }

  remove(entry: T): void {
    this.#entries = this.#entries.slice(this.#head).filter((each) => each !== entry)
    this.#head = 0
  }
}

export class QueueActor {
  readonly #maxsize: number
  readonly #items = new Line<Box>()
  /** Those who wait for an item; there are none while there are items. */
  readonly #getters = new Line<Waiter<Box>>()
  /** Those who wait for room; there are none while there is room. */
  readonly #putters = new Line<Putter>()
  #onQuiet: (() => void) | undefined

  constructor(maxsize: number) {
    this.#maxsize = maxsize
  }

  size(): number {
    return this.#items.length
  }

  #isFull(): boolean {
    return this.#maxsize > 0 && this.#items.length >= this.#maxsize
  }

  /** True when the item is in the queue, undefined when there was no room in time; -1: for ever. */
  put(box: Box, timeoutMs: number): true | undefined | Promise<true | undefined> {
    if (!this.#isFull()) {
      this.#add(box)
      return true
    }
    if (timeoutMs === 0) return undefined
    return this.#wait<true, Putter>(this.#putters, (end) => ({ box, end }), timeoutMs)
  }

  #add(box: Box): void {
    const getter = this.#getters.shift()
    if (getter === undefined) this.#items.push(box)
    else getter.end(box)
  }

  /** The next item, or undefined when there was none in time; -1: wait for ever. */
  get(timeoutMs: number): Box | undefined | Promise<Box | undefined> {
    if (this.#items.length > 0) return this.#next()
    if (timeoutMs === 0) return undefined
    return this.#wait<Box, Waiter<Box>>(this.#getters, (end) => ({ end }), timeoutMs)
  }

  #next(): Box | undefined {
    const box = this.#items.shift()
    const putter = this.#putters.shift()
    if (putter !== undefined) {
      this.#add(putter.box)
      putter.end(true)
    }
    return box
  }

  /** All of them or none; returns how many are there. */
  putBatch(boxes: readonly Box[]): { readonly isDone: boolean; readonly size: number } {
    const size = this.#items.length
    const isDone = this.#maxsize === 0 || size + boxes.length <= this.#maxsize
    if (isDone) for (const box of boxes) this.#add(box)
    return { isDone, size }
  }

  getBatch(count: number): readonly Box[] | { readonly size: number } {
    if (this.#items.length < count) return { size: this.#items.length }
    const boxes: Box[] = []
    for (let i = 0; i < count; i++) {
      const box = this.#next()
      if (box !== undefined) boxes.push(box)
    }
    return boxes
  }

  /** Resolves when nobody waits for the queue, at the latest after `timeoutMs`. */
  quiet(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#onQuiet = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#checkQuiet()
    })
  }

  #checkQuiet(): void {
    if (this.#getters.length === 0 && this.#putters.length === 0) this.#onQuiet?.()
  }

  #wait<T, W extends Waiter<T>>(
    line: Line<W>,
    make: (end: W['end']) => W,
    timeoutMs: number,
  ): Promise<T | undefined> {
    return new Promise((resolve) => {
      abortWithCaller()
      const { signal } = getRuntimeContext()
      const giveUp = (): void => {
        line.remove(waiter)
        end(undefined)
      }
      const end = (value: T | undefined): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', giveUp)
        resolve(value)
        this.#checkQuiet()
      }
      const waiter = make(end)
      const timer = timeoutMs > 0 ? setTimeout(giveUp, timeoutMs) : undefined
      // Who has given up or is gone must not take an item with it.
      signal.addEventListener('abort', giveUp)
      line.push(waiter)
    })
  }
}
