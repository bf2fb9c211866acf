// Why an actor is dead, in the words that its callers read.

import type { ObjectKey, ProcessExit, SelfExit, WireError } from '../wire/messages/terms.js'
import type { ActorState } from '../wire/messages/raylet.js'
import { objectIdHex, workerIdHex } from '../base/ids.js'

export type Death = ActorState & { readonly state: 'dead' }

/** What an actor called that ended itself, by the reason of its exit. */
const selfExits: Readonly<Record<SelfExit, string>> = {
  exitActor: 'it ended itself with exitActor()',
  __ray_terminate__: 'it was ended by __ray_terminate__',
}

/** An actor that ends itself is not restarted: that was no crash. */
export function isSelfExit(exit: ProcessExit): exit is ProcessExit & { readonly reason: SelfExit } {
  return Object.hasOwn(selfExits, exit.reason)
}

export interface ActorName {
  readonly actor: ObjectKey
  readonly className: string
}

/** Of a worker that ended while its node could not say so. */
export const unreportedExit: ProcessExit = {
  pid: 0,
  exitCode: null,
  signal: null,
  stderr: [],
  reason: 'it ended while the GCS was away',
  started: -1,
}

export function actorIdHex(actor: ObjectKey): string {
  return objectIdHex(actor[0], actor[1])
}

function dead(name: ActorName, cause: string, why: string): Death {
  const message = `Actor ${name.className} (${actorIdHex(name.actor)}) is dead: ${why}`
  return { state: 'dead', cause, message }
}

export function outOfScope(name: ActorName): Death {
  return dead(
    name,
    'outOfScope',
    `every handle to it was dropped. Keep a handle for as long as it is needed, or create it ` +
      `with lifetime: 'detached'.`,
  )
}

export function killed(name: ActorName, reason: string): Death {
  const more = reason === '' || reason === 'ray.kill' ? '' : ` (${reason})`
  return dead(name, 'kill', `it was ended by ray.kill${more}.`)
}

export function exited(name: ActorName, exit: ProcessExit & { readonly reason: SelfExit }): Death {
  return { ...dead(name, 'exited', `${selfExits[exit.reason]}.`), exit }
}

export function ownerDied(name: ActorName): Death {
  const owner = workerIdHex(name.actor[0])
  return dead(
    name,
    'ownerDied',
    `its owner, process ${owner}, died. Create it with lifetime: 'detached' to let it live on.`,
  )
}

export function jobFinished(name: ActorName, jobId: string): Death {
  return dead(
    name,
    'ownerDied',
    `its job ${jobId} has finished. Create it with lifetime: 'detached' to let it live on.`,
  )
}

export function creationFailed(name: ActorName, error: Uint8Array): Death {
  return { ...dead(name, 'creationFailed', `its constructor threw an error.`), error }
}

export function crashed(name: ActorName, exit: ProcessExit, maxRestarts: number): Death {
  const how = `its worker process ${describeExit(exit)}.`
  const why = `${how} ${describeRestarts(maxRestarts)}${quoteStderr(exit)}`
  return { ...dead(name, 'crash', why), exit }
}

export function nodeDied(name: ActorName, nodeId: string, maxRestarts: number): Death {
  return dead(
    name,
    'nodeDied',
    `node ${nodeId}, on which it ran, died. ${describeRestarts(maxRestarts)}`,
  )
}

/** It was never created. */
export function nameTaken(spec: ActorName & { readonly name: string }, holder: ObjectKey): Death {
  const why = `its name ${spec.name} belongs to actor ${actorIdHex(holder)}; use that one's handle.`
  return dead(spec, 'nameTaken', why)
}

/** No node can ever host it. */
export function unschedulable(name: ActorName, why: string): Death {
  return dead(name, 'unschedulable', why)
}

export function groupRemoved(name: ActorName, group: string): Death {
  return dead(name, 'placementGroupRemoved', `its placement group ${group} was removed.`)
}

/** The raylet says that it can never be placed. */
export function refused(name: ActorName, error: WireError): Death {
  const causes: Readonly<Record<string, string>> = {
    RAY_ACTOR_UNSCHEDULABLE: 'unschedulable',
    RAY_ACTOR_PLACEMENT_GROUP_REMOVED: 'placementGroupRemoved',
  }
  return dead(name, causes[error.code] ?? 'creationFailed', error.message)
}

function describeExit(exit: ProcessExit): string {
  const reason = exit.reason === '' ? '' : ` (${exit.reason})`
  if (exit.signal !== null) return `${exit.pid} was ended by signal ${exit.signal}${reason}`
  if (exit.exitCode !== null) return `${exit.pid} exited with code ${exit.exitCode}${reason}`
  if (exit === unreportedExit) return `is gone${reason}`
  return `${exit.pid} is gone${reason}`
}

function describeRestarts(maxRestarts: number): string {
  if (maxRestarts === 0) return 'It is not restarted; maxRestarts is 0.'
  return `It was restarted as often as maxRestarts allows (${maxRestarts}).`
}

function quoteStderr(exit: ProcessExit): string {
  if (exit.stderr.length === 0) return ''
  return ` Its last lines on stderr:\n${exit.stderr.map((line) => `  ${line}`).join('\n')}`
}
