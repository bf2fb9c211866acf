// Refs and views die only when they are collected, and others wait for that: an actor whose last
// handle a worker has forgotten, a spill file whose last reader has.
//
// When memory or leases are short the raylet asks for a collection. An idle worker makes no garbage
// and would never collect by itself, so it does so once after it came to hold something, and not
// while it has work.
//
// The rest is memory that a worker no longer uses and nothing asks for: arrays that are garbage,
// and what glibc keeps of those that were collected, 200 MB and more behind blocks of 64 MB. While
// tasks follow each other it is about to be used again; a worker that rests gives it back, once.

import v8 from 'node:v8'
import vm from 'node:vm'
import { idleMemoryBytesMax, idleMemoryMs } from '../base/limits.js'
import { libc } from '../store/index.js'

let collect: (() => void) | null = null
let held = 0

function collector(): () => void {
  if (collect === null) {
    v8.setFlagsFromString('--expose-gc')
    collect = vm.runInNewContext('gc') as () => void
    // Code compiled with other flags than those of the start could not be kept for the next one.
    v8.setFlagsFromString('--no-expose-gc')
  }
  return collect
}

/**
 * Collects garbage soon, not in the middle of what runs now. `gc` is reachable through a V8 flag in
 * a new context.
 */
export function requestGarbageCollection(): void {
  setImmediate(collector()).unref()
}

/**
 * This process came to hold something whose end others wait for: a counted ref, or a view on shared
 * memory.
 */
export function noteHeld(): void {
  held++
}

const idleMs = 500
/** Part of an idle worker's time that collecting may take. */
const shareMax = 0.05

export class IdleCollector {
  readonly #isIdle: () => boolean
  readonly #now: () => number
  #timer: NodeJS.Timeout | null = null
  #pauseMs = idleMs
  /** Armed while there may be memory to give back: from the first work on until it is done. */
  #rest: NodeJS.Timeout | null = null
  #hasWorked = false
  /** Of heap and arrays, when garbage was last collected here. */
  #usedBytes = 0

  constructor(isIdle: () => boolean, now: () => number) {
    this.#isIdle = isIdle
    this.#now = now
  }

  /** The worker has nothing to do at the moment. */
  idle(): void {
    this.#hasWorked = true
    if (this.#rest === null) this.#awaitRest()
    if (held === 0 || this.#timer !== null) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      if (this.#isIdle()) this.#collect()
    }, this.#pauseMs)
    this.#timer.unref()
  }

  #collect(): void {
    held = 0
    const started = this.#now()
    collector()()
    this.#pauseMs = Math.max(idleMs, (this.#now() - started) / shareMax)
    this.#usedBytes = usedBytes()
  }

  #awaitRest(): void {
    this.#hasWorked = false
    this.#rest = setTimeout(() => {
      if (this.#hasWorked || !this.#isIdle()) {
        this.#awaitRest()
        return
      }
      this.#rest = null
      this.#giveBack()
    }, idleMemoryMs)
    this.#rest.unref()
  }

  #giveBack(): void {
    if (usedBytes() - this.#usedBytes > idleMemoryBytesMax) this.#collect()
    // Arrays are freed behind a collection, by another thread.
    const trim = (): void => {
      if (this.#isIdle() && process.memoryUsage.rss() > idleMemoryBytesMax) libc().trim()
    }
    setTimeout(trim, idleMs).unref()
  }
}

function usedBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
