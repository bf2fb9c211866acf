// What an actor of a pool runs: block tasks, with the instances of the user's classes kept between
// them.

import type { Block } from '../block/block.js'
import type { BlockMetadata } from '../block/metadata.js'
import { type BlockTask, runBlockTask } from './block-task.js'
import type { Transform } from './operators.js'
import { prepareTransforms } from './prepare-transforms.js'

export class BlockActor {
  readonly #transforms: Promise<readonly Transform[]>

  constructor(transforms: readonly Transform[]) {
    this.#transforms = prepareTransforms(transforms)
    // Whoever calls `run` meets the failure.
    this.#transforms.catch(() => undefined)
  }

  async run(task: BlockTask, ...blocks: readonly Block[]): Promise<[Block, BlockMetadata]> {
    return runBlockTask(task, await this.#transforms, ...blocks)
  }
}
