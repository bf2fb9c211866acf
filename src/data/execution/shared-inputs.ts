// Blocks that several tasks are given: let go of when all of these have ended, and no other comes.

import type { CombinedBlock } from './exchange.js'
import type { BlockRunner, PendingBlock } from './task-runner.js'

export class SharedInputs {
  /** For the tasks: not theirs to let go of. */
  readonly inputs: readonly CombinedBlock[]
  readonly #owned: readonly CombinedBlock[]
  readonly #runner: BlockRunner
  #running = 0
  #isOver = false

  constructor(inputs: readonly CombinedBlock[], runner: BlockRunner) {
    this.#owned = inputs.filter(({ isOwned }) => isOwned)
    this.inputs = inputs.map((input) => ({ ...input, isOwned: false }))
    this.#runner = runner
  }

  /** A task was given them. */
  usedBy(task: PendingBlock): PendingBlock {
    this.#running++
    const end = (): void => {
      this.#running--
      this.#releaseUnused()
    }
    task.metadata.then(end, end)
    return task
  }

  /** No other task will be given them. */
  end(): void {
    this.#isOver = true
    this.#releaseUnused()
  }

  #releaseUnused(): void {
    if (!this.#isOver || this.#running > 0) return
    for (const { block } of this.#owned) this.#runner.release(block)
  }
}
