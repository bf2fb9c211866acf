// One promise for many refs: it counts how many of them are ready, and gives up in time.

import type { RayError } from '../base/errors.js'
import { GetTimeoutError, TaskCancelledError } from '../base/errors.js'
import {
  addWaiter,
  isFailed,
  type ObjectRef,
  refState,
  removeWaiter,
  type RefWaiter,
} from './object-ref.js'
import { nameOf } from './pending-reasons.js'

export interface WaitBounds {
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** One promise for many refs. */
export class Countdown implements RefWaiter {
  readonly #refs: readonly ObjectRef[]
  #left: number
  readonly #failFast: boolean
  readonly #done: (failed: ObjectRef | RayError | null) => void
  #timer: NodeJS.Timeout | null = null
  #signal: AbortSignal | null = null
  #isDone = false
  /** Whether a ref that is settled is ready for whoever waits; null: always. */
  isReady: ((ref: ObjectRef) => boolean) | null = null

  constructor(
    refs: readonly ObjectRef[],
    count: number,
    failFast: boolean,
    done: (failed: ObjectRef | RayError | null) => void,
  ) {
    this.#refs = refs
    this.#left = count
    this.#failFast = failFast
    this.#done = done
    for (const ref of refs) addWaiter(ref, this)
  }

  start(bounds: WaitBounds, all: readonly ObjectRef[]): void {
    const { timeoutMs, signal } = bounds
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => {
        const open = this.#refs.filter((ref) => ref.state === refState.pending)
        this.#finish(timedOut(open, all, { timeoutMs }))
      }, timeoutMs)
    }
    if (signal !== undefined) {
      this.#signal = signal
      if (signal.aborted) this.#aborted()
      else signal.addEventListener('abort', this.#aborted, { once: true })
    }
  }

  readonly #aborted = (): void => {
    this.#finish(
      new TaskCancelledError('The get or wait was aborted by its signal.', {
        cause: this.#signal?.reason,
      }),
    )
  }

  refReady(ref: ObjectRef): void {
    if (this.#isDone) return
    if (this.isReady !== null && !this.isReady(ref)) return addWaiter(ref, this)
    if (this.#failFast && isFailed(ref)) this.#finish(ref)
    else if (--this.#left === 0) this.#finish(null)
  }

  #finish(failed: ObjectRef | RayError | null): void {
    if (this.#isDone) return
    this.#isDone = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#aborted)
    for (const ref of this.#refs) if (ref.waiters !== null) removeWaiter(ref, this)
    this.#done(failed)
  }
}

export function timedOut(
  open: readonly ObjectRef[],
  all: readonly ObjectRef[],
  { timeoutMs, reasons = [] }: { timeoutMs: number; reasons?: readonly string[] },
): GetTimeoutError {
  const first = open[0] ?? all[0]
  const rest = open.length > 1 ? ` and ${open.length - 1} more` : ''
  const name = first === undefined ? '' : nameOf(first)
  const message =
    `Not ready within ${timeoutMs} ms: ${first?.id ?? ''}${name}${rest}. ` +
    'The tasks go on; get the refs again later, or cancel them with ray.cancel.'
  return new GetTimeoutError([message, ...reasons].join('\n  '), {
    fields: { timeoutMs, objectId: first?.id, pending: open.length, waitingFor: reasons },
  })
}
