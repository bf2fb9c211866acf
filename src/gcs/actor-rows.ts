// An actor as a row of `listActors`.

import { objectIdHex, type ProcessId } from '../base/ids.js'
import type { ActorState } from '../wire/messages/raylet.js'
import type { StateRow } from '../wire/messages/state.js'
import { type ActorRecord, publicState } from './actor-record.js'
import type { InfeasibleWaiter } from './infeasible-watch.js'

const states = {
  pending: 'PENDING_CREATION',
  alive: 'ALIVE',
  restarting: 'RESTARTING',
  dead: 'DEAD',
} as const

/** `process` is the worker; whoever knows the workers adds its process id. */
export function actorRow(record: ActorRecord, state: ActorState = publicState(record)): StateRow {
  const { spec, worker } = record
  const [owner, sequence] = spec.actor
  return {
    actorId: objectIdHex(owner, sequence),
    className: spec.className,
    state: states[state.state],
    jobId: record.jobId,
    name: spec.name,
    nodeId: record.nodeId ?? null,
    process: worker?.process,
    rayNamespace: spec.namespace,
    requiredResources: spec.resources,
    deathCause: state.state === 'dead' ? { type: state.cause, message: state.message } : null,
    isDetached: spec.detached,
    placementGroupId: spec.strategy.target?.group ?? null,
    numRestarts: record.incarnation,
  }
}

export function withPid(
  { process, ...row }: StateRow,
  pidOf: (process: ProcessId) => number | undefined,
): StateRow {
  return { ...row, pid: typeof process === 'number' ? (pidOf(process) ?? null) : null }
}

/** Those of them that wait for nodes to join. */
export function infeasibleActors(unplaced: Iterable<ActorRecord>): InfeasibleWaiter[] {
  return [...unplaced].flatMap(({ jobId, spec, lacks }) => {
    return lacks === undefined ? [] : [{ jobId, name: `Actor ${spec.className}`, why: lacks }]
  })
}
