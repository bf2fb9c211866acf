// A clock that stands still until it is told to go on, and then jumps from timer to timer.

import type { Clock } from '../base/clock.js'

interface Timer {
  readonly at: number
  /** Timers of one instant run in the order in which they were set. */
  readonly order: number
  /** Undefined once it was cancelled. */
  run: (() => void) | undefined
}

const isBefore = (a: Timer, b: Timer): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order)

export class VirtualClock implements Clock {
  #now = 0
  #order = 0
  /** A binary heap: the next timer is the first. */
  readonly #heap: Timer[] = []

  now(): number {
    return this.#now
  }

  timer(ms: number, run: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order++, run }
    this.#heap.push(timer)
    this.#rise(this.#heap.length - 1)
    return () => {
      timer.run = undefined
    }
  }

  /** Jumps to the next timer and runs it. False when there is none up to `until`. */
  step(until = Infinity): boolean {
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.at > until) return false
      this.#removeFirst()
      const { run } = next
      if (run === undefined) continue
      this.#now = next.at
      run()
      return true
    }
  }

  /** Runs every timer that is due within `ms`, those too that are set on the way. */
  advance(ms: number): void {
    const until = this.#now + ms
    while (this.step(until));
    this.#now = until
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink(0)
  }

  #rise(from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(this.#heap[index]!, this.#heap[parent]!)) return
      this.#swap(index, parent)
      index = parent
    }
  }

  #sink(from: number): void {
    let index = from
    for (;;) {
      const left = 2 * index + 1
      if (left >= this.#heap.length) return
      const right = left + 1
      const hasRight = right < this.#heap.length
      const child = hasRight && isBefore(this.#heap[right]!, this.#heap[left]!) ? right : left
      if (!isBefore(this.#heap[child]!, this.#heap[index]!)) return
      this.#swap(index, child)
      index = child
    }
  }

  #swap(a: number, b: number): void {
    const timer = this.#heap[a]!
    this.#heap[a] = this.#heap[b]!
    this.#heap[b] = timer
  }
}
