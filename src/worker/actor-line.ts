// The caller's end of one actor: calls in order, over every life of the actor.
//
// Calls of one caller run in the order in which they were made: a call whose arguments are not
// ready holds the later ones back, unless the actor allows other orders; a cancelled one drops
// out. While the actor starts or restarts they wait here. What was in flight when its worker died
// goes out again first, in order, if the call may be retried; otherwise nobody knows whether it has
// run.

import type { Socket } from 'node:net'
import { readU32, readU48 } from '../base/bytes.js'
import {
  ActorDiedError,
  ActorPlacementGroupRemovedError,
  ActorUnavailableError,
  ActorUnschedulableError,
  type RayError,
} from '../base/errors.js'
import { nodeNumberOf, objectIdHex, type ProcessId } from '../base/ids.js'
import { actorReconnectMs } from '../base/limits.js'
import { messageOf } from '../base/thrown.js'
import { addressFrom, connectTo } from '../wire/address.js'
import { CallQueue } from './call-queue.js'
import { ControlChannel, unpackMessage } from '../wire/control-channel.js'
import { FrameReader, frameType, pushFlag } from '../wire/frame.js'
import { hearLastWords } from '../wire/last-words.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { ActorState } from '../wire/messages/raylet.js'
import type { FromWorker, ToWorker } from '../wire/messages/task.js'
import type { LiveTaskList } from './live-tasks.js'
import type { ReferenceHolder } from './reference-holder.js'
import { SlabWriter } from './slab.js'
import { type Task, taskStatus } from './task.js'
import { describeExit, type TaskSettler } from './task-outcomes.js'

/** Calls in flight to one actor; the rest waits here, where it can still be cancelled cheaply. */
const windowCallsMax = 8192

/** Deaths that have a class of their own, by cause; as in Ray. */
const deathErrors: Readonly<Record<string, typeof RayError>> = {
  placementGroupRemoved: ActorPlacementGroupRemovedError,
  unschedulable: ActorUnschedulableError,
}

export interface ActorLinePorts {
  readonly process: ProcessId
  readonly token: string
  readonly references: ReferenceHolder
  readonly settler: TaskSettler
  /** Calls back after so many milliseconds. */
  readonly later: (ms: number, run: () => void) => void
}

export class ActorLine {
  readonly key: ObjectKey
  readonly className: string
  readonly frames = new SlabWriter()
  /** Calls not sent, in order; those whose arguments are not ready have no slab. */
  readonly #queue = new CallQueue()
  /** Of an unordered actor: calls whose arguments are not ready. They are queued when they are. */
  readonly #unready = new Set<Task>()
  /** Set by every handle of the actor, before its first call. */
  isUnordered = false
  /** Calls in flight by sequence, in order of sending. */
  readonly #inFlight = new Map<number, Task>()
  #socket: Socket | null = null
  #channel: ControlChannel<ToWorker, FromWorker> | null = null
  #incarnation = -1
  #worker: ProcessId = 0
  #state: ActorState = { state: 'pending' }
  #isDirty = false
  readonly #ports: ActorLinePorts

  constructor(key: ObjectKey, className: string, ports: ActorLinePorts) {
    this.key = key
    this.className = className
    this.#ports = ports
  }

  get id(): string {
    return objectIdHex(this.key[0], this.key[1])
  }

  get pendingCalls(): number {
    return this.#inFlight.size + this.#queue.size + this.#unready.size
  }

  /** Adds the calls that are not over: those sent, then those that wait here. */
  listLive(list: LiveTaskList): void {
    const { key, className } = this
    for (const call of this.#inFlight.values()) list.addCall(call, { key, className, isSent: true })
    for (const calls of [this.#queue, this.#unready]) {
      for (const call of calls) list.addCall(call, { key, className, isSent: false })
    }
  }

  /** The calls that are not over. */
  get calls(): Task[] {
    return [...this.#inFlight.values(), ...this.#queue]
  }

  /** Where a call is: calls of this process that are before it, and who runs the actor. */
  progressOf(call: Task): { state: ActorState['state']; worker: ProcessId; ahead: number } {
    if (this.#target !== null) return this.#target.progressOf(call)
    const sent = [...this.#inFlight.keys()].indexOf(call.ref.sequence)
    const queued = this.#queue.indexOf(call)
    const ahead = sent >= 0 ? sent : this.#inFlight.size + Math.max(0, queued)
    return { state: this.#state.state, worker: this.#worker, ahead }
  }

  get isDead(): boolean {
    return this.#state.state === 'dead'
  }

  /** Nothing will change here, and who asks for the actor again is told so by the GCS. */
  get isOver(): boolean {
    return this.#target !== null || (this.isDead && this.#ended === null)
  }

  /** These calls belong to another actor after all: it is the one that has the name. */
  forwardTo(line: ActorLine): void {
    this.#target = line
    for (const task of [...this.#queue.take(), ...this.#unready]) line.append(task)
    this.#unready.clear()
  }

  #target: ActorLine | null = null

  /** Takes the place of a call in the order; `ready` sends it once its frame is written. */
  append(task: Task): void {
    if (this.#target !== null) {
      this.#target.append(task)
      return
    }
    if (this.#state.state === 'dead') {
      this.#ports.settler.fail(task, this.#deathError())
      return
    }
    if (this.isUnordered && task.slab === null) {
      this.#unready.add(task)
      return
    }
    this.#queue.push(task)
    this.pumpSoon()
  }

  /** The frame of a call that was waiting for its arguments is written, or the call has failed. */
  ready(task: Task): void {
    if (this.#target !== null) {
      this.#target.ready(task)
      return
    }
    if (this.#unready.delete(task) && task.status !== taskStatus.finished) this.#queue.push(task)
    this.pumpSoon()
  }

  /** Arguments of a queued call have become ready, or failed (it was settled then). */
  pumpSoon(): void {
    if (this.#target !== null) {
      this.#target.pumpSoon()
      return
    }
    if (this.#isDirty) {
      if ((this.#queue.size & 63) === 0) this.#pump()
      return
    }
    this.#isDirty = true
    queueMicrotask(() => {
      this.#isDirty = false
      this.#pump()
    })
    // The first call of a turn goes out at once; see control-channel.
    this.#pump()
  }

  #pump(): void {
    const socket = this.#socket
    if (socket === null || this.#state.state !== 'alive') return
    const queue = this.#queue
    const parts: Uint8Array[] = []
    let slab: Uint8Array | null = null
    let start = 0
    let end = 0
    while (this.#inFlight.size < windowCallsMax) {
      const task = queue.first
      if (task === null) break
      if (task.status === taskStatus.finished) {
        queue.shift()
        continue
      }
      if (task.slab === null) break
      queue.shift()
      markRetried(task)
      if (task.slab === slab && task.start === end) end = task.end
      else {
        if (slab !== null) parts.push(slab.subarray(start, end))
        slab = task.slab
        start = task.start
        end = task.end
      }
      task.status = taskStatus.inFlight
      this.#inFlight.set(task.ref.sequence, task)
      if (task.nested !== null) this.#ports.references.lend(this.#worker, task.nested)
    }
    if (slab === null) return
    parts.push(slab.subarray(start, end))
    socket.write(parts.length === 1 ? parts[0]! : Buffer.concat(parts))
  }

  changed(state: ActorState): void {
    if (this.#state.state === 'dead') return
    this.#state = state
    if (state.state === 'alive') {
      if (state.incarnation === this.#incarnation) return
      this.#lostConnection(null)
      this.#incarnation = state.incarnation
      this.#worker = state.worker
      this.#connect(state.address)
      this.#pump()
    } else if (state.state === 'restarting') this.#lostConnection(null)
    else if (state.state === 'dead') {
      this.#lostConnection(this.#deathError())
      this.#failQueued(this.#deathError())
      this.frames.drop()
    }
  }

  #connect(address: string): void {
    const socket = connectTo(addressFrom(this.#ports.process, this.#worker, address))
    socket.unref()
    this.#socket = socket
    hearLastWords(socket)
    socket.on('error', () => undefined)
    if (nodeNumberOf(this.#worker) !== nodeNumberOf(this.#ports.process)) {
      socket.on('close', () => this.#cut(socket, address))
    }
    const reader = new FrameReader((buffer, start, end) => this.#frame(buffer, start, end))
    socket.on('data', (chunk: Uint8Array) => {
      reader.push(chunk)
      if (this.#queue.size > 0) this.#pump()
    })
    this.#channel = new ControlChannel<ToWorker, FromWorker>(socket, () => undefined)
    this.#channel.send({
      kind: 'open',
      token: this.#ports.token,
      owner: this.#ports.process,
      actor: this.key,
    })
    this.#channel.flush()
  }

  // Between machines a connection may break while the actor lives. If it does not, the GCS says so
  // in a moment.
  #cut(socket: Socket, address: string): void {
    if (this.#socket !== socket) return
    this.#socket = null
    this.#channel = null
    const incarnation = this.#incarnation
    this.#ports.later(actorReconnectMs, () => {
      const isOver = this.#socket !== null || this.#incarnation !== incarnation
      if (isOver || this.#state.state !== 'alive') return
      this.#lostConnection(null)
      this.#connect(address)
      this.#pump()
    })
  }

  /**
   * The connection is of no more use. Calls in flight are retried in order, or fail; with `death`,
   * all of them fail.
   */
  #lostConnection(death: RayError | null): void {
    this.#socket?.destroy()
    this.#socket = null
    this.#channel = null
    const calls = [...this.#inFlight.values()]
    this.#inFlight.clear()
    const again: Task[] = []
    for (const task of calls) {
      task.stream?.lost(this.#worker)
      if (task.isCancelled) this.#ports.settler.fail(task, this.#unavailable(task))
      else if (death !== null) this.#ports.settler.fail(task, death)
      else if (task.retriesLeft !== 0) {
        if (task.retriesLeft > 0) task.retriesLeft--
        task.slab![task.start + 6]!++
        task.status = taskStatus.queued
        task.stream?.restarted()
        again.push(task)
      } else this.#ports.settler.fail(task, this.#unavailable(task))
    }
    this.#queue.unshift(again)
  }

  #failQueued(error: RayError): void {
    const queue = [...this.#queue.take(), ...this.#unready]
    this.#unready.clear()
    for (const task of queue) {
      if (task.status !== taskStatus.finished) this.#ports.settler.fail(task, error)
    }
  }

  /**
   * A retry for an error that the method threw: it keeps its place before all calls that were not
   * sent.
   */
  resubmit(task: Task): void {
    if (this.#target !== null) {
      this.#target.resubmit(task)
      return
    }
    if (this.#state.state === 'dead') {
      this.#ports.settler.fail(task, this.#deathError())
      return
    }
    task.status = taskStatus.queued
    task.slab![task.start + 6]!++
    this.#queue.unshift([task])
    this.pumpSoon()
  }

  #unavailable(task: Task): RayError {
    const exit = this.#state.state === 'restarting' ? this.#state.exit : undefined
    const isAlive = this.#state.state === 'alive'
    const what = isAlive ? 'is cut off' : 'is restarting'
    const gone = isAlive ? 'the connection to it broke' : 'its worker is gone'
    const how = exit === undefined ? gone : describeExit(exit)
    return new ActorUnavailableError(
      `Actor ${this.className} (${this.id}) ${what}: ${how}\n` +
        `The call ${task.fn.name} may or may not have run. Allow retries with maxTaskRetries ` +
        `if running it twice is safe.`,
      { fields: { actorId: this.id, className: this.className, methodName: task.fn.name } },
    )
  }

  #deathError(): RayError {
    const state = this.#state
    if (this.#ended !== null) return this.#ended
    if (state.state !== 'dead') throw new Error('typeray: the actor is not dead')
    const fields = {
      actorId: this.id,
      className: this.className,
      cause: state.cause,
      ...(state.exit !== undefined && {
        pid: state.exit.pid,
        exitCode: state.exit.exitCode,
        signal: state.exit.signal,
        stderr: state.exit.stderr,
      }),
    }
    const cause = this.creationError
    const why = cause === undefined ? '' : ` ${messageOf(cause)}`
    const DeathError = deathErrors[state.cause] ?? ActorDiedError
    return new DeathError(state.message + why, {
      fields,
      ...(cause !== undefined && { cause }),
    })
  }

  /** Why all calls of it fail, once it is dead. */
  get death(): RayError {
    return this.#deathError()
  }

  /** What the constructor threw, decoded by the table of lines before it tells the state. */
  creationError: unknown

  /** The actor was never started: all its calls fail with this error. */
  endWith(error: RayError): void {
    this.#ended = error
    this.#state = { state: 'dead', cause: 'creationFailed', message: error.message }
    this.#failQueued(error)
  }

  #ended: RayError | null = null

  /** Ends the line with the session. */
  fail(error: RayError): void {
    this.#lostConnection(error)
    this.#failQueued(error)
  }

  cancel(task: Task): void {
    if (this.#target !== null) {
      this.#target.cancel(task)
      return
    }
    this.#unready.delete(task)
    if (task.status === taskStatus.inFlight) {
      this.#channel?.send({ kind: 'cancel', sequence: task.ref.sequence, recursive: true })
    }
    this.pumpSoon()
  }

  send(message: ToWorker): void {
    if (this.#target !== null) this.#target.send(message)
    else this.#channel?.send(message)
  }

  #frame(buffer: Uint8Array, start: number, end: number): void {
    const type = buffer[start]
    if (type === frameType.result) {
      const sequence = readU48(buffer, start + 4)
      const task = this.#inFlight.get(sequence)
      if (task === undefined) return
      this.#inFlight.delete(sequence)
      this.#ports.settler.answered(task, buffer.subarray(start + 10, end))
    } else if (type === frameType.item) {
      const task = this.#inFlight.get(readU48(buffer, start + 4))
      task?.stream?.itemArrived(readU32(buffer, start + 10), buffer.slice(start + 14, end))
    } else if (type === frameType.control) {
      unpackMessage(buffer.subarray(start + 1, end))
    }
  }
}

/**
 * Whether an error that it throws is not the last word: its owner decides. The worker of the last
 * attempt settles its error for those who borrow the ref.
 */
function markRetried(task: Task): void {
  if (task.retryExceptions === false) return
  const at = task.start + 5
  if (task.retriesLeft !== 0) task.slab![at]! |= pushFlag.retried
  else task.slab![at]! &= ~pushFlag.retried
}
