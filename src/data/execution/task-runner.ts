// The port through which datasets run tasks: on a Ray session in programs, in the same process in
// tests.

import type { Block } from '../block/block.js'
import type { BlockMetadata, BlockRef } from '../block/metadata.js'
import type { FilesDescription, FilesSource } from '../datasource/files.js'
import type { BlockTask } from '../physical/block-task.js'
import type { TaskResources, Transform } from '../physical/operators.js'

/** A submitted task's block: its ref is there at once, its metadata when the task is done. */
export interface PendingBlock {
  readonly block: BlockRef
  readonly metadata: Promise<BlockMetadata>
}

/** Transforms, made ready to be sent with many tasks. */
export type SharedTransforms = object

export interface BlockTaskOptions {
  readonly name: string
  readonly resources: TaskResources
  /** The block to work on, finished or not; absent where the task makes its own. */
  readonly block?: BlockRef
}

export interface TaskRunner {
  /** CPUs of the cluster. */
  cpus(): Promise<number>
  share(transforms: readonly Transform[]): SharedTransforms
  submit(task: BlockTask, transforms: SharedTransforms, options: BlockTaskOptions): PendingBlock
  /** Gives up on a block that nobody will read. */
  cancel(pending: PendingBlock): void
  describe(source: FilesSource): Promise<FilesDescription>
  get(block: BlockRef): Promise<Block>
}
