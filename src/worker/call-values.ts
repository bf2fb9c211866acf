// Arguments of an incoming call, decoded; results, encoded into the replies to its owner.

import { readU32, readU48, writeU32, writeU48 } from '../base/bytes.js'
import { inlineBytesMax } from '../base/limits.js'
import { describeInPlace, messageOf } from '../base/thrown.js'
import { unpackMessage } from '../wire/control-channel.js'
import { bodyTag, pushFlag } from '../wire/frame.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { PushExtension } from '../wire/messages/task.js'
import { readObject } from '../wire/object-layout.js'
import { decodeSmall, smallEnd } from '../wire/small-codec.js'
import type { CoreWorker } from './core-worker.js'
import { ObjectRef, refState } from './object-ref.js'
import type { OwnerConnection, Incoming } from './owner-connection.js'
import { keysOf } from './reference-holder.js'
import { encodeReport, type TaskReport } from './task-error.js'
import { bodyFromLayout } from './value-port.js'

export interface Call {
  readonly extension: PushExtension
  /** The arguments, or a promise where something must be fetched or loaded. */
  readonly args: unknown[] | Promise<unknown[]>
}

const noExtension: PushExtension = {}
const noArgs: unknown[] = []

export function readCall(core: CoreWorker, task: Incoming): Call {
  const { buffer, flags, end } = task
  let at = task.start
  let extension = noExtension
  if ((flags & pushFlag.extended) !== 0) ({ extension, at } = readExtension(task))
  return { extension, args: readArguments(core, flags, buffer.subarray(at, end)) }
}

/** Where the arguments of a call begin. */
export function argumentsAt({ buffer, start, flags }: Incoming): number {
  if ((flags & pushFlag.extended) === 0) return start
  return start + 2 + (buffer[start]! | (buffer[start + 1]! << 8))
}

/** The extension of a call that has one, and where its arguments begin. */
export function readExtension({ buffer, start }: Incoming): {
  readonly extension: PushExtension
  readonly at: number
} {
  const size = buffer[start]! | (buffer[start + 1]! << 8)
  const at = start + 2 + size
  return { extension: unpackMessage(buffer.subarray(start + 2, at)) as PushExtension, at }
}

/**
 * Arguments as in a push frame, behind its head and extension. Also those of an actor's
 * constructor.
 */
export function readArguments(
  core: CoreWorker,
  flags: number,
  bytes: Uint8Array,
): unknown[] | Promise<unknown[]> {
  if ((flags & pushFlag.noArguments) !== 0) return noArgs
  if ((flags & pushFlag.full) === 0) {
    const count = bytes[0]!
    const args: unknown[] = new Array(count)
    let at = 1
    for (let i = 0; i < count; i++) {
      args[i] = decodeSmall(bytes, at)
      at = smallEnd()
    }
    return args
  }
  return readFull(core, flags, bytes)
}

async function readFull(core: CoreWorker, flags: number, bytes: Uint8Array): Promise<unknown[]> {
  const slotsSize = readU32(bytes, 0)
  const slots = unpackMessage(bytes.subarray(4, 4 + slotsSize)) as (Uint8Array | [number, number])[]
  const payload = bytes.slice(4 + slotsSize)
  const values = await Promise.all(slots.map((slot) => slotValue(core, slot)))
  if ((flags & pushFlag.stored) === 0) {
    return (await core.values.decode(readObject(payload), null, values)) as unknown[]
  }
  const holder = new ObjectRef(readU48(payload, 0), readU48(payload, 6))
  holder.state = refState.stored
  return (await core.objects.fetchArguments(holder, values)) as unknown[]
}

async function slotValue(core: CoreWorker, slot: Uint8Array | [number, number]): Promise<unknown> {
  if (slot instanceof Uint8Array) return core.values.decodeBody(slot, null)
  return core.objects.fetchValue(slot)
}

/** Makes an encoded value of this process's refs known and lends them to its owner. */
function lendNested(core: CoreWorker, to: number, refs: readonly ObjectRef[]): void {
  if (refs.length === 0) return
  core.references.escape(refs, (ref) => core.escapedPending(ref))
  core.references.lend(to, refs)
}

/**
 * A result body for one return value, or one item of a stream, under its id. Large values go to the
 * store.
 */
export function resultBody(
  core: CoreWorker,
  value: unknown,
  call: { owner: number; sequence: number; attempt: number; name: string },
): { body: Uint8Array; contains: readonly ObjectRef[] } {
  const made = core.values.bodyOf(value, `result of ${call.name}`)
  if ('body' in made) {
    lendNested(core, call.owner, made.refs)
    return { body: made.body, contains: made.refs }
  }
  // The stored object holds what it nests; whoever gets it is lent that by the raylet.
  core.references.escape(made.refs, (ref) => core.escapedPending(ref))
  const { attempt } = call
  core.store.put([call.owner, call.sequence], made.layout, { refs: made.refs, attempt })
  return { body: storedBody(made.layout.sizeBytes, core.process), contains: made.refs }
}

function storedBody(sizeBytes: number, maker: number): Uint8Array {
  const body = new Uint8Array(13)
  body[0] = bodyTag.stored
  writeU48(body, 1, sizeBytes)
  writeU48(body, 7, maker)
  return body
}

export function endBody(items: number): Uint8Array {
  const body = new Uint8Array(5)
  body[0] = bodyTag.end
  writeU32(body, 1, items)
  return body
}

/**
 * An error body for what user code threw. What cannot travel is replaced by a description of
 * itself.
 */
export function errorBody(core: CoreWorker, to: number, report: TaskReport): Uint8Array {
  const attempt = (value: unknown): Uint8Array | null => {
    const made = core.values.encode(value, `error of ${report.functionName}`)
    if (made.layout.sizeBytes > inlineBytesMax) return null
    lendNested(core, to, made.refs)
    return bodyFromLayout(bodyTag.error, made.layout)
  }
  let why = 'the error is too large to travel'
  try {
    const body = attempt(encodeReport(report))
    if (body !== null) return body
  } catch (problem) {
    why = messageOf(problem)
  }
  const reduced: TaskReport = {
    ...report,
    cause: describeInPlace(report.cause),
    unserializable: `what was thrown is not serializable: ${why}`,
  }
  return attempt(encodeReport(reduced))!
}

/**
 * Settles an escaped ref at the raylet, for borrowers that must not depend on its owner's event
 * loop.
 */
export function settleAtRaylet(
  core: CoreWorker,
  connection: OwnerConnection,
  result: { sequence: number; body: Uint8Array; contains: readonly ObjectRef[] },
): void {
  if (result.body[0] === bodyTag.stored) return
  core.raylet.send({
    kind: 'settle',
    object: [connection.owner, result.sequence],
    body: result.body,
    ...(result.contains.length > 0 && { contains: keysOf(result.contains) }),
  })
}

/** The same for a result that was sent before its ref escaped: its body is all that is left. */
export function settleSent(core: CoreWorker, [owner, sequence]: ObjectKey, body: Uint8Array): void {
  if (body[0] === bodyTag.several) {
    const count = readU32(body, 1)
    for (let i = 0, at = 5; i < count; i++) {
      const size = readU32(body, at)
      settleSent(core, [owner, sequence + i], body.subarray(at + 4, at + 4 + size))
      at += 4 + size
    }
    return
  }
  // The store has it already, or it is a stream, whose items have refs of their own.
  if (body[0] === bodyTag.stored || body[0] === bodyTag.end) return
  const contains = core.values.keysInBody(body)
  core.raylet.send({
    kind: 'settle',
    object: [owner, sequence],
    body,
    ...(contains.length > 0 && { contains }),
  })
}
