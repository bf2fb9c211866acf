// A pool for those who know piscina: `run` in, a promise out. Tasks go straight to the scheduler of
// the session, which keeps more of them under way than a pool of threads does; the pool only bounds
// how many run and wait.

import { EventEmitter } from 'node:events'
import {
  cancel,
  clusterResources,
  get,
  type ObjectRef,
  RayError,
  RayTaskError,
  remote,
  type RemoteFunction,
} from '../../ray/index.js'
import { asCompleted } from '../as-completed.js'
import { TimeHistogram, type TimeSummary } from './pool-histogram.js'
import { compilePoolOptions, type PoolConfig, type PoolOptions } from './pool-options.js'
import {
  moduleUrl,
  type PoolFunction,
  runExport,
  runTimed,
  sharedNow,
  type Timed,
} from './pool-task.js'

/** How one task of a pool is run. */
export interface RunOptions {
  /** Cancels the task; `run` rejects with an AbortError. */
  readonly signal?: AbortSignal | null
  /** Another export of the module. */
  readonly name?: string | null
  /** Another module. */
  readonly filename?: string | URL | null
  /** Known for the sake of piscina: large arrays travel by shared memory, and stay usable here. */
  readonly transferList?: readonly unknown[]
}

/** How the verbs of Python's multiprocessing cut up their work. */
export interface PoolMapOptions {
  /** Items per task; chosen by the number of items and CPUs if left out. */
  readonly chunkSize?: number
}

type Task = RemoteFunction<[unknown], unknown>
interface What {
  readonly key: string | object
  readonly run: PoolFunction
}
interface Submitted {
  readonly ref: ObjectRef
  readonly submittedMs: number
}
interface Code {
  readonly plain: Task
  readonly timed: Task
}

/** After so many tasks only one in `timedEvery` is timed, because timing costs. */
const timedAllMax = 100
const timedEvery = 16
const chunksPerCpu = 4

/**
 * Runs functions of a module, or a function, on all CPUs: a drop-in for piscina and tinypool.
 *
 * @example
 * const pool = new Pool({ task: (n: number) => n * n })
 * console.log(await pool.run(4)) // 16
 * await pool.close()
 */
export class Pool<Input = unknown, Output = unknown> extends EventEmitter {
  readonly #config: PoolConfig
  readonly #exports = new Map<string, Code>()
  readonly #functions = new WeakMap<object, Code>()
  /** Tasks whose code is not there yet. */
  #starting = 0
  /** Tasks that were submitted and have not ended. */
  readonly #unfinished = new Set<ObjectRef>()
  readonly #runTime = new TimeHistogram()
  readonly #waitTime = new TimeHistogram()
  readonly #startedMs = performance.now()
  #cpus: Promise<number> | undefined
  #threads: number | undefined
  #submitted = 0
  #completed = 0
  #isDrainDue = false
  #isClosed = false
  #isDestroyed = false
  #onIdle: (() => void)[] = []

  /** @throws TypeError for an option that is unknown or has no meaning, with the reason. */
  constructor(options: PoolOptions = {}) {
    super()
    this.#config = compilePoolOptions(options)
    const { maxThreads, concurrency } = this.#config
    if (maxThreads !== undefined) this.#threads = maxThreads * concurrency
  }

  /**
   * Runs a task. Resolves to what it returns; rejects with what it throws, with an AbortError when
   * `signal` aborts, and with a RayError when too many tasks wait.
   */
  async run(task: Input, options: RunOptions = {}): Promise<Output> {
    const { signal } = options
    refuseAborted(signal)
    this.#refuseMore()
    const { ref, submittedMs } = await this.#submit(task, options)
    const isTimed = submittedMs > 0
    const onAbort = (): void => cancel(ref)
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted === true) onAbort()
    try {
      const value = await ref.get()
      if (!isTimed) return value as Output
      const [result, startedMs, endedMs] = value as Timed
      this.#waitTime.record(startedMs - submittedMs)
      this.#runTime.record(endedMs - startedMs)
      return result as Output
    } catch (error) {
      refuseAborted(signal, error)
      // What was thrown, as if the function had been called here.
      throw error instanceof RayTaskError && error.cause !== undefined ? error.cause : error
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#ended(ref)
    }
  }

  /** Submits a task; the pool does not end before it is. `submittedMs` is 0 if it is not timed. */
  async #submit(task: Input, options: RunOptions): Promise<Submitted> {
    this.#starting++
    try {
      const code = this.#codeOf(options) ?? (await this.#make(this.#what(options)))
      refuseAborted(options.signal)
      if (this.#isDestroyed) throw destroyed()
      const isTimed =
        this.#config.recordTiming &&
        (this.#submitted < timedAllMax || this.#submitted % timedEvery === 0)
      const submittedMs = isTimed ? sharedNow() : 0
      this.#submitted++
      const ref = (isTimed ? code.timed : code.plain).remote(task)
      this.#unfinished.add(ref)
      return { ref, submittedMs }
    } finally {
      this.#starting--
      this.#checkIdle()
    }
  }

  #ended(ref: ObjectRef): void {
    this.#unfinished.delete(ref)
    this.#completed++
    if (this.#isDrainDue && this.queueSize === 0) {
      this.#isDrainDue = false
      this.emit('drain')
    }
    this.#checkIdle()
  }

  #checkIdle(): void {
    if (this.#unfinished.size + this.#starting > 0) return
    for (const idle of this.#onIdle.splice(0)) idle()
  }

  #refuseMore(): void {
    if (this.#isClosed) throw new RayError('The pool is closed: it takes no more tasks.')
    const threads = this.#threads
    // Before the first task the number of CPUs may not be known.
    if (threads === undefined || this.#unfinished.size + this.#starting < threads) return
    const { maxQueue } = this.#config
    const limit = maxQueue === 'auto' ? threads ** 2 : maxQueue
    if (this.queueSize >= limit) {
      throw new RayError(
        `The pool has ${this.queueSize} tasks waiting, and maxQueue is ${limit}. Run fewer at a ` +
          `time, or wait for the event 'drain'.`,
        { fields: { maxQueue: limit } },
      )
    }
    if (this.#isDrainDue) return
    this.#isDrainDue = true
    this.emit('needsDrain')
  }

  /** The code for a task if it was made before. */
  #codeOf(options: RunOptions): Code | undefined {
    const { task } = this.#config
    const isOwn = task !== undefined && (options.filename ?? undefined) === undefined
    if (isOwn) return this.#functions.get(task)
    return this.#exports.get(this.#what(options).key as string)
  }

  #what({ filename, name }: RunOptions): What {
    const config = this.#config
    const file = filename ?? config.filename
    if (file !== undefined) {
      const url = moduleUrl(String(file))
      const exported = name ?? config.name
      return { key: `${url} ${exported}`, run: (task) => runExport(url, exported, task) }
    }
    if (config.task !== undefined) return { key: config.task, run: config.task }
    throw new TypeError('Pool: there is nothing to run. Give filename or task.')
  }

  /** Code is made once per function, or per module and export. */
  async #make({ key, run }: What): Promise<Code> {
    const cpus = await this.#countCpus()
    const known = typeof key === 'string' ? this.#exports.get(key) : this.#functions.get(key)
    if (known !== undefined) return known
    const { maxThreads, concurrency } = this.#config
    this.#threads = (maxThreads ?? cpus) * concurrency
    const numCpus = Math.max(1e-4, Math.floor((cpus / this.#threads) * 1e4) / 1e4)
    const code: Code = {
      plain: remote({ numCpus }, (task: unknown) => run(task)) as Task,
      timed: remote({ numCpus }, (task: unknown) => runTimed(run, task)) as Task,
    }
    if (typeof key === 'string') this.#exports.set(key, code)
    else this.#functions.set(key, code)
    return code
  }

  #countCpus(): Promise<number> {
    this.#cpus ??= clusterResources().then(({ CPU = 1 }) => Math.max(1, CPU))
    return this.#cpus
  }

  /** Tasks that wait for a CPU. */
  get queueSize(): number {
    const { size } = this.#unfinished
    return Math.max(0, size + this.#starting - (this.#threads ?? Infinity))
  }

  /** Tasks that have ended, however they did. */
  get completed(): number {
    return this.#completed
  }

  /** Milliseconds since the pool was made. */
  get duration(): number {
    return performance.now() - this.#startedMs
  }

  /** Which share of its threads' time the pool has used, from 0 to 1. */
  get utilization(): number {
    const usedMs = this.runTime.mean * this.#completed
    return Math.min(1, usedMs / (this.duration * (this.#threads ?? 1)))
  }

  /** How long tasks ran; of many tasks, a sample. */
  get runTime(): TimeSummary {
    return this.#runTime.summary()
  }

  /** How long tasks waited before they ran; of many tasks, a sample. */
  get waitTime(): TimeSummary {
    return this.#waitTime.summary()
  }

  /** `runTime` and `waitTime`, where piscina has them. */
  get histogram(): { readonly runTime: TimeSummary; readonly waitTime: TimeSummary } {
    return { runTime: this.runTime, waitTime: this.waitTime }
  }

  /** Whether tasks wait; the event 'drain' says when none does any more. */
  get needsDrain(): boolean {
    return this.#isDrainDue
  }

  /** Takes no more tasks, and resolves when those there are have ended; `force` cancels them. */
  async close({ force = false }: { readonly force?: boolean } = {}): Promise<void> {
    this.#isClosed = true
    this.#isDestroyed ||= force
    if (force) for (const ref of this.#unfinished) cancel(ref)
    if (this.#unfinished.size + this.#starting > 0) {
      await new Promise<void>((done) => this.#onIdle.push(done))
    }
    this.emit('close')
  }

  /** Takes no more tasks and cancels those there are. */
  destroy(): Promise<void> {
    return this.close({ force: true })
  }

  /** Marks a value to be moved, in piscina. Here large arrays are not copied anyway. */
  static move<T>(value: T): T {
    return value
  }

  /** `close`, at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  // The verbs of Python's multiprocessing.Pool, of which Ray has a copy.

  /** Runs any function with these arguments in a worker. */
  async apply<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    args: A,
  ): Promise<Awaited<R>> {
    const [value] = await this.starmap(fn, [args])
    return value as Awaited<R>
  }

  /** Applies a function to all items; resolves to the results in order. */
  async map<T, R>(
    fn: (item: T) => R,
    items: Iterable<T>,
    options: PoolMapOptions = {},
  ): Promise<Awaited<R>[]> {
    const list = [...items]
    const chunks = await get(await this.#chunks(fn as never, list, options))
    return chunks.flat() as Awaited<R>[]
  }

  /** As `map`; each item is a list of arguments. */
  starmap<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    items: Iterable<A>,
    options: PoolMapOptions = {},
  ): Promise<Awaited<R>[]> {
    return this.map((args: A) => fn(...args), items, options)
  }

  /** As `map`; yields results in order, as they are ready. */
  async *imap<T, R>(
    fn: (item: T) => R,
    items: Iterable<T>,
    options: PoolMapOptions = {},
  ): AsyncGenerator<Awaited<R>, void, void> {
    for (const ref of await this.#chunks(fn as never, [...items], { chunkSize: 1, ...options })) {
      yield* (await ref.get()) as Awaited<R>[]
    }
  }

  /** As `imap`; whatever is ready comes first. */
  async *imapUnordered<T, R>(
    fn: (item: T) => R,
    items: Iterable<T>,
    options: PoolMapOptions = {},
  ): AsyncGenerator<Awaited<R>, void, void> {
    const list = [...items]
    const refs = await this.#chunks(fn as never, list, { chunkSize: 1, ...options })
    for await (const chunk of asCompleted(refs)) yield* chunk as Awaited<R>[]
  }

  async #chunks(
    fn: (item: unknown) => unknown,
    items: readonly unknown[],
    { chunkSize }: PoolMapOptions,
  ): Promise<ObjectRef<unknown[]>[]> {
    if (this.#isClosed) throw new RayError('The pool is closed: it takes no more tasks.')
    const cpus = this.#config.maxThreads ?? (await this.#countCpus())
    const size = chunkSize ?? Math.max(1, Math.ceil(items.length / (chunksPerCpu * cpus)))
    if (!Number.isInteger(size) || size < 1) {
      throw new RangeError(`Pool: chunkSize must be a positive integer, not ${String(chunkSize)}.`)
    }
    const run = async (chunk: unknown): Promise<unknown[]> => {
      const results: unknown[] = []
      for (const item of chunk as unknown[]) results.push(await fn(item))
      return results
    }
    const { plain } = await this.#make({ key: fn, run })
    const refs: ObjectRef<unknown[]>[] = []
    for (let at = 0; at < items.length; at += size) {
      refs.push(plain.remote(items.slice(at, at + size)) as ObjectRef<unknown[]>)
    }
    return refs
  }
}

const destroyed = (): RayError => new RayError('The pool was destroyed before the task began.')

function refuseAborted(signal: AbortSignal | null | undefined, cause?: unknown): void {
  if (signal?.aborted !== true) return
  const error = new Error('The task has been aborted', { cause: cause ?? signal.reason })
  error.name = 'AbortError'
  throw error
}
