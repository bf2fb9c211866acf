// The actors that this process calls, and those that it creates.

import type { LiveTaskList } from './live-tasks.js'
import type { RayError } from '../base/errors.js'
import type { ProcessId } from '../base/ids.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { ActorSpec, ActorState, FromRaylet } from '../wire/messages/raylet.js'
import { ActorLine, type ActorLinePorts } from './actor-line.js'
import type { ObjectRef } from './object-ref.js'
import type { RayletSender } from './reference-holder.js'
import type { Task } from './task.js'
import { taskErrorOf } from './task-error.js'
import type { UnseenErrors } from './unseen-error-monitor.js'

type Registered = Extract<FromRaylet, { kind: 'actorRegistered' }>

/** Lines of actors that are dead are forgotten when there are more lines than this. */
const linesPruneMin = 1024

export interface ActorPorts extends ActorLinePorts {
  readonly raylet: RayletSender
  readonly unseen: UnseenErrors
  readonly borrow: (owner: ProcessId, sequence: number) => ObjectRef
}

export class ActorLines {
  readonly #ports: ActorPorts
  readonly #lines = new Map<string, ActorLine>()
  #pruneAt = linesPruneMin
  readonly #lineOfTask = new WeakMap<Task, ActorLine>()
  readonly #registrations = new Map<number, (message: Registered) => void>()
  #requests = 0
  /**
   * Decodes the error body of a constructor that threw; set by the core worker's owner of codecs.
   */
  decodeBody: (body: Uint8Array) => unknown = () => undefined

  constructor(ports: ActorPorts) {
    this.#ports = ports
  }

  /** The line to an actor, subscribed to its state. */
  line(key: ObjectKey, className: string): ActorLine {
    const id = `${key[0]}:${key[1]}`
    let line = this.#lines.get(id)
    if (line === undefined) {
      if (this.#lines.size >= this.#pruneAt) this.#prune()
      line = new ActorLine(key, className, this.#ports)
      this.#lines.set(id, line)
      this.#ports.raylet.send({ kind: 'subscribeActor', actor: key })
    }
    return line
  }

  // A program may make actors for as long as it lives, and handles keep the line that they have.
  #prune(): void {
    for (const [id, line] of this.#lines) if (line.isOver) this.#lines.delete(id)
    this.#pruneAt = Math.max(linesPruneMin, this.#lines.size * 2)
  }

  /** Asks for an actor to be made. `registered` hears whether the name was free, or who has it. */
  create(spec: ActorSpec, registered: (message: Registered) => void): ActorLine {
    const request = ++this.#requests
    this.#registrations.set(request, registered)
    this.#ports.raylet.send({ kind: 'createActor', request, spec })
    return this.line(spec.actor, spec.className)
  }

  /** Is any call, or the creation of an actor, not answered? */
  get isBusy(): boolean {
    if (this.#registrations.size > 0) return true
    for (const line of this.#lines.values()) if (line.pendingCalls > 0) return true
    return false
  }

  registered(message: Registered): void {
    const heard = this.#registrations.get(message.request)
    this.#registrations.delete(message.request)
    heard?.(message)
  }

  changed(key: ObjectKey, state: ActorState): void {
    const line = this.#lines.get(`${key[0]}:${key[1]}`)
    if (line === undefined) return
    if (state.state === 'dead' && state.error !== undefined) {
      void this.#died(line, state, state.error)
      return
    }
    const isNews = isUnschedulable(state) && key[0] === this.#ports.process && !line.isDead
    const isUnasked = line.pendingCalls === 0
    line.changed(state)
    if (isNews && isUnasked) this.#ports.unseen.notMade(line.id, line.death)
  }

  // A constructor threw: its error may need a class that is not loaded here yet.
  async #died(line: ActorLine, state: ActorState, body: Uint8Array): Promise<void> {
    try {
      line.creationError = taskErrorOf(await this.decodeBody(body))
    } catch (error) {
      line.creationError = error
    }
    const isUnasked = line.pendingCalls === 0
    line.changed(state)
    if (isUnasked) this.#ports.unseen.notMade(line.id, line.death)
  }

  submit(task: Task, line: ActorLine): void {
    this.#lineOfTask.set(task, line)
    line.append(task)
  }

  resubmit(task: Task): void {
    this.#lineOfTask.get(task)?.resubmit(task)
  }

  lineOf(task: Task): ActorLine | undefined {
    return this.#lineOfTask.get(task)
  }

  kill(key: ObjectKey, noRestart: boolean): void {
    this.#ports.raylet.send({ kind: 'killActor', actor: key, noRestart, reason: 'ray.kill' })
    const line = noRestart ? this.#lines.get(`${key[0]}:${key[1]}`) : undefined
    // A call made after the kill must not overtake it on its own way to the worker.
    const message = `Actor ${line?.className} (${line?.id}) is dead: it was ended by ray.kill.`
    line?.changed({ state: 'dead', cause: 'kill', message })
  }

  /** The lines to actors that this process calls. */
  get all(): Iterable<ActorLine> {
    return this.#lines.values()
  }

  /** Adds the calls that are not over. */
  listLive(list: LiveTaskList): void {
    for (const line of this.#lines.values()) line.listLive(list)
  }

  failAll(error: RayError): void {
    for (const line of this.#lines.values()) line.fail(error)
  }

  close(): void {
    this.#lines.clear()
  }
}

function isUnschedulable(state: ActorState): boolean {
  return state.state === 'dead' && state.cause === 'unschedulable'
}
