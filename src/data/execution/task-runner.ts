// The port through which datasets run tasks: on a Ray session in programs, in the same process in
// tests.

import type { Block } from '../block/block.js'
import type { BlockMetadata, BlockRef } from '../block/metadata.js'
import type { FilesDescription, FilesSource } from '../datasource/files.js'
import type { Publication } from '../datasource/folder-write.js'
import type { FolderSink, SaveMode } from '../logical/write-step.js'
import type { BlockTask } from '../physical/block-task.js'
import type { TaskResources, Transform } from '../physical/operators.js'
import type { RowOrigin } from '../physical/row-origin.js'

/** A submitted task's block: its ref is there at once, its metadata when the task is done. */
export interface PendingBlock {
  readonly block: BlockRef
  readonly metadata: Promise<BlockMetadata>
  /** Where its rows come from, if one place can be named. */
  readonly origin?: RowOrigin | undefined
  /**
   * Made for this execution, and to be released when it has been used; a block that somebody else
   * holds, of a materialized dataset, is not.
   */
  readonly isOwned?: boolean
  /** Where the task cuts its block: all parts, of which `block` is the first. */
  readonly parts?: readonly BlockRef[]
}

/** Transforms, made ready to be sent with many tasks. */
export type SharedTransforms = object

export interface BlockTaskOptions {
  readonly name: string
  readonly resources: TaskResources
  /** The block to work on, finished or not; absent where the task makes its own. */
  readonly block?: BlockRef
  /** Several blocks, of which the task has the rows of all, or which it combines. */
  readonly blocks?: readonly BlockRef[]
  /** The number of parts that the task gives, where its last transform makes parts. */
  readonly parts?: number | undefined
}

/** Actors that keep the instances of a class between blocks. */
export interface BlockPool {
  /** Resolves when an actor can take another block. */
  room(): Promise<void>
  /** A task over the rows of some blocks; of none where it makes its own. */
  submit(task: BlockTask, blocks: readonly BlockRef[]): PendingBlock
  /** No more blocks will come: ends the actors when they have done what they were given. */
  finish(): void
  /** Ends the actors, whatever they do, unless they are finishing. */
  stop(): void
}

/** What makes blocks. */
export interface BlockRunner {
  share(transforms: readonly Transform[]): SharedTransforms
  submit(task: BlockTask, transforms: SharedTransforms, options: BlockTaskOptions): PendingBlock
  /** Several small tasks with inputs as one: their blocks are done at the same time. */
  submitAll(
    tasks: readonly BlockTask[],
    transforms: SharedTransforms,
    options: BlockTaskOptions,
  ): readonly PendingBlock[]
  startPool(transforms: SharedTransforms, options: BlockTaskOptions): BlockPool
  /** Gives up on a block that nobody will read. */
  cancel(pending: PendingBlock): void
  /** Lets go of a block: its memory is free once nobody reads it. */
  release(block: BlockRef): void
}

export interface TaskRunner extends BlockRunner {
  /** CPUs of the cluster. */
  cpus(): Promise<number>
  /** Bytes that the object store of the cluster holds before it spills. */
  storeBytes(): Promise<number>
  describe(source: FilesSource): Promise<FilesDescription>
  /** Makes a folder ready for a write, unless the mode forbids it; gives the parts that it has. */
  beginWrite(name: string, sink: FolderSink, mode: SaveMode): Promise<readonly string[]>
  /** Shows the files of a write that is done. */
  publishWrite(name: string, sink: FolderSink, publication: Publication): Promise<void>
  /** Removes what a write left that failed. */
  endWrite(name: string, sink: FolderSink): Promise<void>
  get(block: BlockRef): Promise<Block>
}
