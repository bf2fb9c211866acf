// Tasks that may use the same leases: same resources, same strategy, same environment.

import type { LeaseKey } from '../wire/messages/raylet.js'
import type { SchedulingStrategy } from '../wire/messages/terms.js'
import type { LeaseLine } from './lease-line.js'
import { SlabWriter } from './slab.js'
import { type Task, taskStatus } from './task.js'

/** Anywhere in the group, and so will be what runs there submits. */
export function capturedStrategy(group: string): SchedulingStrategy {
  return { kind: 'placementGroup', target: { group, bundle: -1, captureChildTasks: true } }
}

export class SchedulingKey {
  readonly lease: LeaseKey
  readonly frames = new SlabWriter()
  /** Queue of tasks that were not sent: an intrusive list. */
  head: Task | null = null
  tail: Task | null = null
  length = 0
  /** Leases granted and not over. */
  lines: LeaseLine[] = []
  /** Open lease requests by number, with the task that each carries. */
  readonly requests = new Map<number, Task | null>()
  /** Leases that can be useful at once: what the cluster's resources allow. */
  capacity: number
  isDirty = false
  /** At most so many lines were granted without a task and are about to open. */
  opening = 0
  /** It has tasks, requests or leases; see TaskSubmitter. */
  isUsed = false
  submittedInTurn = 0

  constructor(lease: LeaseKey, capacity: number) {
    this.lease = lease
    this.capacity = capacity
  }

  append(task: Task): void {
    task.status = taskStatus.queued
    task.next = null
    if (this.tail === null) this.head = task
    else this.tail.next = task
    this.tail = task
    this.length++
  }

  /** Puts a list of tasks that came back (in order) before all others. */
  prepend(tasks: readonly Task[]): void {
    for (let i = tasks.length - 1; i >= 0; i--) {
      const task = tasks[i]!
      task.status = taskStatus.queued
      task.line = null
      task.next = this.head
      if (this.head === null) this.tail = task
      this.head = task
      this.length++
    }
  }

  shift(): Task | null {
    const task = this.head
    if (task === null) return null
    this.head = task.next
    if (this.head === null) this.tail = null
    task.next = null
    this.length--
    return task
  }

  /** Takes a task out of the middle; linear, used by cancel only. */
  remove(task: Task): boolean {
    let before: Task | null = null
    for (let at = this.head; at !== null; before = at, at = at.next) {
      if (at !== task) continue
      if (before === null) this.head = at.next
      else before.next = at.next
      if (this.tail === at) this.tail = before
      at.next = null
      this.length--
      return true
    }
    return false
  }

  /**
   * More is queued than the lines will take that are about to open. To request leases for that too
   * would take the tasks away from them: they would open in vain, be returned, and the next ones
   * too.
   */
  get wantsMore(): boolean {
    if (this.opening === 0) return this.length > 0
    this.opening = 0
    for (const line of this.lines) if (line.isOpening) this.opening++
    return this.length > this.opening
  }

  /** Lines that hold their resources: all but those whose task waits in get. */
  get holdingLines(): number {
    let count = 0
    for (const line of this.lines) if (!line.isBlocked && !line.isClosing) count++
    return count
  }

  /**
   * Some line takes many short tasks. One from which tasks were taken back counts: it is free again
   * when its task has ended, and a request for each of them would cost more. One without claims
   * does not: it takes a single task.
   */
  get hasTaker(): boolean {
    for (const line of this.lines) {
      if (line.hasClaims && !line.isBlocked && !line.isClosing && line.carried === null) return true
    }
    return false
  }

  /** Lines that take tasks: neither blocked nor recalled. */
  get usableLines(): number {
    let count = 0
    for (const line of this.lines) if (!line.isSuspended && !line.isClosing) count++
    return count
  }
}
