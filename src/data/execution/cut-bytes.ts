// Which parts of blocks go to the object store.
//
// An exchange of few small blocks has parts that travel in messages, and wait with the program for
// the tasks that combine them. Of many blocks, small parts would be the whole dataset in the memory
// of the program: beyond a bound they are stored, where they can be spilled.

import { dataHeldBytesMax } from '../../base/limits.js'
import type { BlockTask } from '../physical/block-task.js'
import type { PendingBlock } from './task-runner.js'

export class CutBytes {
  #bytes = 0

  /** The next task, told where its parts go. */
  next(task: BlockTask): BlockTask {
    return this.#bytes > dataHeldBytesMax ? { ...task, storesParts: true } : task
  }

  /** Counts what a task has cut. */
  add({ metadata }: PendingBlock): void {
    metadata.then(
      ({ bytes }) => {
        this.#bytes += bytes
      },
      // Whoever reads the block meets the failure.
      () => undefined,
    )
  }
}
