// What the core worker does about lost objects: puts lineage and reconstruction together.

import { nodeNumberOf, type ProcessId } from '../base/ids.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import type { CoreWorker } from './core-worker.js'
import { placeOf } from './item-ids.js'
import type { Lineage } from './lineage.js'
import { LineageTable } from './lineage-table.js'
import { Reconstructor } from './reconstructor.js'
import { ObjectRef } from './object-ref.js'
import type { RayletSender } from './reference-holder.js'
import type { SchedulingKey } from './scheduling-key.js'
import { attemptOf, type Task } from './task.js'

type LossMessage = Extract<
  FromRaylet,
  { kind: 'objectLost' | 'lineageNeeded' | 'lineageDone' | 'revived' }
>

export class Recovery {
  readonly lineage: LineageTable
  readonly #core: CoreWorker
  readonly #raylet: RayletSender
  readonly #node: number
  #reconstructor: Reconstructor | null = null

  constructor(core: CoreWorker, raylet: RayletSender) {
    this.#core = core
    const { process, references } = core
    this.#raylet = raylet
    this.#node = nodeNumberOf(process)
    this.lineage = new LineageTable({
      process,
      raylet,
      references,
      bytesMax: core.welcome.lineageBytes,
      lineOf: (task) => core.actors.lineOf(task),
    })
  }

  /** The value of a ref of ours, made by a task, is in the store of its maker's node. */
  stored(ref: ObjectRef, maker: ProcessId, task: Task | null): void {
    const { sequence } = ref
    const attempt = task === null ? 0 : attemptOf(task)
    this.lineage.stored(ref)
    // That node's own word comes over another connection, and not at all if it dies before.
    const node = nodeNumberOf(maker)
    if (node !== this.#node) this.#raylet.send({ kind: 'saidStored', sequence, node, attempt })
    this.#reconstructor?.stored(ref)
  }

  receive(message: LossMessage): void {
    if (message.kind === 'lineageNeeded') this.lineage.needed(message)
    else if (message.kind === 'revived') this.lineage.revived(message.sequence)
    else if (message.kind === 'lineageDone') this.lineage.done(message.sequence)
    else (this.#reconstructor ??= this.#start()).lost(message)
  }

  #start(): Reconstructor {
    const core = this.#core
    return new Reconstructor({
      process: core.process,
      references: core.references,
      lineage: this.lineage,
      settler: core.settler,
      awaitReady: (ref, ready) => core.objects.whenReady(ref, ready),
      submit: (task, record) => submit(core, task, record),
      unfinished: () => unfinished(core),
      heardOf: () => heardOf(core),
      newRef: () => {
        const ref = new ObjectRef(core.process, core.nextSequence())
        core.unseen.saw(ref)
        return ref
      },
      waiting: (count) => {
        core.waitingCalls += count
      },
    })
  }
}

function submit(core: CoreWorker, task: Task, record: Lineage): void {
  const { key, line } = record
  if (line !== null) core.actors.submit(task, line)
  else if (key !== null) core.submitter.submit(task, keyOf(core, record, key))
}

/**
 * A generator that waits to be read keeps its CPU, and its consumer may wait for what a second run
 * of it makes: so that has none of its own to wait for.
 */
function keyOf(core: CoreWorker, { first }: Lineage, key: SchedulingKey): SchedulingKey {
  const stream = placeOf(first)?.stream
  if (stream === undefined || !heardOf(core).has(stream)) return key
  const { CPU: _, ...resources } = key.lease.resources
  return core.submitter.key({ ...key.lease, resources })
}

/** The results of all tasks that have their arguments and are not over. */
function unfinished(core: CoreWorker): Map<number, ObjectRef> {
  const refs = new Map<number, ObjectRef>()
  for (const task of unfinishedTasks(core)) {
    for (const ref of task.returns ?? [task.ref]) refs.set(ref.sequence, ref)
  }
  return refs
}

function heardOf(core: CoreWorker): Map<number, number> {
  const heard = new Map<number, number>()
  for (const { stream } of unfinishedTasks(core)) {
    if (stream !== null) heard.set(stream.number, stream.heard)
  }
  return heard
}

function unfinishedTasks(core: CoreWorker): Task[] {
  const tasks: Task[] = []
  const add = (task: Task | null): void => {
    if (task !== null) tasks.push(task)
  }
  const addList = (head: Task | null): void => {
    for (let task = head; task !== null; task = task.next) add(task)
  }
  for (const key of core.submitter.keys) {
    addList(key.head)
    for (const task of key.requests.values()) add(task)
    for (const line of key.lines) {
      add(line.carried)
      addList(line.head)
    }
  }
  for (const line of core.actors.all) for (const call of line.calls) add(call)
  for (const task of core.settler.undecided) add(task)
  return tasks
}
