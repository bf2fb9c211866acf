// The general encoder: one pass over a value, each object written when it is first met.
//
// An object is written in two parts: a shell, which is enough to create it (its kind, its class),
// and its contents, which fill it. Normally the contents follow at once. Below `valueDepthMax`
// levels they wait in a queue and are written after everything else, so that a list of a million
// nodes does not overflow the stack. The decoder counts levels in the same way, so nothing on the
// wire says which happened. Shell first also is what makes cycles work: an object has its number
// before its contents are looked at.

import { types } from 'node:util'
import { valueDepthMax } from '../base/limits.js'
import { PiecedBytes } from '../base/pieced-bytes.js'
import { arrayShapeOf, namedKeysOf } from './array-shape.js'
import { arrowKindOf, arrowToBytes, blockKind } from './arrow-values.js'
import { attachmentBrand, type ValueHooks } from './value-hooks.js'
import { packNumbers } from './number-array.js'
import { NumberedSet } from './numbered-set.js'
import { BackingWriter, memoryProblem } from './value-backings.js'
import { type BaseKind, type PrototypeInfo, classify, natureProblem } from './value-class.js'
import { ValuePath } from './value-path.js'
import { writeErrorKind } from './value-errors.js'
import { writeLeaf } from './value-leaves.js'
import { writeBigInt, writeNumber, writeSymbol } from './value-primitives.js'
import type { ByteWriter } from './byte-writer.js'
import * as tags from './value-tags.js'
import { viewKindOf } from './value-views.js'

const { isProxy } = types
const { getPrototypeOf, getOwnPropertySymbols } = Object
const objectPrototype = Object.prototype
const arrayPrototype = Array.prototype
const hasOwn = Object.prototype.hasOwnProperty
const mapForEach = Map.prototype.forEach
const setForEach = Set.prototype.forEach

/** How the contents of an object are written. */
type Fill = 'none' | 'strings' | 'props' | 'items' | 'itemsAndProps' | 'map' | 'set' | 'error'

const plainError = { builtinName: 'Error', rayCode: undefined }

interface Waiting {
  readonly value: object
  readonly fill: Fill
  readonly ownFields: boolean
  readonly path: string
}

export class ValueEncoder {
  readonly attachments = new NumberedSet<object>()
  readonly code = new NumberedSet<CallableFunction>()
  readonly backings = new BackingWriter()
  hasArrow = false
  hasBlocks = false
  private readonly to: ByteWriter
  private readonly hooks: ValueHooks
  private readonly path: ValuePath
  /** Objects met, with their numbers. */
  private readonly seen = new Map<object, number>()
  private waiting: Waiting[] = []

  constructor(to: ByteWriter, name: string, hooks: ValueHooks) {
    this.to = to
    this.hooks = hooks
    this.path = new ValuePath(name)
  }

  encode(root: unknown): void {
    this.value(root)
    while (this.waiting.length > 0) {
      const waiting = this.waiting
      this.waiting = []
      for (const { value, fill, ownFields, path } of waiting) {
        this.path.restart(path)
        this.path.enter()
        this.contents(value, fill, ownFields)
        this.path.leave()
      }
    }
  }

  private value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.to.string(value)
      case 'number':
        return writeNumber(this.to, value)
      case 'object':
        return value === null ? this.to.byte(tags.tagNull) : this.object(value)
      case 'undefined':
        return this.to.byte(tags.tagUndefined)
      case 'boolean':
        return this.to.byte(value ? tags.tagTrue : tags.tagFalse)
      case 'bigint':
        return writeBigInt(this.to, value)
      case 'symbol':
        return this.symbol(value)
      case 'function':
        return this.callable(value as CallableFunction)
    }
  }

  private symbol(value: symbol): void {
    if (writeSymbol(this.to, value)) return
    throw this.path.refuse(
      `is the unique ${String(value)}. Use Symbol.for, which every process shares.`,
    )
  }

  private callable(value: CallableFunction): void {
    if (attachmentBrand in value) return this.attachment(value)
    if (isProxy(value)) throw this.path.refuse('is a Proxy. Pass the function behind it.')
    this.to.byte(tags.tagCode)
    this.to.varuint(this.code.indexOf(value))
  }

  private attachment(value: object): void {
    this.to.byte(tags.tagAttachment)
    this.to.varuint(this.attachments.indexOf(value))
  }

  private object(value: object): void {
    const number = this.seen.get(value)
    if (number !== undefined) {
      this.to.byte(tags.tagRef)
      this.to.varuint(number)
      return
    }
    if (isProxy(value)) {
      if (attachmentBrand in value) return this.attachment(value)
      throw this.path.refuse('is a Proxy. Pass the object behind it, or a plain copy.')
    }
    const prototype = getPrototypeOf(value) as object | null
    if (prototype === arrayPrototype && Array.isArray(value) && !(attachmentBrand in value)) {
      return this.array(value)
    }
    if (prototype !== objectPrototype) return this.unusual(value, prototype)
    const hasSymbols = getOwnPropertySymbols(value).length > 0
    if (hasSymbols) {
      if (attachmentBrand in value) return this.attachment(value)
      this.refuseIf(natureProblem(value))
    }
    this.register(value)
    this.to.byte(tags.tagObject)
    this.finish(value, hasSymbols ? 'props' : 'strings', false)
  }

  /**
   * Objects with other prototypes: built-in kinds, instances of classes, and what cannot travel.
   */
  private unusual(value: object, prototype: object | null): void {
    if (attachmentBrand in value) return this.attachment(value)
    const { base, info, userClass, problem } = classify(value, prototype)
    this.refuseIf(problem)
    if (userClass !== undefined) {
      const closed = this.hooks.instanceProblem(value)
      if (closed !== undefined) throw this.path.refuse(`cannot travel: ${closed}`)
      this.to.byte(tags.tagInstance)
      this.to.varuint(this.code.indexOf(userClass))
    }
    this.builtin(value, base, info, userClass !== undefined)
  }

  private refuseIf(problem: string | undefined): void {
    if (problem !== undefined) throw this.path.refuse(problem)
  }

  private register(value: object): void {
    this.seen.set(value, this.seen.size)
  }

  /** Writes an object as its built-in kind; for instances, what follows the class. */
  private builtin(
    value: object,
    base: BaseKind,
    info: PrototypeInfo | undefined,
    isInstance: boolean,
  ): void {
    if (base === 'array') return this.array(value as unknown[])
    if (base === 'view') return this.view(value as ArrayBufferView, isInstance)
    if (base === 'arrayBuffer') return this.arrayBuffer(value as ArrayBuffer, isInstance)
    if (base === 'error' || base === 'domException') return this.error(value as Error, base, info)
    if (base === 'arrow') return this.arrow(value)
    this.register(value)
    const { to } = this
    switch (base) {
      case 'object':
        to.byte(info === undefined ? tags.tagNullObject : tags.tagObject)
        return this.finish(value, 'props', false)
      case 'map':
        to.byte(tags.tagMap)
        return this.finish(value, 'map', isInstance)
      case 'set':
        to.byte(tags.tagSet)
        return this.finish(value, 'set', isInstance)
      default:
        if (!writeLeaf(to, value, base))
          throw this.path.refuse('is a Symbol object. Pass the symbol.')
    }
    this.finish(value, 'none', isInstance)
  }

  private array(value: unknown[]): void {
    this.register(value)
    const { to } = this
    if (getPrototypeOf(value) === arrayPrototype && packNumbers(to, value)) return
    const shape = arrayShapeOf(value)
    const tag = {
      dense: tags.tagArray,
      holes: tags.tagArrayWithHoles,
      sparse: tags.tagSparseArray,
    }[shape]
    to.byte(tag)
    to.varuint(value.length)
    this.finish(
      value,
      shape === 'dense' ? 'items' : shape === 'holes' ? 'itemsAndProps' : 'props',
      false,
    )
  }

  private arrayBuffer(value: ArrayBuffer, isInstance: boolean): void {
    this.register(value)
    this.refuseIf(memoryProblem(value, value.byteLength))
    this.to.byte(tags.tagArrayBuffer)
    this.to.varuint(this.backings.addWhole(value))
    this.finish(value, 'none', isInstance)
  }

  private view(value: ArrayBufferView, isInstance: boolean): void {
    this.register(value)
    const memory = value.buffer as ArrayBuffer
    this.refuseIf(memoryProblem(memory, value.byteLength))
    const { to } = this
    const kind = viewKindOf(value)
    to.byte(tags.tagView)
    to.byte(kind)
    to.varuint(this.backings.addView(value, tags.viewItemBytes[kind]!))
    to.varuint(value.byteOffset)
    to.varuint(value.byteLength)
    this.finish(value, 'none', isInstance)
  }

  private arrow(value: object): void {
    const kind = arrowKindOf(value)!
    if (kind === blockKind) this.hasBlocks = true
    else this.hasArrow = true
    this.register(value)
    this.to.byte(tags.tagArrow)
    this.to.byte(kind)
    const stream = this.arrowStream(value, kind)
    if (stream instanceof PiecedBytes) this.pieced(stream)
    else this.view(stream, false)
  }

  /** As a Uint8Array of the same bytes. */
  private pieced(stream: PiecedBytes): void {
    this.register(stream)
    const { to } = this
    to.byte(tags.tagView)
    to.byte(tags.viewKinds.indexOf('Uint8Array'))
    to.varuint(this.backings.addPieced(stream))
    to.varuint(0)
    to.varuint(stream.length)
  }

  private arrowStream(value: object, kind: number): Uint8Array | PiecedBytes {
    try {
      return arrowToBytes(value, kind)
    } catch (cause) {
      const error = this.path.refuse(`cannot be written as Arrow IPC: ${String(cause)}`)
      error.cause = cause
      throw error
    }
  }

  private error(value: Error, base: BaseKind, info: PrototypeInfo | undefined): void {
    this.register(value)
    const { to } = this
    writeErrorKind(to, value, base === 'domException' ? undefined : (info ?? plainError))
    this.finish(value, 'error', false)
  }

  /** Writes the contents of an object now, or lets them wait if the stack is deep. */
  private finish(value: object, fill: Fill, ownFields: boolean): void {
    if (fill === 'none' && !ownFields) return
    if (this.path.levels >= valueDepthMax) {
      this.waiting.push({ value, fill, ownFields, path: this.path.toString() })
      return
    }
    this.path.enter()
    this.contents(value, fill, ownFields)
    this.path.leave()
  }

  private contents(value: object, fill: Fill, ownFields: boolean): void {
    const { to } = this
    switch (fill) {
      case 'none':
        break
      case 'strings':
        this.stringProps(value, Object.keys(value))
        to.byte(tags.tagEnd)
        break
      case 'props':
        this.props(value, Object.keys(value))
        break
      case 'items':
        this.items(value as unknown[], false)
        break
      case 'itemsAndProps':
        this.items(value as unknown[], true)
        this.props(value, namedKeysOf(value))
        break
      case 'map':
        this.mapEntries(value as Map<unknown, unknown>)
        break
      case 'set':
        this.setItems(value as Set<unknown>)
        break
      case 'error':
        this.hiddenProps(value)
        this.props(value, Object.keys(value))
        break
    }
    if (ownFields) this.props(value, namedKeysOf(value))
  }

  private props(value: object, keys: readonly string[]): void {
    this.stringProps(value, keys)
    const symbols = getOwnPropertySymbols(value)
    for (let i = 0; i < symbols.length; i++) this.symbolProp(value, symbols[i]!)
    this.to.byte(tags.tagEnd)
  }

  /**
   * Properties as v8 reads them: keys first, then each value, without keys that a getter removed
   * meanwhile.
   */
  private stringProps(value: object, keys: readonly string[]): void {
    const { to, path } = this
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      path.step('property', key)
      const item = (value as Record<string, unknown>)[key]
      if (item === undefined && !hasOwn.call(value, key)) continue
      to.string(key)
      if (typeof item === 'number') writeNumber(to, item)
      else this.value(item)
    }
  }

  /**
   * Only symbols that every process shares can be a key elsewhere. The rest is left out, as
   * structured clone does.
   */
  private symbolProp(value: object, key: symbol): void {
    const name = Symbol.keyFor(key)
    if (name === undefined || !Object.prototype.propertyIsEnumerable.call(value, key)) return
    this.path.step('property', key)
    const item = (value as Record<symbol, unknown>)[key]
    this.to.byte(tags.tagSymbolFor)
    this.to.string(name)
    this.value(item)
  }

  private hiddenProps(value: object): void {
    for (const key of tags.hiddenErrorKeys) {
      const property = Object.getOwnPropertyDescriptor(value, key)
      if (property === undefined || property.enumerable === true) continue
      this.path.step('property', key)
      this.to.string(key)
      this.value((value as Record<string, unknown>)[key])
    }
    this.to.byte(tags.tagEnd)
  }

  private items(value: unknown[], mayHaveHoles: boolean): void {
    const { to, path } = this
    const length = value.length
    for (let i = 0; i < length; i++) {
      path.step('property', i)
      const item = value[i]
      if (typeof item === 'number') writeNumber(to, item)
      else if (mayHaveHoles && item === undefined && !hasOwn.call(value, i)) to.byte(tags.tagHole)
      else this.value(item)
    }
  }

  private mapEntries(value: Map<unknown, unknown>): void {
    const entries: unknown[] = []
    mapForEach.call(value, (item, key) => entries.push(key, item))
    for (let i = 0; i < entries.length; i += 2) {
      this.path.step('mapKey', i / 2)
      this.value(entries[i])
      this.path.step('mapValue', entries[i])
      this.value(entries[i + 1])
    }
    this.to.byte(tags.tagEnd)
  }

  private setItems(value: Set<unknown>): void {
    const items: unknown[] = []
    setForEach.call(value, (item) => items.push(item))
    for (let i = 0; i < items.length; i++) {
      this.path.step('item', i)
      this.value(items[i])
    }
    this.to.byte(tags.tagEnd)
  }
}
