// Options of Node that every worker is started with.

/**
 * V8 marks the heap whenever 64 MB of arrays have come. It also counts them as growth of the heap,
 * and grants a small one less growth than that, so workers through which blocks of data pass marked
 * twice as often. Below this size, in MB, the first bound alone counts.
 */
const heapOption = '--initial-old-space-size=96'

/**
 * V8 marks with a thread per CPU, as if the others had nothing to do. A node has a worker for each
 * CPU, so the threads take from other workers what they spare their own: 8 GiB in blocks of 64 MB
 * took 10 % less CPU in all processes without them. A task that makes hundreds of megabytes of
 * lists took as long as before, and 15 % longer without those for young objects, which stay.
 */
const markingOption = '--no-concurrent-marking'

/** In front of the user's, which win. */
export const workerOptions: readonly string[] = [heapOption, markingOption]

/** Leaves the user's options in `process.execArgv`: what the user's code looks at and inherits. */
export function hideWorkerOptions(): void {
  process.execArgv = process.execArgv.filter((option) => !workerOptions.includes(option))
}
