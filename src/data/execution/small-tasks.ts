// How many blocks of a source one task makes.
//
// A task of its own costs more than a block that is done in less than a millisecond. Nothing but
// the blocks that are done says how long they take, so the first have tasks of their own; then as
// many share one as take together as long as a task should. A block that fails takes those of its
// task with it, so where failures are tolerated each has its own.

/** Work that makes a task worth its costs. */
const taskMs = 20
const blocksPerTaskMax = 32
/** Blocks that say how long the others will take. */
const measuredMin = 4
/** Tasks per CPU that must be left at the end, so that CPUs finish together. */
const tasksLeftPerCpu = 4

export interface BlocksSoFar {
  /** Blocks that are done. */
  readonly done: number
  /** Time that they took together. */
  readonly wallMs: number
  /** Blocks that have no task yet. */
  readonly left: number
  readonly cpus: number
}

export function blocksPerTask({ done, wallMs, left, cpus }: BlocksSoFar): number {
  if (done < measuredMin) return 1
  const wanted = Math.floor((taskMs * done) / Math.max(wallMs, 0.001))
  const share = Math.floor(left / (tasksLeftPerCpu * cpus))
  return Math.max(1, Math.min(wanted, share, blocksPerTaskMax))
}
