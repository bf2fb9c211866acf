// The owner's end of one lease: a socket to the leased worker and the tasks in flight on it.
//
// A worker runs the tasks of a lease strictly one after the other and answers in order, so the
// tasks in flight are a list and a result always belongs to its head. To keep a worker busy more
// than one is in flight; to keep that safe, starting a task is a claim in a word of shared memory
// (see claim-slots): whoever sets the stop bit first owns what has not started. An epoch is the
// time between two `resume` frames; indexes count from its beginning.

import type { Socket } from 'node:net'
import { readU32, readU48 } from '../base/bytes.js'
import { nodeNumberOf, type ProcessId } from '../base/ids.js'
import { addressFrom, connectTo } from '../wire/address.js'
import { ControlChannel, unpackMessage } from '../wire/control-channel.js'
import { claimedSince } from '../wire/claim-slot.js'
import { FrameReader, frameType } from '../wire/frame.js'
import { hearLastWords } from '../wire/last-words.js'
import { lineBrokenReason, nodeDiedReason, type ProcessExit } from '../wire/messages/terms.js'
import type { FromWorker, ToWorker } from '../wire/messages/task.js'
import { type Task, taskStatus } from './task.js'

/** What a line tells the submitter. */
export interface LineEvents {
  /** A result body for the head of the line; the task is off the line. */
  taskAnswered(task: Task, body: Uint8Array, durationUs: number): void
  /**
   * The answer of a carried task came through the raylet, which has kept a copy for those who may
   * borrow it.
   */
  relayEnded(task: Task): void
  itemArrived(task: Task, index: number, body: Uint8Array): void
  /** These tasks were not started and will not be: give them to another worker. */
  tasksReturned(line: LeaseLine, tasks: Task[]): void
  /** One read of the socket is done; there may be room for more. */
  progressed(line: LeaseLine): void
  /** The worker has died and everything that it had sent was read. */
  lost(line: LeaseLine, tasks: { started: Task[]; unstarted: Task[] }, exit: ProcessExit): void
  /** The connection to a worker of another node broke, and what was sent may have run. */
  broken(line: LeaseLine): void
  /** The lease was recalled and everything is back. */
  closed(line: LeaseLine): void
}

export interface LineOptions {
  readonly lease: number
  readonly worker: ProcessId
  readonly pid: number
  readonly address: string
  readonly claimSlot: number
  readonly owner: ProcessId
  readonly token: string
}

const resumeFrame = Buffer.from([1, 0, 0, 0, frameType.resume])

export class LeaseLine {
  readonly lease: number
  readonly worker: ProcessId
  readonly pid: number
  readonly claimSlot: number
  /** The worker is on another node: its claim word cannot be reached. */
  readonly isRemote: boolean
  /** The raylet of the worker was asked to stop the epoch. */
  isStopping = false
  /** The task that the raylet handed over with the grant; answered through the raylet. */
  carried: Task | null = null
  head: Task | null = null
  tail: Task | null = null
  inFlight = 0
  /** Tasks of this epoch that were sent, and those answered. */
  pushed = 0
  answered = 0
  /** Tasks of earlier epochs that are still unanswered; they are at the head. */
  older = 0
  /**
   * The worker is blocked in get, or what it had not started was taken back: nothing is sent until
   * `freed`.
   */
  isSuspended = false
  /** It is suspended because tasks were taken back, and `freed` will end that. */
  isTakenBack = false
  /** The running task waits in get: the raylet has its CPUs for others. */
  isBlocked = false
  /**
   * The worker has said that the lease is open. What is written before that waits for a turn of our
   * event loop, long if we compute; or the lease is over already.
   */
  isOpen = false
  /** The worker is closing the lease: nothing may be sent any more. */
  isClosing = false
  /** What runs is being ended, and the lease is returned after it. */
  isLast = false
  /** A function with `maxCalls` has run here: the worker may be about to end. */
  mayRetire = false
  /** Tasks that were sent on this lease, in all. */
  sent = 0
  isEnded = false
  /** The worker has mapped its claim slot. */
  hasClaims = false
  /** When the head of the line began to be the head, in ms. */
  headSince = 0
  lastActive = 0
  readonly defined: boolean[] = []

  readonly #options: LineOptions
  readonly #events: LineEvents
  readonly #now: () => number
  #channel: ControlChannel<ToWorker, FromWorker> | null = null
  #socket: Socket | null = null
  #isSocketOver = true
  #exit: ProcessExit | null = null

  constructor(options: LineOptions, events: LineEvents, now: () => number) {
    this.lease = options.lease
    this.worker = options.worker
    this.pid = options.pid
    this.claimSlot = options.claimSlot
    this.isRemote = nodeNumberOf(options.worker) !== nodeNumberOf(options.owner)
    this.#options = options
    this.#events = events
    this.#now = now
    this.lastActive = now()
  }

  get isIdle(): boolean {
    return this.inFlight === 0 && this.carried === null
  }

  /** It waits for the worker's word, and has nothing to do yet. */
  get isOpening(): boolean {
    return !this.isOpen && !this.isClosing && !this.isEnded && this.carried === null
  }

  /** Connects, if that has not been done, and returns the socket. */
  socket(): Socket {
    if (this.#socket !== null) return this.#socket
    const { owner, worker, address } = this.#options
    const socket = connectTo(addressFrom(owner, worker, address))
    socket.unref()
    this.#socket = socket
    this.#isSocketOver = false
    hearLastWords(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#isSocketOver = true
      if (this.isRemote && !this.isEnded) this.#broken()
      this.#finish()
    })
    const reader = new FrameReader((buffer, start, end) => this.#frame(buffer, start, end))
    socket.on('data', (chunk: Uint8Array) => {
      reader.push(chunk)
      this.#events.progressed(this)
    })
    this.#channel = new ControlChannel<ToWorker, FromWorker>(socket, () => undefined)
    this.#channel.send({
      kind: 'open',
      token: this.#options.token,
      owner: this.#options.owner,
      lease: this.lease,
    })
    this.#channel.flush()
    return socket
  }

  /** Frames of carried tasks that came through the raylet. */
  relayed(frames: Uint8Array): void {
    new FrameReader((buffer, start, end) => {
      const task = this.carried
      if (task === null) return
      if (buffer[start] === frameType.result) {
        this.carried = null
        this.#events.taskAnswered(task, buffer.slice(start + 10, end), duration(buffer, start))
        this.#events.relayEnded(task)
      } else if (buffer[start] === frameType.item) {
        this.#events.itemArrived(task, readU32(buffer, start + 10), buffer.slice(start + 14, end))
      }
    }).push(frames)
    this.lastActive = this.#now()
    this.#events.progressed(this)
  }

  send(message: ToWorker): void {
    this.socket()
    this.#channel?.send(message)
  }

  add(task: Task): void {
    task.status = taskStatus.inFlight
    task.line = this
    task.next = null
    if (this.tail === null) {
      this.head = task
      this.headSince = this.#now()
    } else this.tail.next = task
    this.tail = task
    this.inFlight++
    this.pushed++
    this.sent++
  }

  /** Takes back what was added behind `last` and not written. */
  unadd(last: Task | null): Task[] {
    const tasks = this.#cutBehind(last)
    this.pushed -= tasks.length
    this.sent -= tasks.length
    return tasks
  }

  #cutBehind(last: Task | null): Task[] {
    const tasks: Task[] = []
    for (let at = last === null ? this.head : last.next; at !== null;) {
      const next: Task | null = at.next
      at.next = null
      tasks.push(at)
      at = next
    }
    if (last === null) this.head = null
    else last.next = null
    this.tail = last
    this.inFlight -= tasks.length
    return tasks
  }

  #frame(buffer: Uint8Array, start: number, end: number): void {
    const type = buffer[start]
    if (type === frameType.result) this.#result(buffer, start, end)
    else if (type === frameType.item) this.#item(buffer, start, end)
    else if (type === frameType.control) {
      this.#message(unpackMessage(buffer.subarray(start + 1, end)) as FromWorker)
    }
  }

  #result(buffer: Uint8Array, start: number, end: number): void {
    const task = this.head
    if (task === null || task.ref.sequence !== readU48(buffer, start + 4)) {
      throw new Error(`typeray: result of task ${readU48(buffer, start + 4)} out of order`)
    }
    this.head = task.next
    if (this.head === null) this.tail = null
    task.next = null
    this.inFlight--
    if (this.older > 0) this.older--
    else this.answered++
    this.headSince = 0
    this.#events.taskAnswered(task, buffer.subarray(start + 10, end), duration(buffer, start))
  }

  #item(buffer: Uint8Array, start: number, end: number): void {
    const task = this.head
    if (task === null || task.ref.sequence !== readU48(buffer, start + 4)) return
    this.#events.itemArrived(task, readU32(buffer, start + 10), buffer.slice(start + 14, end))
  }

  #message(message: FromWorker): void {
    switch (message.kind) {
      case 'claims':
        this.isOpen = true
        this.hasClaims = true
        break
      case 'opened':
        this.isOpen = true
        break
      case 'back':
        this.isBlocked = message.blocked
        this.takeBack(message.started)
        break
      case 'freed':
        this.isSuspended = this.isStopping
        this.isTakenBack = false
        this.isBlocked = false
        break
      case 'stale':
        this.isEnded = true
        this.#events.tasksReturned(this, this.#drain())
        this.#socket?.end()
        break
    }
  }

  /**
   * Everything of this epoch from index `started` on is ours again. A resume frame voids it at the
   * worker, which says `freed` when it has read that and is ready for more.
   */
  takeBack(started: number): void {
    this.isSuspended = true
    this.isTakenBack = true
    const keep = this.older + claimedSince(started, this.answered)
    let last: Task | null = null
    let at = this.head
    for (let i = 0; i < keep && at !== null; i++) {
      last = at
      at = at.next
    }
    const tasks = this.#cutBehind(last)
    this.older = this.inFlight
    this.pushed = 0
    this.answered = 0
    this.socket().write(resumeFrame)
    if (tasks.length > 0) this.#events.tasksReturned(this, tasks)
  }

  #drain(): Task[] {
    const tasks: Task[] = []
    for (let at = this.head; at !== null;) {
      const next: Task | null = at.next
      at.next = null
      tasks.push(at)
      at = next
    }
    this.head = null
    this.tail = null
    this.inFlight = 0
    this.older = 0
    return tasks
  }

  /** The raylet says that the lease is over. */
  ended(exit: ProcessExit | undefined): void {
    this.isEnded = true
    this.#exit = exit ?? null
    this.#finish()
  }

  // The connection may break between machines while the worker lives. What it has run of the tasks
  // that were sent nobody can know then, so it is ended, unless none was.
  #broken(): void {
    this.isClosing = true
    if (this.inFlight === 0) return
    this.#events.broken(this)
  }

  /**
   * The worker has closed the lease, and what it said to that, `stale` behind its last answers, was
   * lost with the connection: before the raylet told us so, or after.
   */
  #brokenExit(): ProcessExit | null {
    if (!this.isRemote || this.inFlight === 0) return null
    const { pid, inFlight: started } = this
    return { pid, exitCode: null, signal: null, stderr: [], reason: lineBrokenReason, started }
  }

  /** The raylet of the worker has stopped the epoch, or somebody else had. */
  stopped(started: number): void {
    if (!this.isStopping) return
    this.isStopping = false
    if (started >= 0) this.takeBack(started)
    else if (!this.isTakenBack) this.isSuspended = false
  }

  /** Nothing is sent until the raylet of the worker has answered. */
  stopping(): void {
    this.isStopping = true
    this.isTakenBack = this.isSuspended
    this.isSuspended = true
  }

  /** The node of the worker is dead: nothing more comes. */
  nodeDied(exit: ProcessExit): void {
    this.#isSocketOver = true
    this.#socket?.destroy()
    this.ended(exit)
  }

  // A dead worker's last results may still be in the socket: the end is reached when both have said
  // so.
  #finish(): void {
    if (!this.#isSocketOver || !this.isEnded) return
    const exit = this.#exit ?? this.#brokenExit()
    if (exit === null) {
      const tasks = this.#drain()
      if (tasks.length > 0) this.#events.tasksReturned(this, tasks)
      this.#events.closed(this)
      return
    }
    // Only what had started can have done anything. What was taken back before is off the line, so
    // that nothing of the current epoch is on it then; a worker without claims is sent one task at
    // a time.
    const count = this.#startedOf(exit)
    const tasks = this.#drain()
    const started = tasks.slice(0, count)
    const unstarted = tasks.slice(count)
    if (this.carried !== null) {
      const isStarted = exit.carried === undefined || exit.carried === (this.lease | 0)
      ;(isStarted ? started : unstarted).unshift(this.carried)
    }
    this.carried = null
    this.#events.lost(this, { started, unstarted }, exit)
  }

  #startedOf({ started, reason }: ProcessExit): number {
    // Its claims are gone with its node: any of them may have run.
    if (reason.startsWith(nodeDiedReason) || reason === lineBrokenReason) return this.inFlight
    const current = this.hasClaims && started >= 0 ? claimedSince(started, this.answered) : 1
    return this.pushed === 0 ? this.older : this.older + current
  }

  /** Lets go of everything; the session is over. */
  abandon(): Task[] {
    const tasks = this.#drain()
    if (this.carried !== null) tasks.unshift(this.carried)
    this.carried = null
    this.#socket?.destroy()
    return tasks
  }

  /** Gives the connection up; the lease was returned. */
  close(): void {
    this.isEnded = true
    this.#socket?.end()
  }
}

function duration(buffer: Uint8Array, start: number): number {
  return buffer[start + 2]! | (buffer[start + 3]! << 8)
}
