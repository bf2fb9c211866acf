// A pool of actors on the Ray session of this process.
//
// It starts with the least number of actors and adds one whenever all of them are busy. Blocks go
// to the actor that has the fewest, and only to actors that have started: one that the cluster has
// no room for stalls nothing. Two blocks per actor are under way, so that the next one is there
// when it has finished the last.

import * as ray from '../../ray/index.js'
import type { BlockMetadata, BlockRef } from '../block/metadata.js'
import { BlockActor } from '../physical/block-actor.js'
import type { BlockTask } from '../physical/block-task.js'
import type { TaskResources, Transform } from '../physical/operators.js'
import { retriesMax, taskOptionsOf, unwrapped } from './ray-task-options.js'
import type { BlockPool, BlockTaskOptions, PendingBlock } from './task-runner.js'

const actorClass = ray.remote(BlockActor)

/** Blocks that an actor has at once: one that it works on, and the next. */
const blocksPerActor = 2

type RunMethod = ray.RemoteMethod<Parameters<BlockActor['run']>, ReturnType<BlockActor['run']>, 2>

interface Member {
  readonly actor: ray.ActorHandle<BlockActor>
  readonly run: RunMethod
  isStarted: boolean
  blocks: number
}

export class RayBlockPool implements BlockPool {
  readonly #transforms: ray.ObjectRef<Transform[]>
  readonly #name: string
  readonly #resources: TaskResources
  readonly #sizeMax: number
  /** Added when the pool starts or grows; emptied by `stop`. */
  readonly #members: Member[] = []
  /** Who waits for room. Emptied each time an actor starts or finishes a block. */
  #waiting: (() => void)[] = []
  #isFinishing = false

  constructor(transforms: ray.ObjectRef<Transform[]>, options: BlockTaskOptions) {
    const { min, max } = options.resources.pool ?? { min: 1, max: 1 }
    this.#transforms = transforms
    this.#name = options.name
    this.#resources = options.resources
    this.#sizeMax = max
    for (let i = 0; i < min; i++) this.#grow()
  }

  async room(): Promise<void> {
    while (this.#free() === undefined) {
      if (this.#members.length < this.#sizeMax) this.#grow()
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  submit(task: BlockTask, blocks: readonly BlockRef[]): PendingBlock {
    const member = this.#free()
    if (member === undefined) throw new ray.RayError('The pool has no room: call room() first.')
    const [made, returned] = member.run.remote(task, ...blocks)
    member.blocks++
    const described = ray.get(returned) as Promise<BlockMetadata>
    const metadata = unwrapped(described, { name: this.#name, tasks: [task] })
    const end = (): void => {
      member.blocks--
      this.#changed()
    }
    metadata.then(end, end)
    return { block: made as BlockRef, metadata, isOwned: true }
  }

  finish(): void {
    this.#isFinishing = true
    this.#endIdle()
  }

  stop(): void {
    if (this.#isFinishing) return
    for (const { actor } of this.#members.splice(0)) ray.kill(actor)
  }

  /** Ends the actors that have nothing to do, once no more will come. */
  #endIdle(): void {
    if (!this.#isFinishing) return
    for (const { actor, blocks } of this.#members) if (blocks === 0) ray.kill(actor)
    const busy = this.#members.filter(({ blocks }) => blocks > 0)
    this.#members.splice(0, this.#members.length, ...busy)
  }

  #free(): Member | undefined {
    let best: Member | undefined
    for (const member of this.#members) {
      if (!member.isStarted || member.blocks >= blocksPerActor) continue
      if (best === undefined || member.blocks < best.blocks) best = member
    }
    return best
  }

  #grow(): void {
    const actor = actorClass
      .options({
        ...taskOptionsOf(this.#resources),
        maxRestarts: -1,
        maxTaskRetries: retriesMax,
      })
      .remote(this.#transforms)
    const run = actor.run.options({ name: this.#name, numReturns: 2 })
    const member: Member = { actor, run, isStarted: false, blocks: 0 }
    this.#members.push(member)
    const started = (): void => {
      member.isStarted = true
      this.#changed()
    }
    // An actor that did not start says why when it is given a block.
    ray.get(actor.__ray_ready__.remote()).then(started, started)
  }

  #changed(): void {
    this.#endIdle()
    const woken = this.#waiting
    this.#waiting = []
    for (const wake of woken) wake()
  }
}
