// What a raylet knows of a value that is gone while somebody still holds its object.
//
// When the last copy of a value is lost with a node, the owner may have it made again: the object
// is pending once more, and its getters wait. The owner is told at once, so that many values are
// made again at the same time. A value that was freed is not lost, unless the owner needs it for
// making another one: then it is lost as soon as it is asked for. What the owner made itself, by
// `put`, nobody can make again.

import { objectIdHex, workerIdHex } from '../base/ids.js'
import { bodyTag } from '../wire/frame.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import type { WireError } from '../wire/messages/terms.js'
import type { ObjectEntry } from './object-entry.js'

export interface ObjectLoss {
  /** How it came, for the error message: 'node N1 has died'. */
  readonly reason: string
  /** The owner was asked for the value. */
  isTold: boolean
  /** Nobody can make it again. */
  readonly isFinal: boolean
}

type Ready = Extract<FromRaylet, { kind: 'ready' }>
export type ObjectLost = Extract<FromRaylet, { kind: 'objectLost' }>

/** Joins what is to be told: one message for each owner and reason. */
export function lossMessages(
  entries: readonly ObjectEntry[],
): { readonly to: number; readonly message: ObjectLost }[] {
  const messages = new Map<string, { to: number; message: ObjectLost; objects: number[][] }>()
  for (const { key, attempt, loss } of entries) {
    if (loss === null) continue
    const { reason } = loss
    const [to, sequence] = key
    const id = `${to} ${reason}`
    let joined = messages.get(id)
    if (joined === undefined) {
      const objects: [number, number][] = []
      joined = { to, message: { kind: 'objectLost', objects, reason }, objects }
      messages.set(id, joined)
    }
    joined.objects.push([sequence, attempt])
  }
  return [...messages.values()].map(({ to, message }) => ({ to, message }))
}

/** Why the object has no value and will have none; undefined when it may have one. */
export function errorOf(entry: ObjectEntry): WireError | undefined {
  const [owner, sequence] = entry.key
  const { loss } = entry
  const id = objectIdHex(owner, sequence)
  const fields = { objectId: id, ownerId: workerIdHex(owner) }
  if (entry.isFreed) {
    const message =
      `Object ${id} was freed by ray.free or ref.free(). Keep it until all who ` +
      `need it have read it.`
    return { code: 'RAY_OBJECT_FREED', message, fields }
  }
  if (entry.isOwnerDead) {
    const how = loss === null ? '' : `: ${loss.reason}`
    const when = loss === null ? 'before the object was ready' : 'and cannot make it again'
    const message =
      `Object ${id} is lost${how}: process ${workerIdHex(owner)}, which owned it, ended ${when}. ` +
      'Submit the task again from a process that lives longer.'
    return { code: 'RAY_OWNER_DIED', message, fields }
  }
  if (loss?.isFinal !== true) return undefined
  const message =
    `Object ${id} is lost: ${loss.reason}. It cannot be computed again, because it was not made ` +
    'by a task: it comes from ray.put. Put it again.'
  return { code: 'RAY_OBJECT_LOST', message, fields }
}

/** For who waits for an object that its home does not know. */
export function unknownAnswer(entry: ObjectEntry, isSignal: boolean): Ready {
  const error = unknownError(entry)
  return isSignal ? signalOf(entry, error) : { kind: 'ready', object: entry.key, error }
}

function unknownError({ key: [owner, sequence] }: ObjectEntry): WireError {
  const id = objectIdHex(owner, sequence)
  const message =
    `Object ${id} is lost: its owner's node does not know it. It was released although a ref to ` +
    'it exists, because a process or node that passed it on died before its message arrived. ' +
    'Make it again.'
  const fields = { objectId: id, ownerId: workerIdHex(owner) }
  return { code: 'RAY_REFERENCE_COUNTING', message, fields }
}

/** The answer for who only wants to know whether it is ready. */
export function signalOf({ key, body }: ObjectEntry, error: WireError | undefined): Ready {
  const isFailed = error !== undefined || body?.[0] === bodyTag.error
  return { kind: 'ready', object: key, signal: true, ...(isFailed && { failed: true }) }
}

/** Attempts are counted in one byte. */
export function isLater(attempt: number, than: number): boolean {
  const ahead = (attempt - than) & 0xff
  return ahead > 0 && ahead < 128
}
