// Which worker ends when the memory of a node runs short, and what is said about it.
//
// Least is lost by an idle worker that has kept much, then by the task that began last, because it
// has done the least work, and of those one that may run again. Tasks count per owner, and the
// owner with the most of them gives: many small programs are not ended for one large one. Tasks
// that may not run again come next, and actors last, because their state goes with them.

import { memoryReason } from '../wire/messages/terms.js'

export interface MemoryUser {
  readonly start: string
  readonly pid: number
  readonly name: string
  readonly kind: 'idle' | 'task' | 'actor'
  readonly owner: number
  /** The task may not run twice. */
  readonly isOnce: boolean
  /** Since when it runs what it runs. */
  readonly since: number
  /** Memory of its own: without what it shares with others, such as the object store. */
  readonly usedBytes: number
}

export interface MemoryShortage {
  /** What is short: 'the memory of this node', 'the memoryLimit of its workers'. */
  readonly what: string
  readonly usedBytes: number
  readonly limitBytes: number
}

/** What an idle worker must have kept to be ended for it; a new one needs some of that again. */
const idleBytesMin = 100 * 1024 * 1024
const usersTold = 5

export function chooseVictim(users: readonly MemoryUser[]): MemoryUser | undefined {
  const idle = users.filter(({ kind, usedBytes }) => kind === 'idle' && usedBytes >= idleBytesMin)
  if (idle.length > 0) return idle.reduce((a, b) => (b.usedBytes > a.usedBytes ? b : a))
  const tasks = users.filter(({ kind }) => kind === 'task')
  const again = tasks.filter(({ isOnce }) => !isOnce)
  return (
    newest(largestGroup(again)) ??
    newest(largestGroup(tasks)) ??
    newest(users.filter(({ kind }) => kind === 'actor'))
  )
}

function newest(users: readonly MemoryUser[]): MemoryUser | undefined {
  let last: MemoryUser | undefined
  for (const user of users) if (last === undefined || user.since >= last.since) last = user
  return last
}

/** The tasks of the owner with the most; of equal ones, of the one whose task began last. */
function largestGroup(tasks: readonly MemoryUser[]): readonly MemoryUser[] {
  const groups = new Map<number, MemoryUser[]>()
  for (const task of tasks) {
    const group = groups.get(task.owner)
    if (group === undefined) groups.set(task.owner, [task])
    else group.push(task)
  }
  const since = (group: readonly MemoryUser[]): number => newest(group)?.since ?? 0
  let largest: readonly MemoryUser[] = []
  for (const group of groups.values()) {
    const isLater = group.length === largest.length && since(group) > since(largest)
    if (group.length > largest.length || isLater) largest = group
  }
  return largest
}

/** Who used what, and what to do: the reason of the worker's end. */
export function memoryReport(shortage: MemoryShortage, users: readonly MemoryUser[]): string {
  const { what, usedBytes, limitBytes } = shortage
  const largest = [...users].sort((a, b) => b.usedBytes - a.usedBytes).slice(0, usersTold)
  const rows = largest.map(
    ({ pid, usedBytes, kind, name }) =>
      `  ${megabytes(usedBytes).padStart(9)}  pid=${pid} ${kind}${name === '' ? '' : ` ${name}`}`,
  )
  return (
    `${memoryReason}${what} is short, ${megabytes(usedBytes)} of at most ` +
    `${megabytes(limitBytes)} are in use. The largest workers:\n${rows.join('\n')}\n` +
    `Run fewer of them at a time (numCpus or memory of a task), use less in each, or give more ` +
    `(memoryLimit, memoryUsageThreshold of ray.init).`
  )
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}
