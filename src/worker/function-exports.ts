// Functions and classes that this process ships, and those that it received.
//
// A definition is the serialised closure with its attachments. It is exported to the raylet once,
// under the hash of its bytes, and fetched by the workers that need it. A function that captures
// its own remote handle cannot contain its own hash and gets a unique name instead.
//
// A class must have one identity wherever instances of it travel: the closure layer gives every
// function an id that stays with it (closure/identity), and a process that knows the id uses the
// class that it has.

import { SerializationError } from '../base/errors.js'
import type { ProcessId } from '../base/ids.js'
import { functionBytesMax } from '../base/limits.js'
import {
  definitionById,
  definitionIdOf,
  importFrom,
  rebuildClosure,
  serializeClosure,
  type ClosureHooks,
} from '../closure/index.js'
import { packMessage, unpackMessage } from '../wire/control-channel.js'
import {
  arrowCode,
  blockCode,
  loadArrow,
  loadedArrow,
  loadedBlockArrow,
} from '../wire/value-codec.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import { attachmentKindOf, codeOfAttachments, isRegisteredPrototype } from './attachment.js'
import type { ObjectRef } from './object-ref.js'
import { keysOf, type RayletSender, type ReferenceHolder } from './reference-holder.js'

// be shipped
export type Code = Function

/**
 * The hash of a definition, and the id that its function has in every process ('' where it travels
 * by import).
 */
export type CodeId = readonly [hash: string, definition: string]

interface Definition {
  readonly bytes: Uint8Array
  readonly attachments: readonly (0 | readonly [string, unknown, number])[]
  readonly refs: number
}

export interface AttachmentPort {
  encodeAttachments(values: readonly object[], refs: ObjectRef[]): (0 | [string, unknown, number])[]
  decodeAttachments(
    entries: readonly (0 | readonly [string, unknown, number])[],
    refs: readonly ObjectRef[],
  ): unknown[]
}

const hooks: ClosureHooks = {
  isAttachment: (value) => attachmentKindOf(value) !== undefined && !isRegisteredPrototype(value),
}

type Fetched = [bytes: Uint8Array | undefined, contains: readonly ObjectKey[]]

interface Fetch {
  readonly resolve: (fetched: Fetched) => void
  readonly reject: (error: Error) => void
}

export class FunctionExports {
  readonly #process: ProcessId
  readonly #raylet: RayletSender
  readonly #references: ReferenceHolder
  readonly #borrow: (owner: ProcessId, sequence: number) => ObjectRef
  /** Set once by the core worker: the value port needs this table and this table needs it. */
  attachments!: AttachmentPort
  readonly #ids = new WeakMap<Code, string>()
  readonly #inProgress = new Set<Code>()
  /** Functions that were rebuilt here, by the ids of their definitions. */
  readonly #code = new Map<string, Code>()
  /**
   * Functions that this process exported, by the same ids, to be found again when they come home.
   * Held weakly: with a function goes what it captures, and one that has gone is rebuilt like any
   * other.
   */
  readonly #exported = new Map<string, WeakRef<Code>>()
  readonly #loading = new Map<string, Promise<Code>>()
  /** Definitions that the raylet was asked for. */
  readonly #fetches = new Map<string, Fetch>()
  /**
   * Called with 1 when a load begins and with -1 when it ends: the program must not end meanwhile.
   */
  holds: (count: 1 | -1) => void = () => undefined
  #unique = 0

  constructor(
    process: ProcessId,
    raylet: RayletSender,
    references: ReferenceHolder,
    borrow: (owner: ProcessId, sequence: number) => ObjectRef,
  ) {
    this.#process = process
    this.#raylet = raylet
    this.#references = references
    this.#borrow = borrow
  }

  /**
   * The id of a function or class, exporting it first if need be. Throws SerializationError when it
   * cannot travel.
   */
  idOf(fn: Code, name: string): string {
    const known = this.#ids.get(fn)
    if (known !== undefined) return known
    if (this.#inProgress.has(fn)) {
      const id = `u${this.#process.toString(16)}-${++this.#unique}`
      this.#ids.set(fn, id)
      return id
    }
    this.#inProgress.add(fn)
    try {
      return this.#export(fn, name)
    } finally {
      this.#inProgress.delete(fn)
    }
  }

  /** Exports a function under an id that others were told before there was a session. */
  exportAs(id: string, fn: Code, name: string): void {
    this.#ids.set(fn, id)
    this.#export(fn, name)
  }

  #export(fn: Code, name: string): string {
    const closure = serializeClosure(fn, name, hooks)
    const refs: ObjectRef[] = []
    const attachments = this.attachments.encodeAttachments(closure.attachments, refs)
    const definition: Definition = { bytes: closure.bytes, attachments, refs: refs.length }
    const bytes = Uint8Array.from(packMessage(definition))
    if (bytes.length > functionBytesMax) throw tooLarge(name, bytes.length)
    const id = this.#ids.get(fn) ?? sha1(bytes)
    this.#ids.set(fn, id)
    const isKnown = this.#exported.has(id) || this.#code.has(id)
    if (this.#found(id) === undefined) this.#exported.set(id, new WeakRef(fn))
    if (!isKnown) {
      this.#references.escape(refs, () => undefined)
      this.#raylet.send({ kind: 'exportFunction', hash: id, bytes, contains: keysOf(refs) })
    }
    return id
  }

  /** How a function or class inside a value is named. */
  codeId(fn: Code): CodeId {
    const hash = this.idOf(fn, fn.name || 'anonymous')
    return [hash, definitionIdOf(fn) ?? '']
  }

  /** The function, if no loading is needed. */
  loaded([hash, definition]: CodeId): Code | undefined {
    if (hash === arrowCode) return loadedArrow()?.Table
    if (hash === blockCode) return loadedBlockArrow()?.Table
    return this.#found(hash) ?? (definition === '' ? undefined : definitionById(definition))
  }

  #found(id: string): Code | undefined {
    return this.#code.get(id) ?? this.#exported.get(id)?.deref()
  }

  /** The function of a definition, fetched and rebuilt if it is not here. */
  async load(hash: string): Promise<Code> {
    return this.#found(hash) ?? this.#loadRoot(hash)
  }

  #loadRoot(id: string): Promise<Code> {
    let loading = this.#loading.get(id)
    if (loading === undefined) {
      this.holds(1)
      const isArrow = id === arrowCode || id === blockCode
      const made = isArrow ? this.#loadArrow() : this.#fetchAndRebuild(id)
      loading = made.finally(() => {
        this.holds(-1)
        this.#loading.delete(id)
      })
      this.#loading.set(id, loading)
    }
    return loading
  }

  async #loadArrow(): Promise<Code> {
    const { Table } = await loadArrow(importFrom(import.meta.url))
    return Table
  }

  async #fetchAndRebuild(id: string): Promise<Code> {
    const [bytes, contains] = await new Promise<Fetched>((resolve, reject) => {
      this.#fetches.set(id, { resolve, reject })
      this.#raylet.send({ kind: 'fetchFunction', hash: id })
    })
    if (bytes === undefined) {
      throw new SerializationError(
        `the definition of a remote function (${id}) is gone: the job that defined it has ended`,
      )
    }
    const definition = unpackMessage(bytes) as Definition
    const refs = contains.map(([owner, sequence]) => this.#borrow(owner, sequence))
    const needed = codeOfAttachments(definition.attachments)
    await Promise.all(needed.map(async (each) => this.loaded(each) ?? this.load(each[0])))
    const attachments = this.attachments.decodeAttachments(definition.attachments, refs)
    const fn = await rebuildClosure(definition.bytes, attachments)
    const winner = this.#found(id) ?? fn
    this.#code.set(id, winner)
    if (!this.#ids.has(winner)) this.#ids.set(winner, id)
    return winner
  }

  /** The raylet's answer to a fetch. */
  defined(id: string, bytes: Uint8Array | undefined, contains: readonly ObjectKey[]): void {
    const fetch = this.#fetches.get(id)
    this.#fetches.delete(id)
    fetch?.resolve([bytes, contains])
  }

  /** The session is over: nobody will answer any more. */
  failAll(error: Error): void {
    for (const { reject } of this.#fetches.values()) reject(error)
    this.#fetches.clear()
  }
}

function tooLarge(name: string, sizeBytes: number): SerializationError {
  const mb = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MB`
  return new SerializationError(
    `The remote function ${name} is too large (${mb(sizeBytes)} > ${mb(functionBytesMax)}). ` +
      'Put the large value that it captures into the object store with ray.put and pass the ref.',
  )
}

/** Loaded on first use: most workers export nothing, and `node:crypto` costs 3 ms. */
function sha1(bytes: Uint8Array): string {
  const { createHash } = process.getBuiltinModule('node:crypto')
  return createHash('sha1').update(bytes).digest('hex')
}
