// The object store as a driver or worker uses it: writing is synchronous, reading gives zero-copy
// views.
//
// A writer asks the raylet for room over a blocking socket of its own, so that `ray.put` needs no
// turn of the event loop even when the store is full and the raylet must spill first. A reader maps
// the object for itself; the raylet keeps the pages until every process that mapped them says it
// has unmapped them.

import { errorTypes, OutOfDiskError, RaySystemError, type RayError } from '../base/errors.js'
import type { ProcessId } from '../base/ids.js'
import { storeWaitMs } from '../base/limits.js'
import { ObjectReader, ObjectWriter, StoreChannel, type Memory } from '../store/index.js'
import { packMessage, unpackMessage } from '../wire/control-channel.js'
import type { Location, ObjectKey, WireError } from '../wire/messages/terms.js'
import type { StoreRequest, StoreResponse, Welcome } from '../wire/messages/raylet.js'
import {
  headerBytesNeeded,
  readObject,
  readObjectHeader,
  type ObjectHeader,
  type ObjectLayout,
} from '../wire/object-layout.js'
import { noteHeld } from './garbage.js'
import { keysOf, type RayletSender } from './reference-holder.js'
import type { ObjectRef } from './object-ref.js'
import type { ObjectParts } from './value-port.js'

/** Spilling gigabytes takes a while; the raylet itself falls back to a file after storeWaitMs. */
const allocateTimeoutMs = storeWaitMs * 30
const contiguousBytesMax = 0xffff_f000

export function errorFromWire(error: WireError): RayError {
  const type = errorTypes.get(error.code) ?? RaySystemError
  return new type(error.message, { fields: error.fields ?? {} })
}

export class StoreAccess {
  readonly #process: ProcessId
  readonly #token: string
  readonly #welcome: Welcome
  readonly #raylet: RayletSender
  readonly #now: () => number
  #channel: StoreChannel | null = null
  #writer: ObjectWriter | null = null
  #reader: ObjectReader | null = null
  #unpinned: ObjectKey[] = []

  constructor(options: {
    process: ProcessId
    token: string
    welcome: Welcome
    raylet: RayletSender
    now: () => number
  }) {
    this.#process = options.process
    this.#token = options.token
    this.#welcome = options.welcome
    this.#raylet = options.raylet
    this.#now = options.now
  }

  get #arena(): Memory {
    return { fd: this.#welcome.arenaFile, sizeBytes: this.#welcome.arenaBytes }
  }

  /**
   * Writes an object into the store and seals it under `key`. Blocks this thread while the store
   * makes room.
   */
  put(
    key: ObjectKey,
    layout: ObjectLayout,
    { refs, attempt = 0 }: { refs: readonly ObjectRef[]; attempt?: number },
  ): void {
    this.#channel ??= new StoreChannel(this.#welcome.storeAddress, this.#now)
    const request: StoreRequest = {
      kind: 'allocate',
      process: this.#process,
      token: this.#token,
      sizeBytes: layout.sizeBytes,
    }
    // What was sealed or released before in this turn is what the store can spill or free for it.
    this.#raylet.flush()
    const reply = this.#channel.call(packMessage(request), allocateTimeoutMs)
    const response = unpackMessage(reply) as StoreResponse
    if ('error' in response) throw errorFromWire(response.error)
    const { allocation, location } = response
    try {
      this.#writer ??= new ObjectWriter({ pid: this.#welcome.rayletPid, arena: this.#arena })
      this.#writer.write(location, layout)
    } catch (error) {
      this.#raylet.send({ kind: 'abortAllocation', allocation })
      throw writeFailure(error, layout.sizeBytes)
    }
    this.#raylet.send({
      kind: 'seal',
      allocation,
      object: key,
      sizeBytes: layout.sizeBytes,
      ...(refs.length > 0 && { contains: keysOf(refs) }),
      ...(attempt > 0 && { attempt }),
    })
  }

  /** Views on a stored object. It stays pinned until all of them are collected. */
  read(key: ObjectKey, location: Location): ObjectParts & { close(): void } {
    noteHeld()
    this.#reader ??= new ObjectReader({ pid: this.#welcome.rayletPid, arena: this.#arena })
    const reader = this.#reader
    if (location.sizeBytes <= contiguousBytesMax) {
      const mapping = reader.map(location, { onUnmapped: this.#unpinner(key, 1) })
      return { ...readObject(mapping.bytes), close: () => mapping.close() }
    }
    return this.#readPieces(key, location, reader)
  }

  // Node cannot lay one view over more than 4 GiB, so every buffer of a larger object is mapped by
  // itself.
  #readPieces(
    key: ObjectKey,
    location: Location,
    reader: ObjectReader,
  ): ObjectParts & { close(): void } {
    const header = this.#readHeader(location, reader)
    const onUnmapped = this.#unpinner(key, header.buffers.length)
    const copyOf = (part: { offset: number; size: number }): Uint8Array => {
      const mapping = reader.map(location, { offset: part.offset, sizeBytes: part.size })
      const bytes = mapping.bytes.slice()
      mapping.close()
      return bytes
    }
    const buffers = header.buffers.map((part) =>
      reader.map(location, { offset: part.offset, sizeBytes: part.size, onUnmapped }),
    )
    return {
      meta: copyOf(header.meta),
      bytes: copyOf(header.bytes),
      buffers: buffers.map((mapping) => mapping.bytes),
      close: () => buffers.forEach((mapping) => mapping.close()),
    }
  }

  #readHeader(location: Location, reader: ObjectReader): ObjectHeader {
    let sizeBytes = 4096
    for (;;) {
      const mapping = reader.map(location, { offset: 0, sizeBytes })
      const header = readObjectHeader(mapping.bytes)
      const need = header === undefined ? headerBytesNeeded(mapping.bytes) : 0
      mapping.close()
      if (header !== undefined) return header
      sizeBytes = Math.max(need, sizeBytes * 2)
    }
  }

  // Made here, and not where the mapping is: closures of one scope share what any of them captures,
  // and this one would keep the mapping, whose end it waits for, from being collected.
  #unpinner(key: ObjectKey, mappings: number): () => void {
    let open = mappings
    return () => {
      if (--open === 0) this.#unpin(key)
    }
  }

  #unpin(key: ObjectKey): void {
    this.#unpinned.push(key)
    if (this.#unpinned.length === 1) queueMicrotask(() => this.#flushUnpinned())
  }

  #flushUnpinned(): void {
    const objects = this.#unpinned
    this.#unpinned = []
    this.#raylet.send({ kind: 'unpin', objects })
  }

  close(): void {
    this.#channel?.close()
    this.#writer?.close()
    this.#reader?.close()
  }
}

function writeFailure(error: unknown, sizeBytes: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'ENOSPC' && code !== 'EFBIG' && code !== 'EDQUOT') return error
  return new OutOfDiskError(
    `No room for an object of ${sizeBytes} bytes: the memory or disk under the object store ` +
      `is full (${code}). ` +
      'Free refs, or start with a larger objectStoreMemory or another spill folder.',
    { cause: error, fields: { sizeBytes, code } },
  )
}
