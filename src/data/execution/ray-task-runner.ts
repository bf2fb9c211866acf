// Runs block tasks on the Ray session of this process. A task returns its block and its metadata
// separately: the block stays in the object store of the node that made it, and only the metadata
// comes to the driver.

import { assert } from '../../base/assert.js'
import * as ray from '../../ray/index.js'
import type { Block } from '../block/block.js'
import type { BlockMetadata, BlockRef } from '../block/metadata.js'
import { DataContext } from '../data-context.js'
import type { FilesDescription, FilesSource } from '../datasource/files.js'
import type { Publication } from '../datasource/folder-write.js'
import type { FolderSink, SaveMode } from '../logical/write-step.js'
import {
  type BlockTask,
  runBeginWrite,
  runBlockTask,
  runBlockTasks,
  runDescribeFiles,
  runEndWrite,
  runLoadReader,
  runPartitionTask,
  runPublishWrite,
} from '../physical/block-task.js'
import type { Transform } from '../physical/operators.js'
import { RayBlockPool } from './ray-block-pool.js'
import { retriesMax, taskOptionsOf, unwrapped } from './ray-task-options.js'
import type {
  BlockPool,
  BlockTaskOptions,
  PendingBlock,
  SharedTransforms,
  TaskRunner,
} from './task-runner.js'

const blockTask = ray.remote(runBlockTask)
const partitionTask = ray.remote(runPartitionTask)
const severalTask = ray.remote(runBlockTasks)
type BlockFunction = typeof partitionTask
type SeveralFunction = typeof severalTask

const describeTask = ray.remote(runDescribeFiles)
const loadTask = ray.remote(runLoadReader)
const beginTask = ray.remote(runBeginWrite)
const publishTask = ray.remote(runPublishWrite)
const endTask = ray.remote(runEndWrite)

/** Workers that load what reads images while another one looks at the files. */
const loadersMax = 3

export class RayTaskRunner implements TaskRunner {
  /**
   * Blocks whose task has not ended: only these can be cancelled. Removed when the task ends,
   * however it does.
   */
  readonly #unfinished = new Set<BlockRef>()

  /**
   * The function with the options of each operator: kept, because the core learns of each function
   * how long its tasks take.
   */
  readonly #functions = new WeakMap<SharedTransforms, BlockFunction>()

  /** The same for several tasks as one, by their number. */
  readonly #several = new WeakMap<SharedTransforms, Map<number, SeveralFunction>>()

  /** Whether tasks can run on several nodes, when that was last asked. */
  #hasNodes = false

  /**
   * CPUs when that was last asked: before anything is read, and not where rows are only counted.
   */
  #cpus: Promise<number> | undefined

  /** Whether a reader was loaded ahead: that is worth it for new workers only. */
  #hasLoaded = false

  cpus(): Promise<number> {
    this.#cpus = this.#askCpus()
    return this.#cpus
  }

  async #askCpus(): Promise<number> {
    const [{ CPU = 1 }, nodes] = await Promise.all([ray.clusterResources(), ray.nodes()])
    this.#hasNodes = nodes.filter((node) => node.alive).length > 1
    return Math.max(1, Math.floor(CPU))
  }

  async storeBytes(): Promise<number> {
    const { objectStoreMemory = 0 } = await ray.clusterResources()
    return objectStoreMemory
  }

  share(transforms: readonly Transform[]): SharedTransforms {
    return ray.put(transforms)
  }

  submit(task: BlockTask, transforms: SharedTransforms, options: BlockTaskOptions): PendingBlock {
    const { block, parts } = options
    const blocks = options.blocks ?? (block === undefined ? [] : [block])
    const shared = transforms as ray.ObjectRef<Transform[]>
    const returned = this.#functionFor(transforms, options).remote(
      task,
      shared,
      ...blocks,
    ) as unknown as readonly BlockRef[]
    const [made] = returned as [BlockRef]
    const described = returned.at(-1) as unknown as ray.ObjectRef<BlockMetadata>
    const { name } = options
    const metadata = unwrapped(ray.get(described), { name, tasks: [task], block: made })
    this.#track(made, metadata)
    const all = parts === undefined ? {} : { parts: returned.slice(0, parts) }
    return { block: made, metadata, isOwned: true, ...all }
  }

  submitAll(
    tasks: readonly BlockTask[],
    transforms: SharedTransforms,
    options: BlockTaskOptions,
  ): readonly PendingBlock[] {
    const run = this.#severalFor(transforms, options, tasks.length)
    const shared = transforms as ray.ObjectRef<Transform[]>
    const returned = run.remote(tasks, shared) as unknown as readonly BlockRef[]
    const described = returned.at(-1) as unknown as ray.ObjectRef<readonly BlockMetadata[]>
    const { name } = options
    const all = unwrapped(ray.get(described), { name, tasks, block: returned[0] })
    return tasks.map((_, i) => {
      const block = returned[i]
      assert(block !== undefined, 'a task returns a block per input')
      const metadata = all.then((each) => {
        const about = each[i]
        assert(about !== undefined, 'a task describes a block per input')
        return about
      })
      this.#track(block, metadata)
      return { block, metadata, isOwned: true }
    })
  }

  #track(block: BlockRef, metadata: Promise<BlockMetadata>): void {
    this.#unfinished.add(block)
    const end = (): void => void this.#unfinished.delete(block)
    // A block that nobody reads may fail unnoticed.
    metadata.then(end, end)
  }

  #severalFor(
    transforms: SharedTransforms,
    { name, resources }: BlockTaskOptions,
    count: number,
  ): SeveralFunction {
    const byCount = this.#several.get(transforms) ?? new Map<number, SeveralFunction>()
    this.#several.set(transforms, byCount)
    const numReturns = count + 1
    const placed = { ...this.#spread(), ...taskOptionsOf(resources) }
    const options = { name, numReturns, maxRetries: retriesMax, ...placed }
    const run = byCount.get(count) ?? (severalTask.options(options) as unknown as SeveralFunction)
    byCount.set(count, run)
    return run
  }

  /** Of one operator all tasks have the same options. */
  #functionFor(transforms: SharedTransforms, options: BlockTaskOptions): BlockFunction {
    const known = this.#functions.get(transforms)
    if (known !== undefined) return known
    const { name, resources, parts } = options
    const remote = parts === undefined ? blockTask : partitionTask
    const { block, blocks } = options
    const isRead = block === undefined && blocks === undefined
    const run = (remote as BlockFunction).options({
      name,
      numReturns: (parts ?? 1) + 1,
      maxRetries: retriesMax,
      ...(isRead && this.#spread()),
      ...taskOptionsOf(resources),
    }) as unknown as BlockFunction
    this.#functions.set(transforms, run)
    return run
  }

  /** Tasks with blocks run where these are; those without would fill one node after the other. */
  #spread(): Pick<ray.TaskOptions, 'schedulingStrategy'> {
    const { schedulingStrategy } = DataContext.getCurrent()
    return this.#hasNodes ? { schedulingStrategy } : {}
  }

  startPool(transforms: SharedTransforms, options: BlockTaskOptions): BlockPool {
    return new RayBlockPool(transforms as ray.ObjectRef<Transform[]>, options)
  }

  cancel(pending: PendingBlock): void {
    if (!this.#unfinished.has(pending.block)) return
    ray.cancel(pending.block)
  }

  release(block: BlockRef): void {
    block[Symbol.dispose]()
  }

  describe(source: FilesSource): Promise<FilesDescription> {
    const described = unwrapped(ray.get(describeTask.remote(source)))
    // Whoever asked for the CPUs hears of it when they are not known.
    this.#cpus?.then((cpus) => this.#loadMeanwhile(source, cpus)).catch(() => undefined)
    return described
  }

  /**
   * One worker looks at the files while others have nothing to do. Those that will read load
   * meanwhile what they need for it: 200 ms of a CPU.
   */
  #loadMeanwhile({ format }: FilesSource, cpus: number): void {
    // What the engine reads may well be one query, which needs no second worker.
    if (format.kind !== 'image' || cpus === 1 || this.#hasLoaded) return
    this.#hasLoaded = true
    for (let i = 1; i < Math.min(cpus, 1 + loadersMax); i++) {
      // A library that is not there is missed by whoever reads.
      ray.get(loadTask.remote(format)).catch(() => undefined)
    }
  }

  beginWrite(name: string, sink: FolderSink, mode: SaveMode): Promise<readonly string[]> {
    return unwrapped(ray.get(beginTask.remote(name, sink, mode)))
  }

  publishWrite(name: string, sink: FolderSink, publication: Publication): Promise<void> {
    return unwrapped(ray.get(publishTask.remote(name, sink, publication)))
  }

  endWrite(name: string, sink: FolderSink): Promise<void> {
    return unwrapped(ray.get(endTask.remote(name, sink)))
  }

  get(block: BlockRef): Promise<Block> {
    return unwrapped(ray.get(block))
  }
}
