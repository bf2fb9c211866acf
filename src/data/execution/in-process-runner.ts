// Runs tasks in this process, without a cluster: for tests of everything above the task runner.

import type { Table } from 'apache-arrow'
import { arrowStream, tableOfStream } from '../../base/arrow-stream.js'
import { arrowOfBlocks } from '../block/arrow-library.js'
import { pieceBytes } from '../../base/pieced-bytes.js'
import type { BlockMetadata, BlockRef } from '../block/metadata.js'
import type { FilesDescription, FilesSource } from '../datasource/files.js'
import type { Publication } from '../datasource/folder-write.js'
import type { FolderSink, SaveMode } from '../logical/write-step.js'
import {
  type BlockTask,
  runBeginWrite,
  runBlockTask,
  runDescribeFiles,
  runEndWrite,
  runPartitionTask,
  runPublishWrite,
} from '../physical/block-task.js'
import type { Transform } from '../physical/operators.js'
import { prepareTransforms } from '../physical/prepare-transforms.js'
import type { BlockPool, BlockTaskOptions, PendingBlock, TaskRunner } from './task-runner.js'

/**
 * Runs tasks one after the other in this process; blocks travel as Arrow messages, as they do
 * between processes.
 */
export class InProcessRunner implements TaskRunner {
  readonly tasks: string[] = []
  cancelled = 0
  unread = 0
  unreadMax = 0
  described = 0
  released = 0

  async cpus(): Promise<number> {
    return 2
  }

  share(transforms: readonly Transform[]): object {
    return transforms
  }

  submit(task: BlockTask, transforms: object, options: BlockTaskOptions): PendingBlock {
    return this.#run(task, Promise.resolve(transforms as Transform[]), options)
  }

  submitAll(
    tasks: readonly BlockTask[],
    transforms: object,
    options: BlockTaskOptions,
  ): readonly PendingBlock[] {
    return tasks.map((task) => this.submit(task, transforms, options))
  }

  #run(
    task: BlockTask,
    transforms: Promise<readonly Transform[]>,
    options: BlockTaskOptions,
  ): PendingBlock {
    this.tasks.push(options.name)
    this.unread++
    this.unreadMax = Math.max(this.unreadMax, this.unread)
    const { parts, blocks = options.block === undefined ? [] : [options.block] } = options
    const run = async () => {
      const inputs = await Promise.all(blocks.map((block) => this.get(block)))
      const ready = await transforms
      const all =
        parts === undefined
          ? await runBlockTask(task, ready, ...inputs)
          : await runPartitionTask(task, ready, ...inputs)
      const made = all
        .slice(0, -1)
        .map((block) => pieceBytes(arrowStream(arrowOfBlocks, block as Table)))
      return { made, metadata: all.at(-1) as BlockMetadata }
    }
    const result = run()
    const metadata = result.then((done) => done.metadata)
    metadata.catch(() => undefined)
    const refs = Array.from({ length: parts ?? 1 }, (_, i) => {
      const block = result.then(({ made }) => made[i])
      block.catch(() => undefined)
      return block as unknown as BlockRef
    })
    const [block] = refs as [BlockRef]
    return { block, metadata, isOwned: true, ...(parts !== undefined && { parts: refs }) }
  }

  async storeBytes(): Promise<number> {
    return 1e9
  }

  startPool(transforms: object, options: BlockTaskOptions): BlockPool {
    const prepared = prepareTransforms(transforms as Transform[])
    prepared.catch(() => undefined)
    return {
      room: async () => undefined,
      finish: () => undefined,
      stop: () => undefined,
      submit: (task, blocks) => this.#run(task, prepared, { ...options, blocks }),
    }
  }

  cancel(): void {
    this.cancelled++
  }

  release(): void {
    this.released++
  }

  beginWrite(name: string, sink: FolderSink, mode: SaveMode): Promise<readonly string[]> {
    return runBeginWrite(name, sink, mode)
  }

  publishWrite(name: string, sink: FolderSink, publication: Publication): Promise<void> {
    return runPublishWrite(name, sink, publication)
  }

  endWrite(name: string, sink: FolderSink): Promise<void> {
    return runEndWrite(name, sink)
  }

  describe(source: FilesSource): Promise<FilesDescription> {
    this.described++
    return runDescribeFiles(source)
  }

  async get(block: BlockRef): Promise<Table> {
    this.unread--
    return tableOfStream(arrowOfBlocks, await (block as unknown as Promise<Uint8Array>))
  }
}
