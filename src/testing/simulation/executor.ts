// What a simulated worker does: runs the tasks of the lease that is open, one at a time, or hosts
// one actor.

import type { ObjectKey } from '../../wire/messages/terms.js'
import type { ActorSpec, FromRaylet } from '../../wire/messages/raylet.js'
import { actorName } from './checker.js'
import type { SimulatedProcess } from './process.js'
import type { SimulatedTask } from './world.js'

interface Running {
  readonly task: SimulatedTask
  readonly lease: number
  readonly owner: number
  readonly isCarried: boolean
  /** Refs that were lent with the task. */
  readonly lent: readonly ObjectKey[]
}

interface Push {
  readonly from: SimulatedProcess
  readonly lease: number
  readonly taskId: string
}

interface Hosted {
  readonly spec: ActorSpec
  readonly calls: { readonly from: SimulatedProcess; readonly call: string }[]
  isReady: boolean
  hasFailed: boolean
  isBusy: boolean
  isDraining: boolean
}

const depthMax = 3

export class Executor {
  readonly #process: SimulatedProcess
  #lease: { readonly lease: number; readonly owner: number } | undefined
  #running: Running | undefined
  #isRecalled = false
  /** Highest lease that was ever open here; a push for a later one is early. */
  #newestLease = 0
  /** Pushes that overtook the opening of their lease. */
  #early: Push[] = []
  #hosted: Hosted | undefined

  constructor(process: SimulatedProcess) {
    this.#process = process
  }

  get hosted(): ActorSpec | undefined {
    return this.#hosted?.spec
  }

  opened(message: FromRaylet & { readonly kind: 'leaseOpened' }): void {
    const { lease, owner, frames } = message
    this.#lease = { lease, owner }
    this.#newestLease = lease
    this.#isRecalled = false
    const early = this.#early.filter((push) => push.lease >= lease)
    for (const push of this.#early) if (push.lease < lease) this.#answerStale(push)
    this.#early = early.filter((push) => push.lease > lease)
    if (frames !== undefined) {
      const taskId = new TextDecoder().decode(frames)
      this.#run({ taskId, lease, owner, isCarried: true })
    }
    for (const push of early) {
      if (push.lease === lease) this.pushed(push)
    }
  }

  pushed(push: Push): void {
    if (push.lease > this.#newestLease) {
      this.#early.push(push)
      return
    }
    const isOpen = this.#lease?.lease === push.lease
    if (!isOpen || this.#running !== undefined) return this.#answerStale(push)
    const { lease, taskId } = push
    this.#run({ taskId, lease, owner: push.from.id, isCarried: false })
  }

  recalled(lease: number, ownerDied: boolean): void {
    const { world } = this.#process
    if (this.#lease?.lease !== lease) return
    if (this.#running === undefined) return this.#close()
    // Code that never yields cannot drop its task; then the raylet ends the process.
    if (ownerDied && world.prng.chance(0.5)) return this.#close()
    this.#isRecalled = true
  }

  #close(): void {
    const lease = this.#lease?.lease
    if (lease === undefined) return
    const running = this.#running
    this.#running = undefined
    if (running !== undefined) for (const key of running.lent) this.#process.refs.drop(key)
    this.#lease = undefined
    this.#process.send({ kind: 'leaseClosed', lease })
  }

  #answerStale({ from, lease, taskId }: Push): void {
    this.#process.toProcess(from.id, (owner) => owner.tasks.stale(lease, taskId))
  }

  #run(run: { taskId: string; lease: number; owner: number; isCarried: boolean }): void {
    const { world, name, refs } = this.#process
    const task = world.tasks.get(run.taskId)
    if (task === undefined) return world.checker.fail('only known tasks run', [run.taskId])
    world.trace.note(`${name} runs ${task.id}`)
    world.checker.ran(task.id)
    refs.given(task.nested)
    const running: Running = { ...run, task, lent: task.nested }
    this.#running = running
    const durationMs = world.prng.integer(0, world.prng.chance(0.1) ? 500 : 30)
    this.#later(running, durationMs, () => this.#look(running))
  }

  /** Runs `next` unless the task was dropped or the process died in the meantime. */
  #later(running: Running, ms: number, next: () => void): void {
    this.#process.world.clock.timer(ms, () => {
      if (this.#process.isAlive && this.#running === running) next()
    })
  }

  /** Reads one of its arguments, perhaps. */
  #look(running: Running): void {
    const { prng } = this.#process.world
    const key = running.lent.length > 0 && prng.chance(0.7) ? prng.pick(running.lent) : undefined
    if (key === undefined) return this.#callChildren(running)
    this.#wait(
      running,
      (go) => this.#process.refs.get(key, go),
      () => this.#callChildren(running),
    )
  }

  #callChildren(running: Running): void {
    const { prng } = this.#process.world
    const { task } = running
    if (task.depth >= depthMax || !prng.chance(0.35)) return this.#finish(running)
    const count = prng.integer(1, 3)
    const start = (done: () => void): void => {
      let left = count
      for (let i = 0; i < count; i++) {
        // A child never needs more than its parent gives back by waiting for it.
        const nested = running.lent.filter(() => prng.chance(0.5))
        const strategy = { kind: prng.chance(0.2) ? 'spread' : 'default' } as const
        const isOnce = prng.chance(0.3)
        const options = { cpus: task.cpus, depth: task.depth + 1, nested, strategy, isOnce }
        this.#process.tasks.submit(options, () => {
          if (--left === 0) done()
        })
      }
    }
    if (prng.chance(0.7)) this.#wait(running, start, () => this.#finish(running))
    else {
      start(() => {})
      this.#finish(running)
    }
  }

  /** A blocking `get`: the CPU is lent meanwhile. */
  #wait(running: Running, start: (go: () => void) => void, then: () => void): void {
    this.#process.send({ kind: 'blocked' })
    start(() => {
      if (!this.#process.isAlive || this.#running !== running) return
      this.#process.send({ kind: 'unblocked' })
      then()
    })
  }

  #finish(running: Running): void {
    const { world } = this.#process
    this.#running = undefined
    const { task, lease, owner } = running
    if (world.prng.chance(0.02)) this.#process.createActor({ resources: {}, isDetached: false })
    for (const key of running.lent) this.#dropSoon(key, world.prng.chance(0.2))
    if (running.isCarried) {
      const frames = new TextEncoder().encode(task.id)
      this.#process.send({ kind: 'relay', lease, owner, frames, done: true })
    } else {
      this.#process.toProcess(owner, (process) => process.tasks.answered(lease, task.id))
    }
    if (this.#isRecalled) this.#close()
  }

  /** The task put the ref into a variable of its module, where it stays for a while. */
  #dropSoon(key: ObjectKey, isKept: boolean): void {
    const { world, refs } = this.#process
    if (!isKept) return refs.drop(key)
    world.clock.timer(world.prng.integer(1, 2000), () => {
      if (this.#process.isAlive) refs.drop(key)
    })
  }

  startActor(spec: ActorSpec): void {
    const { world, name, node } = this.#process
    const { actor } = spec
    world.checker.hosted(actor, { process: name, node: node.nodeId })
    world.trace.note(`${name} becomes ${actorName(actor)}`)
    const hosted: Hosted = {
      spec,
      calls: [],
      isReady: false,
      hasFailed: false,
      isBusy: false,
      isDraining: false,
    }
    this.#hosted = hosted
    world.clock.timer(world.prng.integer(1, 50), () => {
      if (!this.#process.isAlive) return
      if (world.prng.chance(0.05)) {
        const error = new Uint8Array([1])
        hosted.hasFailed = true
        this.#process.send({ kind: 'actorStarted', actor, error })
        return
      }
      hosted.isReady = true
      this.#process.send({ kind: 'actorStarted', actor })
      this.#nextCall()
    })
  }

  called(from: SimulatedProcess, call: string): void {
    this.#hosted?.calls.push({ from, call })
    this.#nextCall()
  }

  exit(): void {
    const hosted = this.#hosted
    if (hosted !== undefined && !hosted.hasFailed) {
      hosted.isDraining = true
      this.#nextCall()
    } else if (this.#running === undefined) this.#process.end('exit')
  }

  #nextCall(): void {
    const { world } = this.#process
    const hosted = this.#hosted
    if (hosted === undefined || !hosted.isReady || hosted.isBusy) return
    const next = hosted.calls.shift()
    if (next === undefined) {
      if (hosted.isDraining) this.#process.end('exit')
      return
    }
    hosted.isBusy = true
    world.checker.ran(next.call)
    world.clock.timer(world.prng.integer(0, 20), () => {
      if (!this.#process.isAlive) return
      hosted.isBusy = false
      this.#process.toProcess(next.from.id, (owner) => owner.actors.answered(next.call))
      this.#nextCall()
    })
  }
}
