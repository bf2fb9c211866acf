// Options of Node that every worker is started with.

/**
 * V8 marks the heap whenever 64 MB of arrays have come. It also counts them as growth of the heap,
 * and grants a small one less growth than that, so workers through which blocks of data pass marked
 * twice as often. Below this size, in MB, the first bound alone counts.
 */
const heapOption = '--initial-old-space-size=96'

/** In front of the user's, which win. */
export const workerOptions: readonly string[] = [heapOption]

/** Leaves the user's options in `process.execArgv`: what the user's code looks at and inherits. */
export function hideWorkerOptions(): void {
  process.execArgv = process.execArgv.filter((option) => !workerOptions.includes(option))
}
