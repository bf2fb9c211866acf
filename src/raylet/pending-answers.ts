// Says in words what somebody waits for: for gets that timed out, and for warnings.
//
// Most of it is known here. What makes an object of another process only its owner knows, which is
// asked and given a moment: one that computes does not answer, and that is the answer then.

import { assertNever } from '../base/assert.js'
import { nodeNumberOf, type ProcessId } from '../base/ids.js'
import type { ResourcePool } from '../scheduling/resource-pool.js'
import { roomKey } from '../wire/messages/gcs.js'
import type { PendingQuery, PendingQuestion } from '../wire/messages/pending.js'
import type { LiveTask } from '../wire/messages/state.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { ControlConnection } from './control-connection.js'
import type { PendingRequest } from './lease-queue.js'
import type { LeaseTables } from './lease-tables.js'
import type { Spillback } from './spillback.js'
import type { StateService } from './state-service.js'
import { workerKindKey } from './worker-kind.js'
import type { WorkerRecord } from './worker-table.js'

export interface PendingPorts {
  readonly tables: LeaseTables
  readonly spillback: Spillback
  readonly state: StateService
}

/** Calls `then` with an answer to each question, at once or after a moment. */
export function answerPending(
  ports: PendingPorts,
  asked: { readonly query: PendingQuery; readonly from: ProcessId },
  then: (answers: string[]) => void,
): void {
  const { tables, state } = ports
  const { questions } = asked.query
  const objects = questions.flatMap((each) => (each.on === 'object' ? [each.object] : []))
  const answer = (owned: (object: ObjectKey) => string): void =>
    then(questions.map((each) => answerOne(ports, each, { from: asked.from, owned })))
  if (objects.length === 0) answer(() => '')
  else {
    state.askOwners(objects, ({ members, silent, live }) =>
      answer((object) => {
        const owner = members.get(object[0])
        if (owner === undefined) return ''
        if (silent.has(object[0])) return `is made by ${faceOf(owner)}, which computes now`
        return `is made by ${faceOf(owner)}: ${sayTask(tables, object, live)}`
      }),
    )
  }
}

function answerOne(
  { tables, spillback }: PendingPorts,
  question: PendingQuestion,
  { from, owned }: { from: ProcessId; owned: (object: ObjectKey) => string },
): string {
  switch (question.on) {
    case 'lease': {
      const { request } = question
      for (const each of tables.queue) {
        if (each.owner === from && each.request === request) return whyQueued(tables, each)
      }
      const infeasible = tables.infeasible.find(from, request)
      if (infeasible !== undefined) return `waits for a node to join: ${infeasible.why}`
      return whyElsewhere(tables, spillback.nodeOf(from, request))
    }
    case 'worker': {
      const worker = tables.workers.ofProcess(question.worker)
      if (worker !== undefined) return sayWorker(worker)
      const node = tables.cluster.byNumber(nodeNumberOf(question.worker))
      return node === undefined ? '' : `a worker of node ${node.nodeId}`
    }
    case 'actor':
      return whyNoActor(tables, question.actor)
    case 'object':
      return owned(question.object)
    default:
      return assertNever(question)
  }
}

/** Of a request that waits at another node. */
function whyElsewhere(tables: LeaseTables, nodeNumber: number | undefined): string {
  const node = nodeNumber === undefined ? undefined : tables.cluster.byNumber(nodeNumber)
  if (node === undefined) return ''
  const free = `${node.available['CPU'] ?? 0} of ${node.total['CPU'] ?? 0} CPU`
  return `waits on node ${node.nodeId}, where ${free} are free`
}

/** What a request in the queue waits for: `needs 2 CPU, and 0 of 2 CPU are free (...)`. */
export function whyQueued(tables: LeaseTables, request: PendingRequest): string {
  const { target, need } = request
  const pools = target === undefined ? [tables.pool] : tables.bundles.pools(target)
  if (pools.length === 0 && target !== undefined) {
    return `waits for placement group ${target.group}, which is not reserved yet`
  }
  if (pools.some((pool) => pool.canAllocate(need))) return whyNoWorker(tables, request)
  const names = [...new Set(pools.flatMap((pool) => pool.lacks(need)))]
  const wanted = names.map((name) => String(need.only(name))).join(', ')
  const where = target === undefined ? '' : ` in placement group ${target.group}`
  const free = pools.map((pool) => names.map((name) => freeOf(pool, name)).join(', '))
  const holders = holdersOf(tables, pools, names)
  const held = holders === '' ? '' : `; held by ${holders}`
  return `needs ${wanted}${where}, and free are ${free.join(' or ')}${held}`
}

function freeOf(pool: ResourcePool, name: string): string {
  const free = Math.max(0, pool.available.toResources()[name] ?? 0)
  return `${free} of ${pool.total.toResources()[name] ?? 0} ${name}`
}

function whyNoWorker(tables: LeaseTables, { workerKind }: PendingRequest): string {
  const { workers } = tables
  if (workers.startingOf(workerKindKey(workerKind)) > 0) return 'waits for its worker to start'
  if (workers.size >= workers.limit) {
    return `waits for a worker: there are ${workers.size}, as many as this node may have`
  }
  return 'waits for a worker'
}

const holdersMax = 3

/** `actor Counter (2), task train`, the most numerous first. */
function holdersOf(
  tables: LeaseTables,
  pools: readonly ResourcePool[],
  names: readonly string[],
): string {
  const counts = new Map<string, number>()
  const held = new Map(names.map((name) => [name, 0]))
  for (const worker of tables.workers.all()) {
    const hold = worker.lease ?? worker.actor
    if (hold === undefined || !pools.includes(hold.pool)) continue
    // Who waits has lent its CPUs, and nothing else.
    const isHeld = (name: string): boolean =>
      hold.allocation.resources.get(name) > 0 && !(worker.isBlocked && name === 'CPU')
    const parts = names.filter(isHeld)
    if (parts.length === 0) continue
    for (const name of parts) {
      held.set(name, (held.get(name) ?? 0) + hold.allocation.resources.get(name))
    }
    const who =
      worker.lease === undefined
        ? `actor ${worker.actor?.actor.spec.className ?? ''}`
        : `task ${worker.lease.name}${worker.isBlocked ? ', which waits itself' : ''}`
    counts.set(who, (counts.get(who) ?? 0) + 1)
  }
  const list = [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, holdersMax)
    .map(([who, count]) => (count === 1 ? who : `${who} (${count})`))
  if (counts.size > holdersMax) list.push('others')
  const { pool } = tables
  const isInGroups = names.some(
    (name) => pool.total.get(name) - pool.available.get(name) > (held.get(name) ?? 0),
  )
  if (pools.includes(pool) && isInGroups) list.push('placement groups')
  return list.join(', ')
}

function whyNoActor(tables: LeaseTables, actor: ObjectKey): string {
  const key = roomKey('actor', actor)
  for (const request of tables.queue) {
    const isIt = request.reservation === key || isSame(request.actor?.spec.actor, actor)
    if (isIt) return whyQueued(tables, request)
  }
  for (const worker of tables.workers.all()) {
    if (isSame(worker.actor?.actor.spec.actor, actor)) {
      return `its constructor runs on worker pid ${worker.pid}`
    }
  }
  return ''
}

function isSame(a: ObjectKey | undefined, b: ObjectKey): boolean {
  return a !== undefined && a[0] === b[0] && a[1] === b[1]
}

function sayWorker({ pid, isBlocked }: WorkerRecord): string {
  return `worker pid ${pid}${isBlocked ? ', which waits in ray.get itself' : ''}`
}

function faceOf({ hello }: ControlConnection): string {
  return `its owner, ${hello?.role ?? 'process'} pid ${hello?.pid ?? 0}`
}

function sayTask(tables: LeaseTables, object: ObjectKey, live: readonly LiveTask[]): string {
  const task = live.find((each) => isSame(each.task, object))
  if (task === undefined) return 'not submitted yet'
  const worker = task.worker === undefined ? undefined : tables.workers.ofProcess(task.worker)
  const where = worker === undefined ? '' : ` ${sayWorker(worker)}`
  if (task.state === 'RUNNING') return `task ${task.name} runs on${where || ' a worker'}`
  if (task.state === 'SUBMITTED_TO_WORKER') {
    return `task ${task.name} was sent to${where || (task.actor ? ' its actor' : ' a worker')}`
  }
  return `task ${task.name} is queued`
}
