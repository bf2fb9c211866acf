// How a simulated process gets its tasks run: the owner's side of leases, in its simplest form.
//
// A request may carry its task; else the task waits here for any lease of its kind. A lease in hand
// is used for one task after the other, and returned when there are none, unless the owner is one
// that computes and forgets it.

import { nodeOfLease } from '../../base/ids.js'
import type {
  ObjectKey,
  ProcessExit,
  SchedulingStrategy,
  WireError,
} from '../../wire/messages/terms.js'
import type { FromRaylet } from '../../wire/messages/raylet.js'
import type { SimulatedProcess } from './process.js'
import { processName, processText, type SimulatedTask } from './world.js'

export interface TaskOptions {
  readonly cpus: number
  readonly depth: number
  readonly nested: readonly ObjectKey[]
  readonly strategy: SchedulingStrategy
  readonly isOnce: boolean
}

interface OwnedTask {
  readonly task: SimulatedTask
  /** Tasks of one kind may use each other's leases. */
  readonly kind: string
  retriesLeft: number
  readonly done: () => void
}

interface HeldLease {
  readonly lease: number
  readonly worker: number
  readonly kind: string
  running: OwnedTask | undefined
  /** The running task came with the lease, and its answer comes through the raylet. */
  isCarried: boolean
}

interface Request {
  readonly kind: string
  readonly carried: OwnedTask | undefined
}

export class TaskOwner {
  readonly #process: SimulatedProcess
  readonly #requests = new Map<number, Request>()
  readonly #leases = new Map<number, HeldLease>()
  /** Tasks without a worker that no request carries, by kind. */
  readonly #waiting = new Map<string, OwnedTask[]>()
  /** Leases that are over, with a task that was pushed to their worker and has no answer yet. */
  readonly #loose = new Map<number, HeldLease>()
  #requestCount = 0
  #taskCount = 0
  #open = 0

  constructor(process: SimulatedProcess) {
    this.#process = process
  }

  /** Tasks that have no outcome. */
  get open(): number {
    return this.#open
  }

  submit(options: TaskOptions, done: () => void): void {
    const { world, id, name } = this.#process
    const task = { ...options, id: `t${processText(id)}.${++this.#taskCount}`, owner: id }
    const { cpus, strategy, isOnce } = options
    world.tasks.set(task.id, task)
    world.checker.submitted(task.id, { owner: id, isOnce, errors: errorsOf(options) })
    const how = `${strategy.kind}${isOnce ? ' once' : ''}`
    world.trace.note(`${name} submits ${task.id} cpus ${cpus} ${how}`)
    // Its arguments stay alive until it is over, for a retry.
    for (const key of task.nested) this.#process.refs.take(key)
    this.#open++
    const kind = JSON.stringify([cpus, strategy])
    this.#enqueue({ task, kind, retriesLeft: isOnce ? 0 : 3, done })
  }

  granted(message: FromRaylet & { readonly kind: 'leaseGranted' }): void {
    const request = this.#requests.get(message.request)
    this.#requests.delete(message.request)
    if (request === undefined) {
      return this.#process.world.checker.fail('a grant without a request', [this.#process.name])
    }
    const { lease, worker } = message
    const { kind, carried } = request
    const isCarried = message.carried
    const running = isCarried ? carried : undefined
    const held: HeldLease = { lease, worker, kind, running, isCarried }
    this.#leases.set(lease, held)
    this.#process.connect(worker)
    if (isCarried) return
    // Its request went to another node without it, because it may not run twice.
    if (carried !== undefined) this.#push(held, carried)
    else this.#use(held)
  }

  /** The node that the request was passed on to is dead, and the task may have run there. */
  requestLost(request: number): void {
    const lost = this.#requests.get(request)
    this.#requests.delete(request)
    if (lost?.carried !== undefined) this.#lost(lost.carried, 'RAY_NODE_DIED')
  }

  nodeDied(nodeNumber: number): void {
    for (const held of [...this.#leases.values(), ...this.#loose.values()]) {
      if (nodeOfLease(held.lease) !== nodeNumber) continue
      this.#leases.delete(held.lease)
      this.#loose.delete(held.lease)
      const { running } = held
      held.running = undefined
      if (running !== undefined) this.#lost(running, 'RAY_NODE_DIED')
    }
  }

  refused(request: number, error: WireError): void {
    const refused = this.#requests.get(request)
    this.#requests.delete(request)
    if (refused === undefined || error.code === 'RAY_TASK_CANCELLED') return
    if (refused.carried !== undefined) this.#settle(refused.carried, error.code)
    const waiting = this.#waiting.get(refused.kind) ?? []
    this.#waiting.delete(refused.kind)
    for (const each of waiting) this.#settle(each, error.code)
  }

  /** The answer of a carried task, through the raylet. */
  relayed(lease: number, taskId: string): void {
    const held = this.#leases.get(lease)
    if (held?.running?.task.id !== taskId) {
      return this.#process.world.checker.fail('an answer without its lease', [taskId])
    }
    this.#answered(held)
  }

  /** The answer of a pushed task, from the worker itself. */
  answered(lease: number, taskId: string): void {
    const held = this.#leases.get(lease) ?? this.#loose.get(lease)
    if (held?.running?.task.id !== taskId) return
    this.#answered(held)
  }

  /** The worker does not know the lease any more, and has not begun the task. */
  stale(lease: number, taskId: string): void {
    const held = this.#leases.get(lease) ?? this.#loose.get(lease)
    const owned = held?.running
    if (held === undefined || owned?.task.id !== taskId) return
    this.#process.world.trace.note(`${this.#process.name} hears that ${taskId} came too late`)
    held.running = undefined
    this.#loose.delete(lease)
    const { nested } = owned.task
    if (nested.length > 0) {
      this.#process.send({ kind: 'unlend', from: held.worker, objects: nested })
    }
    this.#enqueue(owned)
  }

  leaseEnded(lease: number, exit: ProcessExit | undefined): void {
    const held = this.#leases.get(lease)
    if (held === undefined) return
    this.#leases.delete(lease)
    const { running } = held
    if (running === undefined) return
    // A pushed task has its answer, or the end of the connection, on its way from the worker.
    if (!held.isCarried) this.#loose.set(lease, held)
    else if (exit === undefined) {
      this.#process.world.checker.fail('a lease was closed under its task', [running.task.id])
    } else this.#lost(running, 'RAY_WORKER_CRASHED')
  }

  /** The connection to a worker is cut: whatever was pushed to it and has no answer is lost. */
  closed(worker: number): void {
    for (const held of [...this.#leases.values(), ...this.#loose.values()]) {
      if (held.worker !== worker || held.isCarried || held.running === undefined) continue
      const { running } = held
      held.running = undefined
      this.#loose.delete(held.lease)
      this.#lost(running, 'RAY_WORKER_CRASHED')
    }
  }

  #answered(held: HeldLease): void {
    const owned = held.running
    held.running = undefined
    held.isCarried = false
    this.#loose.delete(held.lease)
    if (owned !== undefined) this.#settle(owned, 'value')
    if (this.#leases.has(held.lease)) this.#use(held)
  }

  #lost(owned: OwnedTask, code: string): void {
    if (owned.retriesLeft === 0) return this.#settle(owned, code)
    owned.retriesLeft--
    this.#process.world.trace.note(`${this.#process.name} retries ${owned.task.id}`)
    this.#enqueue(owned)
  }

  #settle(owned: OwnedTask, outcome: string): void {
    const { world, name, refs } = this.#process
    world.trace.note(`${name} has ${owned.task.id} ${outcome}`)
    world.checker.settled(owned.task.id, outcome)
    this.#open--
    for (const key of owned.task.nested) refs.drop(key)
    owned.done()
  }

  #enqueue(owned: OwnedTask): void {
    const { world } = this.#process
    const { task } = owned
    const isCarried = world.prng.chance(0.6)
    const request = ++this.#requestCount
    const carried = isCarried ? owned : undefined
    const { kind } = owned
    const how = isCarried ? 'with' : 'for'
    world.trace.note(`${this.#process.name} asks ${request} ${how} ${task.id}`)
    this.#requests.set(request, { kind, carried })
    if (!isCarried) {
      const waiting = this.#waiting.get(kind)
      if (waiting === undefined) this.#waiting.set(kind, [owned])
      else waiting.push(owned)
    }
    const frames = new TextEncoder().encode(task.id)
    const { nested } = task
    this.#process.send({
      kind: 'requestLease',
      request,
      key: { resources: { CPU: task.cpus }, strategy: task.strategy, environment: '' },
      name: 'simulated',
      depth: task.depth,
      ...(task.isOnce && { isOnce: true as const }),
      ...(isCarried && { task: { frames, sequence: request, nested, reads: nested } }),
    })
  }

  /** Pushes the next task of its kind, or gives the lease back. */
  #use(held: HeldLease): void {
    const { world } = this.#process
    const next = this.#waiting.get(held.kind)?.shift()
    if (next === undefined) {
      this.#cancelRequests(held.kind)
      // The owner computes: it will not look at this lease again until it is taken away.
      if (world.prng.chance(0.2)) return
      this.#leases.delete(held.lease)
      this.#process.send({ kind: 'returnLease', lease: held.lease })
      return
    }
    this.#push(held, next)
  }

  #push(held: HeldLease, next: OwnedTask): void {
    const { world } = this.#process
    held.running = next
    held.isCarried = false
    const { nested, id } = next.task
    if (nested.length > 0) this.#process.send({ kind: 'lend', to: held.worker, objects: nested })
    const worker = processName(held.worker)
    world.trace.note(`${this.#process.name} pushes ${id} to ${worker} lease ${held.lease}`)
    const from = this.#process
    this.#process.toProcess(held.worker, (worker) => worker.pushed(from, held.lease, id))
  }

  #cancelRequests(kind: string): void {
    for (const [request, { kind: wanted, carried }] of this.#requests) {
      if (wanted !== kind || carried !== undefined) continue
      if (this.#process.world.prng.chance(0.5)) continue
      this.#process.send({ kind: 'cancelLeaseRequest', request })
    }
  }
}

/** How it may end without a value. */
function errorsOf({ strategy }: TaskOptions): string[] {
  const isBound = strategy.kind === 'nodeAffinity' && strategy.soft !== true
  const lost = ['RAY_WORKER_CRASHED', 'RAY_NODE_DIED']
  if (strategy.kind === 'placementGroup') {
    return [...lost, 'RAY_TASK_PLACEMENT_GROUP_REMOVED', 'RAY_TASK_UNSCHEDULABLE']
  }
  return isBound ? [...lost, 'RAY_TASK_UNSCHEDULABLE'] : lost
}
