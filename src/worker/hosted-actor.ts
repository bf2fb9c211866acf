// The actor that this process is, as its own code sees it.

import { objectIdHex } from '../base/ids.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import { ActorCore, type AnyActorHandle, bindingOf, makeHandle } from './actor-handle.js'
import { ObjectRef, refState } from './object-ref.js'

export interface HostedActor {
  readonly id: string
  readonly name: string | undefined
  readonly handle: AnyActorHandle
  readonly wasReconstructed: boolean
}

export function hostedActor(started: Extract<FromRaylet, { kind: 'startActor' }>): HostedActor {
  const { spec, incarnation } = started
  const [owner, sequence] = spec.actor
  // As a handle to itself would keep the actor alive for ever, this one is not counted.
  const ref = new ObjectRef(owner, sequence)
  ref.state = refState.primitive
  ref.isKnown = true
  const binding = { ...bindingOf(spec), isWeak: true }
  return {
    id: objectIdHex(owner, sequence),
    name: spec.name === '' ? undefined : spec.name,
    handle: makeHandle(new ActorCore(ref, binding)),
    wasReconstructed: incarnation > 0,
  }
}
