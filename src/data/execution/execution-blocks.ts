// The blocks of one execution, and with them its runner.
//
// Operators let go of blocks as they use them. When an execution ends early, because a block failed
// or because its consumer has enough, there are blocks that nobody has used, and nobody will: they
// would fill the store until the program's garbage is collected. So whatever was neither let go of
// nor given to the consumer goes with the execution.

import type { BlockRef } from '../block/metadata.js'
import type { BlockTask } from '../physical/block-task.js'
import type { Transform } from '../physical/operators.js'
import type {
  BlockPool,
  BlockRunner,
  BlockTaskOptions,
  PendingBlock,
  SharedTransforms,
} from './task-runner.js'

export class ExecutionBlocks implements BlockRunner {
  readonly #runner: BlockRunner
  /** What tasks made or are to make. Removed when it is let go of, or given away. */
  readonly #held = new Map<BlockRef, PendingBlock>()

  constructor(runner: BlockRunner) {
    this.#runner = runner
  }

  share(transforms: readonly Transform[]): SharedTransforms {
    return this.#runner.share(transforms)
  }

  submit(task: BlockTask, transforms: SharedTransforms, options: BlockTaskOptions): PendingBlock {
    return this.#hold(this.#runner.submit(task, transforms, options))
  }

  submitAll(
    tasks: readonly BlockTask[],
    transforms: SharedTransforms,
    options: BlockTaskOptions,
  ): readonly PendingBlock[] {
    const made = this.#runner.submitAll(tasks, transforms, options)
    for (const pending of made) this.#hold(pending)
    return made
  }

  startPool(transforms: SharedTransforms, options: BlockTaskOptions): BlockPool {
    const pool = this.#runner.startPool(transforms, options)
    return {
      room: () => pool.room(),
      submit: (task, blocks) => this.#hold(pool.submit(task, blocks)),
      finish: () => pool.finish(),
      stop: () => pool.stop(),
    }
  }

  cancel(pending: PendingBlock): void {
    this.#runner.cancel(pending)
  }

  release(block: BlockRef): void {
    this.#held.delete(block)
    this.#runner.release(block)
  }

  /** The consumer has the block now. */
  give(block: BlockRef): void {
    this.#held.delete(block)
  }

  /** Nobody will ask for another block. */
  end(): void {
    for (const [block, pending] of this.#held) {
      if (block === pending.block) this.#runner.cancel(pending)
      this.#runner.release(block)
    }
    this.#held.clear()
  }

  #hold(pending: PendingBlock): PendingBlock {
    this.#held.set(pending.block, pending)
    for (const part of pending.parts ?? []) this.#held.set(part, pending)
    return pending
  }
}
