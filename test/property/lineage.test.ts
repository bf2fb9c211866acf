// Objects are lost at any moment, and whoever asks for one gets it in the end.
//
// The raylet's table and the owner's half are the real ones; between them are sockets that deliver
// when they like, and workers that are as simple as can be: each runs one task, asks for the
// arguments that its frame names, stores the results and answers, or dies before, in the middle or
// after. A node may die, with what its processes have told its raylet and nobody else. The program
// submits, asks, lends to a borrower, frees arguments and drops refs. Tasks may run as often as
// they like, so nothing may fail, nothing may hang, and nothing may be left.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nodeNumberOf, workerProcess } from '../../src/base/ids.js'
import { objectPlaceholderMs } from '../../src/base/limits.js'
import { writeU32, writeU48 } from '../../src/base/bytes.js'
import { type ObjectEffect, type ObjectEvent, ObjectTable } from '../../src/raylet/object-table.js'
import { packMessage, unpackMessage } from '../../src/wire/control-channel.js'
import { bodyTag, frameType, pushFlag, pushHeadBytes, writePushHead } from '../../src/wire/frame.js'
import type { FromRaylet, ToRaylet } from '../../src/wire/messages/raylet.js'
import type { ObjectKey } from '../../src/wire/messages/terms.js'
import { LineageTable } from '../../src/worker/lineage-table.js'
import { ObjectRef, refState } from '../../src/worker/object-ref.js'
import { Reconstructor } from '../../src/worker/reconstructor.js'
import { ReferenceHolder } from '../../src/worker/reference-holder.js'
import { SchedulingKey } from '../../src/worker/scheduling-key.js'
import { attemptOf, Task, taskStatus } from '../../src/worker/task.js'
import { type OutcomePorts, TaskSettler } from '../../src/worker/task-outcomes.js'

const owner = 1
const borrower = 2

// prettier-ignore
const verbs = [
  'submit', 'submit', 'crash', 'lose', 'lose', 'drop', 'drop', 'ask', 'ask', 'lend', 'giveBack',
  'askOther', 'killNode', ...Array.from({ length: 20 }, () => 'go' as const),
] as const

interface Step {
  readonly verb: (typeof verbs)[number]
  readonly pick: number
  readonly count: number
}

/** One attempt at a task, in a process of its own. */
interface Run {
  readonly process: number
  readonly task: Task
  readonly attempt: number
  /** Arguments that have not come. */
  missing: number
  sealed: number
}

const fn = { number: 1, name: 'f', hash: '', define: null, averageUs: 0, measured: 0 }
const key = new SchedulingKey({ resources: {}, strategy: { kind: 'default' }, environment: '' }, 1)
const exit = { pid: 1, exitCode: 1, signal: null, stderr: [], reason: 'crash', started: 1 } as const

class World {
  readonly table = new ObjectTable()
  /** What is on its way to the raylet, by sender, and from it, by receiver. */
  readonly #toRaylet = new Map<number, ObjectEvent[]>()
  readonly #fromRaylet = new Map<number, (() => void)[]>()
  readonly #references: ReferenceHolder
  readonly #lineage: LineageTable
  readonly #settler: TaskSettler
  readonly #reconstructor: Reconstructor
  readonly #waiting = new Map<string, (() => void)[]>()
  readonly #queue: Task[] = []
  readonly #unsent = new Set<Task>()
  readonly #rebuilds: Task[] = []
  readonly #runs: Run[] = []
  #refs: ObjectRef[] = []
  readonly #lent: ObjectKey[] = []
  /** Refs that were made for a rebuild; released at the end, instead of when they are collected. */
  readonly #adopted: ObjectRef[] = []
  #sequence = 0
  #processes = 0
  /** Numbers of the two nodes beside that of the owner; a dead one is replaced by another. */
  readonly #nodes = [1, 2]
  #asked = 0
  #answered = 0

  constructor() {
    const raylet = {
      send: (message: ToRaylet) => this.#say(owner, { ...message, from: owner } as ObjectEvent),
      flush: () => undefined,
    }
    const references = new ReferenceHolder(owner, raylet)
    references.bodyOf = () => assert.fail('nothing fails') as never
    const adopt = references.adopt.bind(references)
    references.adopt = (ref, hold) => {
      this.#adopted.push(ref)
      return adopt(ref, hold)
    }
    const lineage = new LineageTable({
      process: owner,
      raylet,
      references,
      lineOf: () => undefined,
      bytesMax: Infinity,
    })
    const runs = lineage.runs.bind(lineage)
    lineage.runs = (task, record) => {
      this.#rebuilds.push(task)
      runs(task, record)
    }
    const queue = (task: Task): void => void this.#queue.push(task)
    const settler = new TaskSettler({
      references,
      resubmit: (task: Task) => {
        task.slab![task.start + 6]!++
        queue(task)
      },
      stored: (ref: ObjectRef, maker: number, by: Task | null) => {
        const [node, attempt] = [nodeNumberOf(maker), by === null ? 0 : attemptOf(by)]
        lineage.stored(ref)
        const said = { kind: 'saidStored', sequence: ref.sequence, node, attempt } as const
        if (node !== 0) raylet.send(said)
        this.#reconstructor.stored(ref)
      },
    } as unknown as OutcomePorts)
    this.#reconstructor = new Reconstructor({
      process: owner,
      references,
      lineage,
      settler,
      awaitReady: (ref, ready) => {
        this.#listen(ref, () => ready())
        this.#say(owner, { kind: 'awaitObjects', from: owner, objects: [keyOf(ref)] })
      },
      submit: queue,
      unfinished: () => new Map([...this.#unsent].flatMap((task) => refsOf(task).map(entryOf))),
      heardOf: () => new Map(),
      newRef: () => assert.fail('there are no generators'),
      waiting: () => undefined,
    })
    this.#references = references
    this.#lineage = lineage
    this.#settler = settler
  }

  step({ verb, pick, count }: Step): void {
    const ref = this.#refs[pick % Math.max(1, this.#refs.length)]
    const run = this.#runs[pick % Math.max(1, this.#runs.length)]
    if (verb === 'submit') this.#submit(pick, count)
    else if (verb === 'go') this.#go(pick)
    else if (verb === 'lose') this.#lose(pick, count)
    else if (verb === 'askOther') this.#askOther(pick)
    else if (verb === 'giveBack') this.#giveBack(pick)
    else if (verb === 'killNode') this.#killNode(pick)
    else if (run !== undefined && verb === 'crash') this.#crash(run)
    else if (ref !== undefined && verb === 'drop') this.#drop(ref)
    else if (ref?.state === refState.stored && verb === 'ask') this.#ask(owner, keyOf(ref))
    else if (ref?.state === refState.stored && verb === 'lend') this.#lend(ref)
    this.#references.flush()
  }

  /** One thing that is under way gets on. */
  #go(pick: number): void {
    const open = [
      () => void this.#deliver(this.#toRaylet, pick >> 3),
      () => this.#fromRaylet.get(owner)?.shift()?.(),
      () => void this.#toWorker(pick >> 3),
      () => this.#start(),
      ...this.#runs.map((run) => () => (this.#seal(run) ? undefined : this.#answer(run))),
    ]
    open[pick % open.length]?.()
  }

  #submit(pick: number, count: number): void {
    const stored = this.#refs.filter(({ state }) => state === refState.stored)
    const args = count === 0 ? [] : stored.slice(pick % (stored.length + 1)).slice(0, count)
    const refs = Array.from(
      { length: 1 + (pick % 2) },
      () => new ObjectRef(owner, ++this.#sequence),
    )
    const task = new Task(refs[0]!, fn)
    if (refs.length > 1) task.returns = refs
    for (const ref of refs) ref.task = task
    task.key = key
    task.retriesLeft = -1
    task.pins = args
    task.slab = frameOf(task, args)
    task.end = task.slab.length
    this.#references.escape(args, () => undefined)
    this.#refs.push(...refs)
    this.#queue.push(task)
    this.#unsent.add(task)
  }

  #start(): void {
    const task = this.#queue.shift()
    if (task === undefined || task.status === taskStatus.finished) return
    task.status = taskStatus.inFlight
    const objects = slotsOf(task)
    const process = workerProcess(this.#nodes[++this.#processes % 3] ?? 0, 100 + this.#processes)
    const run = { process, task, attempt: attemptOf(task), missing: objects.length, sealed: 0 }
    this.#runs.push(run)
    if (objects.length > 0) this.#say(process, { kind: 'getObjects', from: process, objects })
  }

  #seal(run: Run): boolean {
    const sequence = sequencesOf(run.task)[run.sealed]
    if (run.missing > 0 || sequence === undefined) return false
    run.sealed++
    const { process, attempt } = run
    const node = nodeNumberOf(process)
    this.#say(process, { kind: 'seal', object: [owner, sequence], from: process, attempt, node })
    return true
  }

  #answer(run: Run): void {
    const count = sequencesOf(run.task).length
    if (run.missing > 0 || run.sealed < count) return
    this.#runs.splice(this.#runs.indexOf(run), 1)
    this.#unsent.delete(run.task)
    const stored = storedBody(run.process)
    this.#settler.answered(run.task, count === 1 ? stored : bothOf(stored))
  }

  /** What its processes had said is lost unless it has come. What is running there is so too. */
  #killNode(pick: number): void {
    const node = this.#nodes[pick % 2]!
    this.#nodes[pick % 2] = Math.max(...this.#nodes) + 1
    for (const process of this.#toRaylet.keys()) {
      if (nodeNumberOf(process) === node) this.#toRaylet.delete(process)
    }
    this.#handle({ kind: 'nodeDied', node })
    this.#tell(owner, () => this.#nodeDied(node, pick))
  }

  #nodeDied(node: number, pick: number): void {
    const there = this.#runs.filter(({ process }) => nodeNumberOf(process) === node)
    for (const run of there) {
      // An answer that was on its way may be read before the end of the connection is.
      if (pick % 3 === 0) this.#answer(run)
      if (!this.#runs.includes(run)) continue
      this.#runs.splice(this.#runs.indexOf(run), 1)
      this.#settler.workerLost(run.task, exit as never)
    }
  }

  #crash(run: Run): void {
    this.#runs.splice(this.#runs.indexOf(run), 1)
    // The raylet reads what a process said before it tells of its end.
    this.#say(run.process, { kind: 'processDied', process: run.process })
    for (const event of this.#toRaylet.get(run.process) ?? []) this.#handle(event)
    this.#toRaylet.delete(run.process)
    this.#settler.workerLost(run.task, exit as never)
  }

  #lose(pick: number, count: number): void {
    const stored = this.table.entries().filter(({ isStored }) => isStored)
    const objects = stored.slice(pick % (stored.length + 1)).slice(0, count + 1)
    this.#handle({ kind: 'copiesLost', objects: objects.map((entry) => entry.key), reason: 'so' })
  }

  #drop(ref: ObjectRef): void {
    // What a task needs that is not over is not collected.
    const isPinned = [...this.#unsent, ...this.#rebuilds].some(
      (task) =>
        task.status !== taskStatus.finished &&
        (task.pins?.includes(ref) === true || refsOf(task).includes(ref)),
    )
    // A ref is collected long after the value of a second attempt is there: see lineage.md.
    const isOnItsWay = [...this.#toRaylet.values()].some((queue) =>
      queue.some((event) => event.kind === 'seal' && event.object[1] === ref.sequence),
    )
    if (ref.state !== refState.stored || isPinned || isOnItsWay) return
    this.#refs = this.#refs.filter((each) => each !== ref)
    this.#references.release(ref)
  }

  #lend(ref: ObjectRef): void {
    this.#references.escape([ref], () => undefined)
    this.#references.lend(borrower, [ref])
    this.#lent.push(keyOf(ref))
  }

  #askOther(pick: number): void {
    const object = this.#lent[pick % Math.max(1, this.#lent.length)]
    if (object !== undefined) this.#ask(borrower, object)
  }

  #giveBack(pick: number): void {
    const [object] = this.#lent.splice(pick % Math.max(1, this.#lent.length), 1)
    if (object === undefined) return
    this.#say(borrower, { kind: 'release', from: borrower, objects: [...object] })
  }

  #ask(from: number, object: ObjectKey): void {
    this.#asked++
    if (from === owner) this.#listen(new ObjectRef(...object), () => this.#answered++)
    this.#say(from, { kind: 'getObjects', from, objects: [object] })
  }

  #listen({ sequence }: ObjectRef, heard: () => void): void {
    const id = String(sequence)
    this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), heard])
  }

  #say(from: number, event: ObjectEvent): void {
    this.#toRaylet.set(from, [...(this.#toRaylet.get(from) ?? []), event])
  }

  #deliver(queues: Map<number, ObjectEvent[]>, pick: number): boolean {
    const open = [...queues.values()].filter((queue) => queue.length > 0)
    const event = open[pick % Math.max(1, open.length)]?.shift()
    if (event !== undefined) this.#handle(event)
    return event !== undefined
  }

  #toWorker(pick: number): boolean {
    const open = [...this.#fromRaylet].filter(([to, queue]) => to !== owner && queue.length > 0)
    const heard = open[pick % Math.max(1, open.length)]?.[1].shift()
    heard?.()
    return heard !== undefined
  }

  #handle(event: ObjectEvent): void {
    for (const effect of this.table.handle(event, 0)) this.#take(effect)
    this.table.validate()
  }

  #take(effect: ObjectEffect): void {
    if (effect.kind !== 'send' && effect.kind !== 'sendStored') return
    const { to } = effect
    const message: FromRaylet =
      effect.kind === 'send' ? effect.message : { kind: 'ready', object: effect.object }
    this.#tell(to, () => this.#heard(to, message))
  }

  #tell(to: number, heard: () => void): void {
    const queue = this.#fromRaylet.get(to) ?? []
    queue.push(heard)
    this.#fromRaylet.set(to, queue)
  }

  #heard(to: number, message: FromRaylet): void {
    if (message.kind === 'objectLost') this.#reconstructor.lost(message)
    else if (message.kind === 'lineageNeeded') this.#lineage.needed(message)
    else if (message.kind === 'lineageDone') this.#lineage.done(message.sequence)
    else if (message.kind === 'revived') this.#lineage.revived(message.sequence)
    else if (message.kind === 'ready') {
      assert.equal(message.error, undefined)
      const run = this.#runs.find(({ process }) => process === to)
      if (run !== undefined) run.missing--
      if (to === borrower) this.#answered++
      if (to === owner) this.#waiting.get(String(message.object[1]))?.shift()?.()
    }
  }

  /** Nothing more is lost: everything that was asked for comes, and then everything goes. */
  async end(): Promise<void> {
    await this.#settle()
    assert.equal(this.#answered, this.#asked, 'who asks gets an answer')
    for (const ref of this.#refs) assert.equal(ref.state, refState.stored)
    for (const ref of [...this.#refs]) this.#ask(owner, keyOf(ref))
    await this.#settle()
    assert.equal(this.#answered, this.#asked, 'what is held can be had')
    while (this.#lent.length > 0) this.#giveBack(0)
    for (const ref of [...this.#refs]) this.#drop(ref)
    for (const ref of this.#adopted) this.#references.release(ref)
    await this.#settle()
    this.table.handle({ kind: 'free', objects: [] }, 2 * objectPlaceholderMs)
    assert.equal(this.table.size, 0, 'nothing is left when nobody holds anything')
  }

  async #settle(): Promise<void> {
    for (let isOpen = true, rounds = 0; isOpen; rounds++) {
      assert.ok(rounds < 10_000, 'it comes to an end')
      await Promise.resolve()
      isOpen = this.#deliver(this.#toRaylet, 0) || this.#toWorker(0)
      const heard = this.#fromRaylet.get(owner)?.shift()
      heard?.()
      isOpen ||= heard !== undefined || this.#queue.length > 0
      this.#start()
      for (const run of [...this.#runs]) {
        if (run.missing > 0) continue
        isOpen = true
        this.#seal(run)
        this.#answer(run)
      }
    }
  }
}

function frameOf(task: Task, args: readonly ObjectRef[]): Uint8Array {
  const slots = packMessage(args.map((ref) => keyOf(ref)))
  const frame = new Uint8Array(pushHeadBytes + 4 + slots.length)
  const { sequence } = task.ref
  const flags = pushFlag.full
  writePushHead(frame, 0, { type: frameType.push, flags, attempt: 0, returns: 1, sequence, fn: 1 })
  writeU32(frame, pushHeadBytes, slots.length)
  frame.set(slots, pushHeadBytes + 4)
  return frame
}

const slotsOf = ({ slab }: Task): ObjectKey[] =>
  unpackMessage(slab!.subarray(pushHeadBytes + 4)) as ObjectKey[]
const keyOf = ({ owner, sequence }: ObjectRef): ObjectKey => [owner, sequence]
const refsOf = (task: Task): readonly ObjectRef[] => task.returns ?? [task.ref]
const sequencesOf = (task: Task): number[] => refsOf(task).map(({ sequence }) => sequence)
const entryOf = (ref: ObjectRef): [number, ObjectRef] => [ref.sequence, ref]
function storedBody(maker: number): Uint8Array {
  const body = new Uint8Array(13)
  body[0] = bodyTag.stored
  writeU48(body, 7, maker)
  return body
}

function bothOf(body: Uint8Array): Uint8Array {
  const part = [body.length, 0, 0, 0, ...body]
  return Uint8Array.from([bodyTag.several, 2, 0, 0, 0, ...part, ...part])
}

const step = fc.record({
  verb: fc.constantFrom(...verbs),
  pick: fc.nat(1000),
  count: fc.nat(2),
})

const seed = Number(process.env['SEED'] ?? Date.now() % 0x7fff_ffff)
const numRuns = Number(process.env['RUNS'] ?? 200)

test('whatever is lost when, who asks for an object gets it', async (t) => {
  t.diagnostic(`seed ${seed}; repeat with SEED=${seed}, more with RUNS=100000`)
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 400, size: 'max' }),
      async (steps) => {
        const world = new World()
        for (const each of steps) {
          world.step(each)
          await Promise.resolve()
        }
        await world.end()
      },
    ),
    { seed, numRuns, includeErrorInReport: true },
  )
})
