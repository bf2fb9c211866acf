// Results in the order in which they become ready.
//
// `ray.wait` looks at every ref it is given, so waiting once per result is quadratic. Each wait is
// therefore followed by one that asks what else is ready by now and does not wait: a share of the
// refs at a time, which makes no result later.

import { cancel, type ObjectRef, remote, wait, type RemoteFunction } from '../ray/index.js'

/** What `asCompleted` yields, and how many results it takes at a time. */
export interface AsCompletedOptions<YieldRefs extends boolean = boolean> {
  /** Results that are taken at once if they are ready; 10 by default. */
  readonly chunkSize?: number
  /** Yields refs that are ready, and not their values. An error is then seen by who gets it. */
  readonly yieldRefs?: YieldRefs
}

/** The options of `asCompleted`, and how far `mapUnordered` runs ahead. */
export interface MapUnorderedOptions<
  YieldRefs extends boolean = boolean,
> extends AsCompletedOptions<YieldRefs> {
  /** Tasks that are submitted and not yielded, at most; 100 by default. */
  readonly backpressure?: number
}

/** Takes from `pending` what is ready: at least one, at most a chunk. */
async function takeReady<T>(
  pending: Set<ObjectRef<T>>,
  chunkSize: number,
): Promise<ObjectRef<T>[]> {
  const refs = [...pending]
  const [first] = await wait(refs)
  const numReturns = Math.min(refs.length, Math.max(chunkSize, Math.ceil(refs.length / 64)))
  const [ready] = numReturns === 1 ? [first] : await wait(refs, { numReturns, timeoutMs: 0 })
  const taken = ready.length > 0 ? ready : first
  for (const ref of taken) pending.delete(ref)
  return taken
}

function positive(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value
  throw new RangeError(`The option '${name}' must be a positive integer, not ${String(value)}.`)
}

/**
 * The values of refs as they become ready, in that order and not in the order given.
 *
 * @example
 * const work = ray.remote((n: number) => n)
 * const refs = [1, 2, 3].map((n) => work.remote(n))
 * for await (const value of asCompleted(refs)) console.log(value)
 *
 * @throws RayTaskError when a task failed; the iteration ends there. With `yieldRefs` it goes on.
 */
export function asCompleted<T>(
  refs: readonly ObjectRef<T>[],
  options: AsCompletedOptions<true> & { readonly yieldRefs: true },
): AsyncGenerator<ObjectRef<T>, void, void>
export function asCompleted<T>(
  refs: readonly ObjectRef<T>[],
  options?: AsCompletedOptions<false>,
): AsyncGenerator<T, void, void>
export async function* asCompleted(
  refs: readonly ObjectRef[],
  options: AsCompletedOptions = {},
): AsyncGenerator<unknown, void, void> {
  const chunkSize = positive('chunkSize', options.chunkSize ?? 10)
  const pending = new Set(refs)
  while (pending.size > 0) {
    for (const ref of await takeReady(pending, chunkSize)) {
      yield options.yieldRefs === true ? ref : await ref.get()
    }
  }
}

type Mapper<T, R> = RemoteFunction<[T], R> | ((item: T) => R)

/**
 * Applies a function to each item as a task and yields the results as they become ready. Items are
 * read as there is room for more tasks; tasks that nobody waits for any more are cancelled.
 *
 * @example
 * const square = ray.remote((x: number) => x * x)
 * for await (const y of mapUnordered(square, [1, 2, 3])) console.log(y)
 */
export function mapUnordered<T, R>(
  fn: Mapper<T, R>,
  items: Iterable<T> | AsyncIterable<T>,
  options: MapUnorderedOptions<true> & { readonly yieldRefs: true },
): AsyncGenerator<ObjectRef<Awaited<R>>, void, void>
export function mapUnordered<T, R>(
  fn: Mapper<T, R>,
  items: Iterable<T> | AsyncIterable<T>,
  options?: MapUnorderedOptions<false>,
): AsyncGenerator<Awaited<R>, void, void>
export async function* mapUnordered(
  fn: Mapper<unknown, unknown>,
  items: Iterable<unknown> | AsyncIterable<unknown>,
  options: MapUnorderedOptions = {},
): AsyncGenerator<unknown, void, void> {
  const chunkSize = positive('chunkSize', options.chunkSize ?? 10)
  const backpressure = positive('backpressure', options.backpressure ?? 100)
  const task = ('remote' in fn ? fn : remote(fn)) as RemoteFunction<[unknown], unknown>
  const pending = new Set<ObjectRef>()
  async function* take(): AsyncGenerator<unknown, void, void> {
    for (const ref of await takeReady(pending, chunkSize)) {
      yield options.yieldRefs === true ? ref : await ref.get()
    }
  }
  try {
    for await (const item of items) {
      pending.add(task.remote(item))
      if (pending.size >= backpressure) yield* take()
    }
    while (pending.size > 0) yield* take()
  } finally {
    for (const ref of pending) cancel(ref)
  }
}
