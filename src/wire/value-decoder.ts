// The general decoder: creates the shell of each object, numbers it, and fills it, at once or
// later, in the order in which the encoder wrote (see there).
//
// Bytes are not trusted: whatever they are, the outcome is a value or an error, after time and
// memory in proportion to their length.

import { types } from 'node:util'
import { valueDepthMax } from '../base/limits.js'
import { arrowFromBytes } from './arrow-values.js'
import { ByteReader } from './byte-reader.js'
import { BackingReader } from './value-backings.js'
import { readNumbers } from './number-array.js'
import { readBigInt, readSymbol } from './value-primitives.js'
import { readLeaf } from './value-leaves.js'
import { createError, defineHidden } from './value-errors.js'
import * as tags from './value-tags.js'
import { createView } from './value-views.js'

/** Everything that `encodeValue` gave besides the in-band bytes, as the reading process has it. */
export interface ValueParts {
  readonly buffers: readonly Uint8Array[]
  readonly attachments: readonly unknown[]
  readonly code: readonly unknown[]
}

type Fill = 'none' | 'props' | 'items' | 'itemsAndProps' | 'map' | 'set' | 'error'
type Props = Record<string | symbol, unknown>

interface Shell {
  readonly value: object
  readonly fill: Fill
  /** Length of an array. */
  readonly length: number
  /** The value is an instance, and own fields follow its contents. */
  readonly ownFields: boolean
}

export class ValueDecoder {
  private readonly from: ByteReader
  private readonly parts: ValueParts
  private readonly backings: BackingReader | undefined
  private readonly valueEnd: number
  /** Objects by number. */
  private readonly objects: object[] = []
  private waiting: Shell[] = []
  private depth = 0

  constructor(bytes: Uint8Array, parts: ValueParts) {
    this.parts = parts
    this.from = new ByteReader(bytes, 0)
    this.valueEnd = bytes.length
    if (bytes[0] !== tags.tagBackings) return
    this.from.byte()
    const table = this.from.u32()
    const tableReader = new ByteReader(bytes, table)
    this.backings = new BackingReader(tableReader, parts.buffers)
    if (tableReader.at !== bytes.length) throw tableReader.malformed('bytes are left over')
    this.valueEnd = table
  }

  decode(): unknown {
    const root = this.value()
    while (this.waiting.length > 0) {
      const waiting = this.waiting
      this.waiting = []
      this.depth = 1
      for (const shell of waiting) this.contents(shell)
    }
    if (this.from.at !== this.valueEnd) throw this.from.malformed('bytes are left over')
    return root
  }

  private value(): unknown {
    return this.valueOf(this.from.byte())
  }

  private valueOf(tag: number): unknown {
    if (tag >= tags.tagSmallInt) return tag - tags.tagSmallInt
    if (tag >= tags.tagShortString) return this.stringOf(tag)
    if (tag >= tags.tagObject && tag <= tags.tagInstance) return this.object(tag)
    const { from } = this
    switch (tag) {
      case tags.tagInt:
        return from.i32()
      case tags.tagDouble:
        return from.f64()
      case tags.tagUndefined:
        return undefined
      case tags.tagNull:
        return null
      case tags.tagTrue:
        return true
      case tags.tagFalse:
        return false
      case tags.tagRef:
        return this.pick(this.objects)
      case tags.tagAttachment:
        return this.pick(this.parts.attachments)
      case tags.tagCode:
        return this.pick(this.parts.code)
      case tags.tagBigInt64:
      case tags.tagBigInt:
        return readBigInt(from, tag)
      case tags.tagSymbolFor:
      case tags.tagSymbolWellKnown:
        return readSymbol(from, tag)
      default:
        return this.stringOf(tag)
    }
  }

  private stringOf(tag: number): string {
    const text = this.from.stringOf(tag)
    if (text === undefined) throw this.from.malformed(`unknown tag ${tag}`)
    return text
  }

  private pick(list: readonly unknown[]): unknown {
    const index = this.from.varuint()
    if (index >= list.length) throw this.from.malformed(`there is no number ${index}`)
    return list[index]
  }

  private object(tag: number): object {
    if (tag === tags.tagInstance) return this.instance()
    const shell = this.shell(tag, undefined)
    this.finish(shell)
    return shell.value
  }

  private instance(): object {
    const type = this.pick(this.parts.code)
    const prototype: unknown = typeof type === 'function' ? type.prototype : undefined
    if (typeof prototype !== 'object' || prototype === null)
      throw this.from.malformed('a class is missing')
    const shell = this.shell(this.from.byte(), prototype)
    const holdsFields = shell.fill === 'none' || shell.fill === 'map' || shell.fill === 'set'
    this.finish(holdsFields ? { ...shell, ownFields: true } : shell)
    return shell.value
  }

  private finish(shell: Shell): void {
    if (shell.fill === 'none' && !shell.ownFields) return
    if (this.depth >= valueDepthMax) {
      this.waiting.push(shell)
      return
    }
    this.depth++
    this.contents(shell)
    this.depth--
  }

  /**
   * Creates an object without its contents and numbers it; with `prototype`, as an instance of that
   * class.
   */
  private shell(tag: number, prototype: object | undefined): Shell {
    const { from } = this
    if (tag === tags.tagObject) {
      return this.made(
        prototype === undefined ? {} : (Object.create(prototype) as object),
        undefined,
        'props',
      )
    }
    switch (tag) {
      case tags.tagArray:
        return this.made([], prototype, 'items', from.varuint())
      case tags.tagArrayWithHoles:
        return this.made([], prototype, 'itemsAndProps', from.varuint())
      case tags.tagNumbers:
        return this.made(readNumbers(this.from), prototype, 'none')
      case tags.tagNullObject:
        return this.made(Object.create(null) as object, prototype, 'props')
      case tags.tagSparseArray:
        return this.made(this.sparseArray(), prototype, 'props')
      case tags.tagMap:
        return this.made(new Map(), prototype, 'map')
      case tags.tagSet:
        return this.made(new Set(), prototype, 'set')
      case tags.tagError:
        return this.made(createError(from, prototype), undefined, 'error')
      case tags.tagArrow:
        return this.arrow()
      default:
        return this.made(this.leaf(tag), prototype, 'none')
    }
  }

  private made(value: object, prototype: object | undefined, fill: Fill, length = 0): Shell {
    if (prototype !== undefined) Object.setPrototypeOf(value, prototype)
    this.objects.push(value)
    return { value, fill, length, ownFields: false }
  }

  /** Objects without contents. */
  private leaf(tag: number): object {
    const { from } = this
    switch (tag) {
      case tags.tagArrayBuffer:
        return this.memory().whole(from.varuint())
      case tags.tagView:
        return this.view()
      default:
        return readLeaf(from, tag, () => this.value())
    }
  }

  /** An array with `length` and nothing in it, without memory for its items. */
  private sparseArray(): unknown[] {
    const length = this.from.varuint()
    if (length > 0xffff_ffff) throw this.from.malformed('bad array length')
    const value: unknown[] = []
    // V8 sets aside memory for a length of up to 32 M items, but not when it comes down from a
    // larger one.
    value.length = 0xffff_ffff
    value.length = length
    return value
  }

  private memory(): BackingReader {
    if (this.backings === undefined)
      throw this.from.malformed('binary data without a backing table')
    return this.backings
  }

  private view(): ArrayBufferView {
    const { from } = this
    const kind = from.byte()
    const index = from.varuint()
    const start = from.varuint()
    const size = from.varuint()
    const itemBytes = tags.viewItemBytes[kind]
    if (itemBytes === undefined || size % itemBytes !== 0) throw from.malformed('bad view')
    const { memory, offset } = this.memory().range(index, start, size)
    const view = createView(kind, { memory, offset, size })
    if (view === undefined)
      throw from.malformed(`this version of Node has no ${tags.viewKinds[kind]!}`)
    return view
  }

  private arrow(): Shell {
    const { from } = this
    const kind = from.byte()
    const number = this.objects.push({}) - 1
    if (from.byte() !== tags.tagView) throw from.malformed('an Arrow stream is expected')
    const bytes = this.view()
    this.objects.push(bytes)
    const value = types.isUint8Array(bytes) ? arrowFromBytes(bytes, kind) : undefined
    if (value === undefined) throw from.malformed('bad Arrow value')
    this.objects[number] = value
    return { value, fill: 'none', length: 0, ownFields: false }
  }

  private contents(shell: Shell): void {
    const { value } = shell
    switch (shell.fill) {
      case 'none':
        break
      case 'props':
        this.props(value as Props)
        break
      case 'items':
        this.items(value as unknown[], shell.length)
        break
      case 'itemsAndProps':
        this.itemsWithHoles(value as unknown[], shell.length)
        this.props(value as unknown as Props)
        break
      case 'map':
        this.mapEntries(value as Map<unknown, unknown>)
        break
      case 'set':
        this.setItems(value as Set<unknown>)
        break
      case 'error':
        this.hiddenProps(value)
        this.props(value as Props)
        break
    }
    if (shell.ownFields) this.props(value as Props)
  }

  /**
   * Own properties. On anything but a plain object an inherited setter could be in the way of an
   * assignment.
   */
  private props(value: Props): void {
    const { from } = this
    const plain = Object.getPrototypeOf(value) === Object.prototype
    for (;;) {
      const tag = from.byte()
      if (tag === tags.tagEnd) return
      const key = tag === tags.tagSymbolFor ? Symbol.for(from.string()) : from.nameOf(tag)
      if (key === undefined) throw from.malformed('a property name is expected')
      const item = this.value()
      if (plain ? key !== '__proto__' : !(key in value)) value[key] = item
      else define(value, key, item)
    }
  }

  private hiddenProps(value: object): void {
    const { from } = this
    for (;;) {
      const tag = from.byte()
      if (tag === tags.tagEnd) return
      const key = from.nameOf(tag)
      if (!(tags.hiddenErrorKeys as readonly unknown[]).includes(key))
        throw from.malformed('bad error')
      defineHidden(value, key!, this.value())
    }
  }

  private items(value: unknown[], length: number): void {
    this.checkLength(length)
    for (let i = 0; i < length; i++) value.push(this.value())
  }

  private itemsWithHoles(value: unknown[], length: number): void {
    const { from } = this
    this.checkLength(length)
    for (let i = 0; i < length; i++) {
      const tag = from.byte()
      if (tag !== tags.tagHole) value[i] = this.valueOf(tag)
    }
    value.length = length
  }

  private checkLength(length: number): void {
    if (length > this.from.end - this.from.at)
      throw this.from.malformed('a length is larger than the rest')
  }

  private mapEntries(value: Map<unknown, unknown>): void {
    for (;;) {
      const tag = this.from.byte()
      if (tag === tags.tagEnd) return
      const key = this.valueOf(tag)
      Map.prototype.set.call(value, key, this.value())
    }
  }

  private setItems(value: Set<unknown>): void {
    for (;;) {
      const tag = this.from.byte()
      if (tag === tags.tagEnd) return
      Set.prototype.add.call(value, this.valueOf(tag))
    }
  }
}

function define(value: object, key: string | symbol, item: unknown): void {
  Object.defineProperty(value, key, {
    value: item,
    writable: true,
    enumerable: true,
    configurable: true,
  })
}
