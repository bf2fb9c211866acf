import {
  actorOf,
  installRefActions,
  installRelease,
  ObjectRef,
  type CoreWorker,
} from '../worker/index.js'
import { didYouMean } from '../base/nearest-name.js'
import { atCaller } from './at-caller.js'
import { requireSession } from './session.js'
import type { Values } from './signatures.js'

/** How long `ray.get` may take. */
export interface GetOptions {
  /** Rejects with GetTimeoutError after this many milliseconds; 0 asks without waiting. */
  readonly timeoutMs?: number
  /** Rejects with TaskCancelledError when it aborts. The task itself goes on. */
  readonly signal?: AbortSignal
}

/** What `ray.wait` waits for. */
export interface WaitOptions extends GetOptions {
  /** How many refs must be ready; 1 by default. */
  readonly numReturns?: number
  /** Also wait until the values are on this node; true by default. */
  readonly fetchLocal?: boolean
}

/**
 * The value of a ref, or the values of a list of refs in order. Large typed arrays are views on
 * shared memory: reading costs no copy, and writing to one changes this process's copy only.
 *
 * Prefer one `get` of a list to `Promise.all` over many: it waits with a single promise and fails
 * at the first error.
 *
 * Follows `ray.get` of Ray; `timeoutMs` is in milliseconds.
 *
 * @example
 * const double = ray.remote((x: number) => 2 * x)
 * const four = await ray.get(double.remote(2))
 * const [six, eight] = await ray.get([double.remote(3), double.remote(4)], { timeoutMs: 5000 })
 *
 * @throws RayTaskError when a task threw; its `cause` is what was thrown. GetTimeoutError after
 * `timeoutMs`, which says what the first refs wait for.
 */
export function get<T>(ref: ObjectRef<T>, options?: GetOptions): Promise<T>
export function get<const R extends readonly ObjectRef[]>(
  refs: R,
  options?: GetOptions,
): Promise<Values<R>>
export function get(target: unknown, options: GetOptions = {}): Promise<unknown> {
  try {
    checkKeys('ray.get', options, ['timeoutMs', 'signal'])
    checkBounds('ray.get', options)
    if (target instanceof ObjectRef) return requireSession().objects.get(target, options)
    checkRefs('ray.get', target)
    return requireSession().objects.get(target, options)
  } catch (error) {
    return Promise.reject(error as Error)
  }
}

/** Options of `ray.put`. */
export interface PutOptions {
  /**
   * The handle of the actor that is to own the object, as `_owner` in Ray. There the object then
   * lives on when the process that put it ends. Here every object does that while somebody holds a
   * ref, and an owner changes nothing: the option is there so that code from Ray reads the same.
   */
  readonly owner?: object
}

function checkPutOptions(options: PutOptions): void {
  checkKeys('ray.put', options, ['owner'])
  if (options.owner !== undefined && actorOf(options.owner) === undefined) {
    throw new TypeError('ray.put: owner must be the handle of an actor.')
  }
}

/**
 * Stores a value and returns a ref of it. Synchronous: the value is written before the call
 * returns, and changing it later changes nothing that was stored.
 *
 * Follows `ray.put` of Ray.
 *
 * @example
 * const ref = ray.put(new Float64Array(1_000_000))
 * const length = ray.remote((xs: Float64Array) => xs.length)
 * console.log(await ray.get(length.remote(ref))) // 1000000
 *
 * @throws SerializationError naming the path of what cannot be stored. ObjectStoreFullError,
 * OutOfDiskError.
 */
export function put<T>(value: T, options?: PutOptions): ObjectRef<Awaited<T>> {
  if (options !== undefined) checkPutOptions(options)
  if (value instanceof ObjectRef) {
    throw new TypeError(
      `ray.put got ${String(value)}, which is a ref already. Put the value, or pass the ref ` +
        `on as it is.`,
    )
  }
  const { objects } = requireSession()
  try {
    return objects.put(value) as ObjectRef<Awaited<T>>
  } catch (error) {
    throw atCaller(error, put)
  }
}

/**
 * Waits until `numReturns` of the refs are ready, or `timeoutMs` has passed. Returns those that are
 * ready, at most `numReturns`, and the rest, both in the order given.
 *
 * Follows `ray.wait` of Ray.
 *
 * @example
 * const work = ray.remote((n: number) => n)
 * let rest = [1, 2, 3].map((n) => work.remote(n))
 * while (rest.length > 0) {
 *   const [ready, others] = await ray.wait(rest)
 *   console.log(await ray.get(ready))
 *   rest = others
 * }
 *
 * @throws RangeError when `numReturns` is not between 1 and the number of refs. TypeError for a ref
 * that is given twice, or something that is no ref.
 */
export async function wait<R extends ObjectRef>(
  refs: readonly R[],
  options: WaitOptions = {},
): Promise<[ready: R[], rest: R[]]> {
  checkRefs('ray.wait', refs)
  checkKeys('ray.wait', options, ['numReturns', 'timeoutMs', 'signal', 'fetchLocal'])
  checkBounds('ray.wait', options)
  const numReturns = options.numReturns ?? 1
  if (!Number.isInteger(numReturns) || numReturns < 1) {
    throw new RangeError(
      `ray.wait: numReturns must be a positive integer, not ${String(numReturns)}.`,
    )
  }
  if (numReturns > refs.length && refs.length > 0) {
    throw new RangeError(
      `ray.wait: numReturns is ${numReturns}, but only ${refs.length} refs were given.`,
    )
  }
  if (refs.length === 0) return [[], []]
  const core = requireSession()
  const bounds = { ...options, numReturns, fetchLocal: options.fetchLocal ?? true }
  return core.objects.wait(refs, bounds) as Promise<[R[], R[]]>
}

/**
 * Frees the values of refs now, everywhere. Later gets fail with ObjectFreedError, and so do tasks
 * that need one; another node may still read its copy until it has heard of it. Only when a lost
 * result of such a task must be computed again, what was freed is computed again too.
 *
 * Follows `ray.internal.free` of Ray.
 *
 * @example
 * const ref = ray.put(new Uint8Array(1_000_000))
 * ray.free(ref)
 */
export function free(refs: ObjectRef | readonly ObjectRef[]): void {
  const list = refs instanceof ObjectRef ? [refs] : refs
  checkRefs('ray.free', list)
  requireSession().objects.free(list)
}

/** How `ray.cancel` ends a task. */
export interface CancelOptions {
  /** End the worker that runs the task. Not for calls of actors. */
  readonly force?: boolean
  /** Cancel the tasks that it has submitted, too; true by default. */
  readonly recursive?: boolean
}

/**
 * Cancels the task that makes a ref; its gets fail with TaskCancelledError at once. A running
 * task's AbortSignal (`ray.getRuntimeContext().signal`) aborts; one that computes without a pause
 * is interrupted.
 *
 * Follows `ray.cancel` of Ray.
 *
 * @example
 * const slow = ray.remote(() => { for (;;); })
 * const ref = slow.remote()
 * ray.cancel(ref)
 * await ray.get(ref).catch((error: unknown) => error instanceof ray.TaskCancelledError)
 *
 * @throws TypeError for a ref that another process submitted, or `force` with a call of an actor.
 */
export function cancel(ref: ObjectRef, options: CancelOptions = {}): void {
  if (!(ref instanceof ObjectRef))
    throw new TypeError(`ray.cancel takes an ObjectRef, not ${describe(ref)}.`)
  checkKeys('ray.cancel', options, ['force', 'recursive'])
  const core = requireSession()
  const task = ref.task
  const isForced = options.force === true
  if (task === null) {
    if (ref.owner !== core.process && ref.state === 0) {
      throw new TypeError(
        `${String(ref)} belongs to another process: only the process that submitted a task ` +
          `can cancel it.`,
      )
    }
    return
  }
  if (isForced && task.actor !== null) {
    throw new TypeError(
      'A call of an actor cannot be cancelled by force: use ray.kill to end the actor.',
    )
  }
  core.cancel(task, { force: isForced, recursive: options.recursive !== false })
}

function checkRefs(what: string, refs: unknown): asserts refs is readonly ObjectRef[] {
  if (!Array.isArray(refs)) {
    const takes = what === 'ray.get' ? 'an ObjectRef or an array of them' : 'an array of ObjectRefs'
    throw new TypeError(`${what} takes ${takes}, not ${describe(refs)}.`)
  }
  for (let i = 0; i < refs.length; i++) {
    if (!(refs[i] instanceof ObjectRef)) {
      throw new TypeError(`${what}: item ${i} is ${describe(refs[i])}, not an ObjectRef.`)
    }
  }
}

/** Refuses options that do not exist, so that a typing error is not a wait without end. */
export function checkKeys(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${what}: options must be an object, not ${describe(options)}.`)
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw new TypeError(
      `${what}: '${key}' is not an option.${didYouMean(key, known)} Options are: ` +
        `${known.join(', ')}.`,
    )
  }
}

function checkBounds(what: string, { timeoutMs, signal }: GetOptions): void {
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    throw new RangeError(
      `${what}: timeoutMs must be a number of zero or more, not ${String(timeoutMs)}.`,
    )
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`${what}: signal must be an AbortSignal.`)
  }
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'undefined'
  if (value instanceof Promise) return 'a Promise (await it first)'
  if (actorOf(value) !== undefined) return 'an actor (call a method of it with .remote())'
  if ((typeof value === 'object' || typeof value === 'function') && 'remote' in value) {
    return 'something that was not called (did you forget .remote()?)'
  }
  return typeof value === 'object'
    ? `an instance of ${value.constructor?.name ?? 'Object'}`
    : `a ${typeof value}`
}

installRefActions({
  get: (ref, options) => get(ref, options),
  free: (ref) => free(ref),
})
installRelease((ref) => {
  const core: CoreWorker | null = requireSession()
  core.references.release(ref)
})
