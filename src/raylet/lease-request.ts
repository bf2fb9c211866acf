// What waits in the queue, made from the messages that ask for it.

import type { ProcessId } from '../base/ids.js'
import { ResourceSet } from '../scheduling/resources.js'
import type { Room } from '../wire/messages/gcs.js'
import type { PlacementGroupTarget, SchedulingStrategy } from '../wire/messages/terms.js'
import type { LeaseEvent } from './lease-events.js'
import type { PendingRequest } from './lease-queue.js'
import { workerKindKey, type WorkerKind } from './worker-kind.js'

type EventOf<Kind extends LeaseEvent['kind']> = Extract<LeaseEvent, { kind: Kind }>

export function leaseRequest(event: EventOf<'requestLease'>): PendingRequest {
  const need = ResourceSet.from(event.key.resources)
  const target = targetOf(event.key.strategy)
  const affinity = affinityOf(event.key.strategy)
  const labels = event.key.strategy.labels ?? []
  const workerKind = kindOf(event.jobId, event.key.environment, need)
  return {
    ...blank(event.name, event.depth, event.from),
    jobId: event.jobId,
    need,
    hold: need,
    target,
    labels,
    workerKind,
    shape:
      `${need.key()}|${placeText(target)}${affinityText(affinity)}|${labelText(labels)}` +
      workerKindKey(workerKind),
    request: event.request,
    task: event.task,
    reads: event.task?.reads ?? event.reads,
    isOnce: event.isOnce === true,
    isSpread: event.key.strategy.kind === 'spread',
    affinity,
    asked: event,
    passedBy: event.passed?.by ?? 0,
  }
}

export function actorRequest(event: EventOf<'placeActor'>): PendingRequest {
  const { spec, incarnation, attempt, jobId } = event
  const hold = ResourceSet.from(spec.resources)
  const need = hold.atLeast(ResourceSet.from(spec.placement))
  const target = targetOf(spec.strategy)
  const affinity = affinityOf(spec.strategy)
  const labels = spec.strategy.labels ?? []
  const workerKind = kindOf(jobId, spec.environment, need)
  return {
    ...blank(spec.className, spec.depth, 0),
    jobId,
    need,
    hold,
    target,
    labels,
    workerKind,
    shape:
      `actor|${need.key()}|${hold.key()}|${placeText(target)}${affinityText(affinity)}|` +
      labelText(labels) +
      workerKindKey(workerKind),
    affinity,
    actor: { spec, incarnation, attempt },
  }
}

export function reservationRequest(room: Room): PendingRequest {
  const { key, name, jobId, depth } = room
  const need = ResourceSet.from(room.need)
  return {
    ...blank(name, depth, 0),
    jobId,
    need,
    hold: need,
    workerKind: kindOf(jobId, '', ResourceSet.empty),
    shape: `reserve|${need.key()}`,
    reservation: key,
  }
}

type Blank = Omit<PendingRequest, 'jobId' | 'need' | 'hold' | 'workerKind' | 'shape'>

function blank(name: string, depth: number, owner: ProcessId): Blank {
  return {
    name,
    depth,
    owner,
    target: undefined,
    labels: [],
    request: -1,
    task: undefined,
    reads: undefined,
    isOnce: false,
    actor: undefined,
    reservation: undefined,
    isSpread: false,
    affinity: undefined,
    asked: undefined,
    passedBy: 0,
    refusedBy: new Map(),
    sequence: 0,
    overtaken: 0,
  }
}

function kindOf(jobId: string, environment: string, need: ResourceSet): WorkerKind {
  return { jobId, environment, usesGpu: need.get('GPU') > 0 }
}

function targetOf({ kind, target }: SchedulingStrategy): PlacementGroupTarget | undefined {
  return kind === 'placementGroup' ? target : undefined
}

function affinityOf({ kind, nodeId, soft }: SchedulingStrategy): PendingRequest['affinity'] {
  if (kind !== 'nodeAffinity' || nodeId === undefined) return undefined
  return { nodeId, soft: soft === true }
}

function placeText(target: PlacementGroupTarget | undefined): string {
  return target === undefined ? '' : `${target.group}#${target.bundle}`
}

function affinityText(affinity: PendingRequest['affinity']): string {
  return affinity === undefined ? '' : `@${affinity.nodeId}${affinity.soft ? '?' : ''}`
}

function labelText(labels: PendingRequest['labels']): string {
  return labels.length === 0 ? '' : `${JSON.stringify(labels)}|`
}
