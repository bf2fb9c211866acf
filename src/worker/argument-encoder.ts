// Turns the arguments of a call into the bytes of its frame.
//
// The common case - numbers, short strings, small plain objects, and refs whose small values are
// here already - is written straight into the slab. Everything else goes through the codec once. A
// top-level ref stands for its value: it becomes a slot, filled with the value when that is small
// and here, otherwise with the id for the worker to fetch. The frame is complete only when every
// such ref is ready; the other arguments are encoded at once, because the caller may change them.

import { writeU32, writeU48 } from '../base/bytes.js'
import type { ProcessId } from '../base/ids.js'
import { inlineBytesMax } from '../base/limits.js'
import { packMessage } from '../wire/control-channel.js'
import type { frameType } from '../wire/frame.js'
import { bodyTag, pushFlag, pushHeadBytes, writePushHead } from '../wire/frame.js'
import { encodeSmall } from '../wire/small-codec.js'
import { ArgumentSlot } from './argument-slot.js'
import { refuseEnded } from './current-core.js'
import {
  isFailed,
  ObjectRef,
  refState,
  type RefWaiter,
  addWaiter,
  isBorrowed,
} from './object-ref.js'
import type { ReferenceHolder } from './reference-holder.js'
import type { SlabWriter } from './slab.js'
import { slabRoomBytes } from './slab.js'
import type { StoreAccess } from './store-access.js'
import type { Task } from './task.js'
import { writeLayout, type ValuePort } from './value-port.js'

export interface CallHead {
  readonly type: typeof frameType.push | typeof frameType.call
  readonly returns: number
  /** Function or method number. */
  readonly fn: number
  /** MessagePack of a PushExtension, or null. */
  readonly extension: Uint8Array | null
  readonly name: string
}

export interface EncoderPorts {
  readonly process: ProcessId
  readonly values: ValuePort
  readonly references: ReferenceHolder
  readonly store: () => StoreAccess
  readonly nextSequence: () => number
  /** Asks for a borrowed ref to become ready (without its value). */
  readonly awaitReady: (ref: ObjectRef) => void
  /** A pending ref of ours is known outside from now on. */
  readonly escapedPending: (ref: ObjectRef) => void
}

/**
 * What is left to do for a task whose refs are not ready: nothing, or the failed ref that it
 * depends on.
 */
export type Encoded = 'ready' | 'waiting' | ObjectRef

const noSlots = packMessage([])

export class ArgumentEncoder {
  readonly #ports: EncoderPorts

  constructor(ports: EncoderPorts) {
    this.#ports = ports
  }

  /**
   * Writes the frame of a call with small arguments. False: they are not, and nothing was written.
   */
  encodeSmall(task: Task, head: CallHead, args: readonly unknown[], frames: SlabWriter): boolean {
    const count = args.length
    if (count > 255) return false
    const start = frames.begin()
    const b = frames.slab
    const limit = start + slabRoomBytes
    let at = start + pushHeadBytes
    let flags = 0
    if (head.extension !== null) {
      flags = pushFlag.extended
      at = writeExtension(b, at, head.extension)
    }
    if (count === 0) flags |= pushFlag.noArguments
    else {
      b[at++] = count
      for (let i = 0; i < count; i++) {
        const value = args[i]
        at =
          value instanceof ObjectRef
            ? encodeRef(b, at, limit, value)
            : encodeSmall(b, at, limit, value)
        if (at < 0) return false
      }
    }
    this.#finish(task, head, { frames, start, end: at, flags })
    return true
  }

  #finish(
    task: Task,
    head: CallHead,
    frame: { frames: SlabWriter; start: number; end: number; flags: number },
  ): void {
    const { frames, start, end } = frame
    const flags = task.ref.isKnown ? frame.flags | pushFlag.escaped : frame.flags
    writePushHead(frames.slab, start, {
      type: head.type,
      flags,
      attempt: 0,
      returns: head.returns,
      sequence: task.ref.sequence,
      fn: head.fn,
    })
    writeU32(frames.slab, start, end - start - 4)
    frames.at = end
    task.slab = frames.slab
    task.start = start
    task.end = end
  }

  /**
   * Writes the frame of any call. 'waiting': `whenReady` is called once it is written, or with the
   * ref that failed.
   */
  encodeFull(
    task: Task,
    head: CallHead,
    call: {
      args: readonly unknown[]
      frames: SlabWriter
      whenReady: (failed: ObjectRef | null) => void
    },
  ): Encoded {
    const open = pendingOf(call.args)
    if (
      open !== null &&
      open.length > 0 &&
      open.every((ref) => !isBorrowed(ref, this.#ports.process))
    ) {
      return this.#encodeLater(task, head, call, open)
    }
    const slots: ObjectRef[] = []
    const args = call.args.map((value) =>
      value instanceof ObjectRef ? slotOf(value, slots) : value,
    )
    const { layout, refs } = this.#ports.values.encode(args, `arguments of ${head.name}`)
    this.#ports.references.escape(refs, this.#ports.escapedPending)
    let payload: Uint8Array
    let flags: number = pushFlag.full
    const pins: unknown[] = [...slots, ...refs]
    if (layout.sizeBytes > inlineBytesMax) {
      flags |= pushFlag.stored
      const holder = this.#storeArguments(layout, refs)
      task.argumentHolder = holder
      payload = storedArguments(holder)
    } else {
      payload = new Uint8Array(layout.sizeBytes)
      writeLayout(layout, payload, 0)
    }
    task.pins = pins
    if (refs.length > 0) task.nested = refs
    const complete = (): void =>
      this.#complete(task, head, { frames: call.frames, slots, payload, flags })
    const pending = slots.filter((ref) => ref.state === refState.pending)
    const failed = slots.find(isFailed)
    if (failed !== undefined) return failed
    if (pending.length === 0) {
      complete()
      return 'ready'
    }
    new DependencyWaiter(pending, (failedRef) => {
      if (failedRef === null) complete()
      call.whenReady(failedRef)
    })
    for (const ref of pending) if (isBorrowed(ref, this.#ports.process)) this.#ports.awaitReady(ref)
    return 'waiting'
  }

  // Nothing among the arguments can change but the refs: they are encoded when those are ready, on
  // the short path if possible.
  #encodeLater(
    task: Task,
    head: CallHead,
    call: {
      args: readonly unknown[]
      frames: SlabWriter
      whenReady: (failed: ObjectRef | null) => void
    },
    pending: readonly ObjectRef[],
  ): Encoded {
    task.pins = call.args
    new DependencyWaiter(pending, (failedRef) => {
      const failed =
        failedRef ??
        (call.args.find((arg) => arg instanceof ObjectRef && isFailed(arg)) as
          ObjectRef | undefined)
      if (failed !== undefined) call.whenReady(failed)
      else if (this.encodeSmall(task, head, call.args, call.frames)) call.whenReady(null)
      else {
        const encoded = this.encodeFull(task, head, call)
        if (encoded === 'ready') call.whenReady(null)
        else if (encoded !== 'waiting') call.whenReady(encoded)
      }
    })
    return 'waiting'
  }

  #storeArguments(
    layout: Parameters<StoreAccess['put']>[1],
    refs: readonly ObjectRef[],
  ): ObjectRef {
    const { process, references } = this.#ports
    const holder = new ObjectRef(process, this.#ports.nextSequence())
    this.#ports.store().put([process, holder.sequence], layout, { refs })
    holder.state = refState.stored
    references.hold(holder)
    return holder
  }

  #complete(
    task: Task,
    head: CallHead,
    frame: { frames: SlabWriter; slots: readonly ObjectRef[]; payload: Uint8Array; flags: number },
  ): void {
    const slots =
      frame.slots.length === 0
        ? noSlots
        : packMessage(frame.slots.map((ref) => this.#slotValue(ref)))
    const extension = head.extension === null ? 0 : 2 + head.extension.length
    const size = pushHeadBytes + extension + 4 + slots.length + frame.payload.length
    const start = frame.frames.beginLarge(size)
    const b = frame.frames.slab
    let at = start + pushHeadBytes
    if (head.extension !== null) at = writeExtension(b, at, head.extension)
    writeU32(b, at, slots.length)
    b.set(slots, at + 4)
    b.set(frame.payload, at + 4 + slots.length)
    const flags = head.extension === null ? frame.flags : frame.flags | pushFlag.extended
    this.#finish(task, head, { frames: frame.frames, start, end: start + size, flags })
  }

  // A value that nests refs is not copied into the frame: the worker borrows it, and with it what
  // it nests.
  #slotValue(ref: ObjectRef): Uint8Array | readonly [number, number] {
    const isHere = ref.state === refState.primitive || ref.state === refState.body
    if (isHere && (ref.nested === null || ref.nested.length === 0)) {
      return this.#ports.references.bodyOf(ref)
    }
    refuseEnded(ref.owner, String(ref))
    this.#ports.references.escape([ref], this.#ports.escapedPending)
    return [ref.owner, ref.sequence]
  }
}

/**
 * The pending refs among arguments that are all refs or primitives; null if there is anything that
 * could change.
 */
function pendingOf(args: readonly unknown[]): ObjectRef[] | null {
  const pending: ObjectRef[] = []
  for (const arg of args) {
    if (arg instanceof ObjectRef) {
      if (arg.state === refState.pending) pending.push(arg)
    } else if ((typeof arg === 'object' && arg !== null) || typeof arg === 'function') return null
  }
  return pending
}

function slotOf(ref: ObjectRef, slots: ObjectRef[]): ArgumentSlot {
  let index = slots.indexOf(ref)
  if (index < 0) index = slots.push(ref) - 1
  return new ArgumentSlot(index)
}

function storedArguments(holder: ObjectRef): Uint8Array {
  const bytes = new Uint8Array(12)
  writeU48(bytes, 0, holder.owner)
  writeU48(bytes, 6, holder.sequence)
  return bytes
}

function writeExtension(b: Uint8Array, at: number, extension: Uint8Array): number {
  b[at] = extension.length
  b[at + 1] = extension.length >>> 8
  b.set(extension, at + 2)
  return at + 2 + extension.length
}

/** The value of a top-level ref, if it is small and here. */
function encodeRef(b: Uint8Array, at: number, limit: number, ref: ObjectRef): number {
  if (ref.state === refState.primitive) return encodeSmall(b, at, limit, ref.value)
  return ref.state === refState.body ? spliceBody(b, at, limit, ref) : -1
}

// A small value is a tree of tags that means the same anywhere, so its bytes can be copied as they
// are.
function spliceBody(b: Uint8Array, at: number, limit: number, ref: ObjectRef): number {
  const body = ref.value as Uint8Array
  const end = at + body.length - 1
  if (body[0] !== bodyTag.small || end > limit) return -1
  for (let i = 1; i < body.length; i++) b[at + i - 1] = body[i]!
  return end
}

class DependencyWaiter implements RefWaiter {
  #left: number
  readonly #done: (failed: ObjectRef | null) => void

  constructor(refs: readonly ObjectRef[], done: (failed: ObjectRef | null) => void) {
    this.#left = refs.length
    this.#done = done
    for (const ref of refs) addWaiter(ref, this)
  }

  refReady(ref: ObjectRef): void {
    if (this.#left <= 0) return
    if (isFailed(ref)) {
      this.#left = 0
      this.#done(ref)
    } else if (--this.#left === 0) this.#done(null)
  }
}
