import { GetTimeoutError, type ObjectRef, wait } from '../ray/index.js'

/** Starts work on an actor of the pool: `(actor, value) => actor.method.remote(value)`. */
export type PoolCall<Handle, Value, Result> = (actor: Handle, value: Value) => ObjectRef<Result>

/** How long to wait for the next result of an `ActorPool`. */
export interface NextOptions {
  /** Rejects with GetTimeoutError after this many milliseconds. */
  readonly timeoutMs?: number
  /** With `timeoutMs`: a result that is late is given up, and the next call gives the one after. */
  readonly ignoreIfTimedOut?: boolean
}

interface Running<Handle> {
  readonly actor: Handle
  readonly ref: ObjectRef
}

/**
 * Work for a fixed set of actors, one call at a time for each.
 *
 * What does not find a free actor waits in the pool. An actor is free again when its result is
 * fetched, so that results which nobody reads do not pile up.
 *
 * @example
 * const Doubler = ray.remote(class { double(x: number) { return 2 * x } })
 * const pool = new ActorPool([Doubler.remote(), Doubler.remote()])
 * for await (const y of pool.map((actor, x: number) => actor.double.remote(x), [1, 2, 3])) {
 *   console.log(y) // 2, 4, 6
 * }
 */
export class ActorPool<Handle extends object, Result = unknown> {
  readonly #idle: Handle[]
  /** Calls whose result was not fetched, in order of submission. */
  readonly #running = new Map<number, Running<Handle>>()
  /** What no actor was free for; started as results are fetched. */
  readonly #waiting: ((actor: Handle) => ObjectRef)[] = []
  #submitted = 0

  /** @throws TypeError if an actor is given twice. */
  constructor(actors: Iterable<Handle>) {
    this.#idle = []
    for (const actor of actors) this.push(actor)
  }

  /** Applies `call` to each value; results come in the order of the values. */
  map<Value, R>(call: PoolCall<Handle, Value, R>, values: Iterable<Value>): AsyncGenerator<R> {
    this.#submitAll(call, values)
    return this.#results(() => this.getNext()) as AsyncGenerator<R>
  }

  /** Applies `call` to each value; results come as they are ready. */
  mapUnordered<Value, R>(
    call: PoolCall<Handle, Value, R>,
    values: Iterable<Value>,
  ): AsyncGenerator<R> {
    this.#submitAll(call, values)
    return this.#results(() => this.getNextUnordered()) as AsyncGenerator<R>
  }

  /** Results that nobody fetched before are given up: they belong to an earlier question. */
  #submitAll<Value>(call: PoolCall<Handle, Value, unknown>, values: Iterable<Value>): void {
    this.#waiting.length = 0
    for (const index of [...this.#running.keys()]) this.#take(index)
    for (const value of values) this.submit(call, value)
  }

  async *#results(next: () => Promise<unknown>): AsyncGenerator<unknown> {
    while (this.hasNext()) yield await next()
  }

  /** Calls an actor, now if one is free, else when one is. */
  submit<Value>(call: PoolCall<Handle, Value, unknown>, value: Value): void {
    const start = (actor: Handle): ObjectRef => call(actor, value)
    const actor = this.#idle.pop()
    if (actor === undefined) this.#waiting.push(start)
    else this.#start(start, actor)
  }

  #start(start: (actor: Handle) => ObjectRef, actor: Handle): void {
    try {
      const ref = start(actor)
      this.#running.set(this.#submitted++, { actor, ref })
    } catch (error) {
      this.#idle.push(actor)
      throw error
    }
  }

  /** Whether there are results to fetch. */
  hasNext(): boolean {
    return this.#running.size > 0 || this.#waiting.length > 0
  }

  /**
   * The next result in order of submission.
   *
   * @throws RangeError when there is none. GetTimeoutError after `timeoutMs`. RayTaskError when
   * the call failed; the pool goes on.
   */
  async getNext(options: NextOptions = {}): Promise<Result> {
    const [index, running] = this.#first()
    return this.#fetch([[index, running]], options)
  }

  /** Any result that is ready first; errors as `getNext`. */
  async getNextUnordered(options: NextOptions = {}): Promise<Result> {
    this.#first()
    return this.#fetch([...this.#running], options)
  }

  #first(): [number, Running<Handle>] {
    const [first] = this.#running
    if (first !== undefined) return first
    throw new RangeError(
      this.#waiting.length > 0
        ? 'ActorPool: there is work, but no actor to do it. push() an actor first.'
        : 'ActorPool: there are no more results to get. Ask hasNext() first.',
    )
  }

  async #fetch(
    candidates: readonly (readonly [number, Running<Handle>])[],
    { timeoutMs, ignoreIfTimedOut = false }: NextOptions,
  ): Promise<Result> {
    const refs = candidates.map(([, { ref }]) => ref)
    const [[ready]] = await wait(refs, timeoutMs === undefined ? {} : { timeoutMs })
    const found = candidates.find(([, { ref }]) => ref === ready) ?? candidates[0]
    if (ready === undefined) {
      if (ignoreIfTimedOut && found !== undefined) this.#take(found[0])
      throw new GetTimeoutError(
        `ActorPool: no result within ${timeoutMs} ms` +
          `${ignoreIfTimedOut ? `; ${String(refs[0])} was given up` : ''}.`,
        { fields: { timeoutMs } },
      )
    }
    if (found !== undefined) this.#take(found[0])
    return (await ready.get()) as Result
  }

  /** Forgets a result and gives its actor to what waits. */
  #take(index: number): void {
    const running = this.#running.get(index)
    if (!this.#running.delete(index) || running === undefined) return
    this.#release(running.actor)
  }

  #release(actor: Handle): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#idle.push(actor)
    else this.#start(next, actor)
  }

  /** Whether a call that is submitted now would start at once. */
  hasFree(): boolean {
    return this.#idle.length > 0 && this.#waiting.length === 0
  }

  /** Takes an actor that does nothing out of the pool; undefined if there is none. */
  popIdle(): Handle | undefined {
    return this.hasFree() ? this.#idle.pop() : undefined
  }

  /**
   * Adds an actor.
   *
   * @throws TypeError if the pool has it.
   */
  push(actor: Handle): void {
    const isBusy = [...this.#running.values()].some((running) => running.actor === actor)
    if (isBusy || this.#idle.includes(actor)) {
      throw new TypeError(`ActorPool: ${String(actor)} belongs to the pool already.`)
    }
    this.#release(actor)
  }
}
