// The actor that this process is, as its own code sees it.

import { objectIdHex } from '../base/ids.js'
import { ActorCore, type AnyActorHandle, bindingOf, makeHandle } from './actor-handle.js'
import type { CoreWorker } from './core-worker.js'
import { ObjectRef, refState } from './object-ref.js'

export interface HostedActor {
  readonly id: string
  readonly name: string | undefined
  readonly handle: AnyActorHandle
  readonly wasReconstructed: boolean
}

/** Undefined in a process that is no actor. */
export function hostedActor(core: CoreWorker): HostedActor | undefined {
  if (core.hosted === null) return undefined
  const { spec, incarnation } = core.hosted
  const [owner, sequence] = spec.actor
  // As a handle to itself would keep the actor alive for ever, this one is not counted.
  const ref = new ObjectRef(owner, sequence)
  ref.state = refState.primitive
  ref.isKnown = true
  const binding = { ...bindingOf(spec), isWeak: true }
  return {
    id: objectIdHex(owner, sequence),
    name: spec.name === '' ? undefined : spec.name,
    handle: makeHandle(new ActorCore(core, ref, binding)),
    wasReconstructed: incarnation > 0,
  }
}
