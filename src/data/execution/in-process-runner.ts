// Runs tasks in this process, without a cluster: for tests of everything above the task runner.

import { type Table, tableFromIPC, tableToIPC } from 'apache-arrow'
import type { BlockRef } from '../block/metadata.js'
import type { FilesDescription, FilesSource } from '../datasource/files.js'
import { type BlockTask, runBlockTask, runDescribeFiles } from '../physical/block-task.js'
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

  #run(
    task: BlockTask,
    transforms: Promise<readonly Transform[]>,
    options: BlockTaskOptions,
  ): PendingBlock {
    this.tasks.push(options.name)
    this.unread++
    this.unreadMax = Math.max(this.unreadMax, this.unread)
    const run = async () => {
      const input = options.block === undefined ? undefined : await this.get(options.block)
      const [block, metadata] = await runBlockTask(task, await transforms, input)
      return { bytes: tableToIPC(block), metadata }
    }
    const result = run()
    const metadata = result.then((done) => done.metadata)
    metadata.catch(() => undefined)
    return { block: result as unknown as BlockRef, metadata, isOwned: true }
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
      submit: (task, block) => {
        return this.#run(task, prepared, { ...options, ...(block && { block }) })
      },
    }
  }

  cancel(): void {
    this.cancelled++
  }

  release(): void {
    this.released++
  }

  describe(source: FilesSource): Promise<FilesDescription> {
    this.described++
    return runDescribeFiles(source)
  }

  async get(block: BlockRef): Promise<Table> {
    this.unread--
    const { bytes } = await (block as unknown as Promise<{ bytes: Uint8Array }>)
    return tableFromIPC(bytes)
  }
}
