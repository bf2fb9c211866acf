// Options of Pool, in the words of piscina and tinypool. What has no meaning here is refused by
// name, so that nobody believes in a setting that does nothing.

/** Limits and code of a pool. */
export interface PoolOptions {
  /** The module whose exports are run: a path, a file URL, or its text. */
  readonly filename?: string | URL | null
  /** The export to run; 'default' if left out. */
  readonly name?: string
  /** The function to run, instead of a module: any function, with what it captures. */
  readonly task?: (task: never) => unknown
  /** Tasks that run at once; the CPUs of the cluster by default. */
  readonly maxThreads?: number
  /** Known for the sake of piscina: workers are started when they are needed and kept. */
  readonly minThreads?: number
  /** Tasks per thread that run at once, each in a process of its own; 1 by default. */
  readonly concurrentTasksPerWorker?: number
  /** Tasks that may wait; `run` rejects beyond. 'auto' is the square of maxThreads. */
  readonly maxQueue?: number | 'auto'
  /** Measures `runTime`, `waitTime` and `utilization`; true by default. */
  readonly recordTiming?: boolean
}

/** A pool's options, complete. */
export interface PoolConfig {
  readonly filename: string | undefined
  readonly name: string
  readonly task: ((task: unknown) => unknown) | undefined
  readonly maxThreads: number | undefined
  readonly concurrency: number
  readonly maxQueue: number | 'auto'
  readonly recordTiming: boolean
}

const known = new Set([
  'filename',
  'name',
  'task',
  'maxThreads',
  'minThreads',
  'concurrentTasksPerWorker',
  'maxQueue',
  'recordTiming',
])

const refused: Readonly<Record<string, string>> = {
  atomics: 'has no meaning: workers are processes and wait for messages',
  useAtomics: 'has no meaning: workers are processes and wait for messages',
  argv: 'has no meaning: workers are shared by all pools',
  execArgv: 'is taken from the program: workers inherit its Node options',
  env: 'cannot differ between pools: workers inherit the environment of the program',
  workerData: 'has no meaning: capture the value in the function, or ray.put it and pass the ref',
  resourceLimits: 'has no meaning: a worker is a process; its heap follows --max-old-space-size',
  idleTimeout: 'has no meaning: workers belong to the session, which starts and ends them',
  taskQueue: 'cannot be replaced: tasks wait in the scheduler of the session',
  niceIncrement: 'has no meaning: workers are shared by all pools',
  trackUnmanagedFds: 'has no meaning: a process closes its files when it ends',
  closeTimeout: 'has no meaning: close() waits as long as tasks run; use destroy()',
  stricterFIFO: 'has no meaning: tasks start in the order in which they were submitted',
  loadBalancer: 'cannot be replaced: tasks go to the worker that is free first',
  workerHistogram: 'has no meaning: times are measured per pool; see runTime',
  runtime: 'has no meaning: workers are always processes',
  isolateWorkers: 'has no meaning: workers are shared by all pools',
  terminateTimeout: 'has no meaning: destroy() cancels tasks and does not wait',
}

export function compilePoolOptions(options: PoolOptions): PoolConfig {
  for (const key of Object.keys(options)) {
    if (known.has(key)) continue
    const why = refused[key]
    throw new TypeError(
      why === undefined
        ? `'${key}' is not an option of Pool. Options are: ${[...known].sort().join(', ')}.`
        : `Pool: the option '${key}' ${why}.`,
    )
  }
  if (typeof options.filename === 'function') {
    throw new TypeError('Pool: filename names a module. Give a function as the option task.')
  }
  const { filename, name = 'default', task, maxQueue = Infinity, recordTiming = true } = options
  if (task !== undefined && filename !== undefined && filename !== null) {
    throw new TypeError('Pool: give either filename or task, not both.')
  }
  const isRemote = typeof task === 'function' && 'remote' in task
  if (task !== undefined && (typeof task !== 'function' || isRemote)) {
    const given = isRemote ? 'a remote one: give the function itself' : typeof task
    throw new TypeError(`Pool: task must be a function, not ${given}.`)
  }
  const maxThreads = count('maxThreads', options.maxThreads)
  const minThreads = options.minThreads === 0 ? 0 : count('minThreads', options.minThreads)
  if (minThreads !== undefined && maxThreads !== undefined && minThreads > maxThreads) {
    throw new RangeError(`Pool: minThreads is ${minThreads}, and maxThreads only ${maxThreads}.`)
  }
  const isLimit = maxQueue === 'auto' || (typeof maxQueue === 'number' && maxQueue >= 0)
  if (!isLimit) throw new RangeError(`Pool: maxQueue must be 'auto' or a number of zero or more.`)
  return {
    filename: filename === undefined || filename === null ? undefined : String(filename),
    name,
    task: task as ((task: unknown) => unknown) | undefined,
    maxThreads,
    concurrency: count('concurrentTasksPerWorker', options.concurrentTasksPerWorker) ?? 1,
    maxQueue,
    recordTiming,
  }
}

function count(name: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value > 0)) return value
  throw new RangeError(`Pool: ${name} must be a positive integer, not ${String(value)}.`)
}
