// Walks everything that a function captures and writes it down as a table of nodes.
//
// A value is classified in a fixed order: what every process has, what came by import, what a
// module exports, functions and classes, plain data, other objects. Values are numbered when they
// are met and written later, from a queue: a chain of a few thousand closures would overflow the
// stack of a recursive walk.

import { types } from 'node:util'
import { builtinName } from './builtins.js'
import { Cell } from './cell.js'
import { commonjsExport, refreshCommonjs } from './commonjs.js'
import { constructRecord, objectRecord, propertyRecord } from './object-record.js'
import { finishFunctions, functionRecord, type WrittenFunction } from './function-record.js'
import { intrinsicPath, wellKnownSymbol } from './intrinsics.js'
import type { ClosureNode, ClosureTable, PropertyRecord, Ref } from './nodes.js'
import { inside, refuse, rootPath, type Path } from './path.js'
import { PlainData } from './plain.js'
import { rememberedImport, type ImportReference } from './references.js'
import { specialNode } from './special.js'
import type { Unit } from './unit.js'

export interface ClosureHooks {
  /**
   * Values of the layer above, such as refs and handles: never looked into, handed over beside the
   * bytes.
   */
  isAttachment(value: object): boolean
}

interface Waiting {
  readonly index: number
  readonly value: object
  readonly path: Path
}

export class ClosureGraph {
  readonly nodes: ClosureNode[] = []
  readonly units: Unit[] = []
  readonly attachments: object[] = []
  /** Functions written by value, whose records are completed when all are known. */
  readonly functions: WrittenFunction[] = []
  private readonly imports = new Map<string, Ref>()
  private readonly hooks: ClosureHooks
  private readonly attachmentNumbers = new Map<object, number>()
  private readonly numbers = new Map<unknown, number>()
  private readonly waiting: Waiting[] = []
  private readonly partial = new Map<
    object,
    { members: Set<string>; records: PropertyRecord[]; ref: Ref }
  >()
  private readonly plain = new PlainData((value) => this.known(value) !== undefined)

  constructor(hooks: ClosureHooks) {
    this.hooks = hooks
    refreshCommonjs()
  }

  /** Writes the whole closure. Called once. */
  write(root: Function, name: string): ClosureTable {
    const ref = this.refer(root, rootPath(name))
    // The queue grows while it is read.
    for (const next of this.waiting) this.nodes[next.index] = this.writeNode(next)
    this.waiting.length = 0
    finishFunctions(this)
    return { root: ref, nodes: this.nodes, units: this.units }
  }

  /** Adds a node that stands for no value of this process. */
  add(node: ClosureNode): Ref {
    return { $: this.nodes.push(node) - 1 }
  }

  /** One node per import, whichever functions use it. */
  addImport(from: ImportReference): Ref {
    const key = [
      from.parent,
      from.specifier,
      from.name,
      from.commonjs,
      from.interop,
      from.type,
      ...from.path,
    ].join('\n')
    const known = this.imports.get(key)
    if (known !== undefined) return known
    const ref = this.add({ k: 'import', from })
    this.imports.set(key, ref)
    return ref
  }

  refer(value: unknown, path: Path): Ref {
    if (typeof value === 'symbol') return this.referSymbol(value)
    if (value === null || (typeof value !== 'object' && typeof value !== 'function'))
      return { v: value }
    const number = this.numbers.get(value)
    if (number !== undefined) return { $: number }
    const known = this.known(value)
    if (known !== undefined) return this.number(value, known)
    if (types.isProxy(value)) refuse(path, 'it is a Proxy')
    if (typeof value === 'object' && this.plain.isPlain(value)) {
      return this.number(value, { k: 'data', v: value })
    }
    // The slot is filled when the value's turn in the queue comes.
    const ref = this.number(value, { k: 'data', v: undefined })
    this.waiting.push({ index: ref.$, value, path })
    return ref
  }

  /** Refers to a collection that starts empty on the other side. */
  referEmpty(value: WeakMap<object, unknown> | WeakSet<object>): Ref {
    const number = this.numbers.get(value)
    if (number !== undefined) return { $: number }
    const path = [types.isWeakMap(value) ? 'WeakMap' : 'WeakSet']
    return this.number(value, { k: 'construct', path, args: [] })
  }

  /** Refers to an object by some of its members only; all of them when `members` is undefined. */
  referMembers(value: object, members: Iterable<string> | undefined, path: Path): Ref {
    let entry = this.partial.get(value)
    if (entry === undefined) {
      const properties: PropertyRecord[] = []
      const base = {
        prototype: undefined,
        entries: [],
        integrity: undefined,
        length: 0,
        whole: undefined,
      }
      const ref = this.add({ k: 'object', shape: 'object', properties, ...base })
      entry = { members: new Set(), records: properties, ref }
      this.partial.set(value, entry)
    }
    for (const key of members ?? Object.keys(value)) {
      if (entry.members.has(key) || !(key in value)) continue
      entry.members.add(key)
      const here = inside(path, `.${key}`)
      const own = Object.getOwnPropertyDescriptor(value, key)
      const live =
        own === undefined || 'get' in own ? (value as Record<string, unknown>)[key] : own.value
      entry.records.push(
        own && 'value' in own
          ? propertyRecord(this, value, { path, key })
          : { key, attributes: 7, value: this.refer(live, here) },
      )
    }
    return entry.ref
  }

  private number(value: unknown, node: ClosureNode): { readonly $: number } {
    const index = this.nodes.push(node) - 1
    this.numbers.set(value, index)
    return { $: index }
  }

  private referSymbol(value: symbol): Ref {
    const number = this.numbers.get(value)
    if (number !== undefined) return { $: number }
    const registered = Symbol.keyFor(value)
    const name = value.description?.slice('Symbol.'.length) ?? ''
    const wellKnown = wellKnownSymbol(name) === value ? name : undefined
    return this.number(value, {
      k: 'symbol',
      registered,
      wellKnown,
      description: value.description,
    })
  }

  /** Values that the other side has, or gets by other ways than by copying. */
  private known(value: object): ClosureNode | undefined {
    if (this.hooks.isAttachment(value)) {
      let index = this.attachmentNumbers.get(value)
      if (index === undefined) {
        index = this.attachments.push(value) - 1
        this.attachmentNumbers.set(value, index)
      }
      return { k: 'attachment', index }
    }
    const path = intrinsicPath(value)
    if (path !== undefined) return { k: 'intrinsic', path }
    const special = specialNode(value)
    if (special !== undefined) return special
    const remembered = rememberedImport(value)
    if (remembered !== undefined) return { k: 'import', from: remembered }
    const builtin = builtinName(value)
    if (builtin !== undefined) return { k: 'builtin', at: builtin }
    const required = commonjsExport(value)
    return required && { k: 'import', from: required }
  }

  private writeNode({ value, index, path }: Waiting): ClosureNode {
    if (typeof value === 'function') return functionRecord(this, { fn: value, index, path })
    if (types.isModuleNamespaceObject(value)) return this.writeNamespace(value, path)
    if (value instanceof Cell) return { k: 'cell', value: this.refer(value.v, path) }
    const type: unknown = Object.getOwnPropertyDescriptor(value, 'constructor')?.value
    if (typeof type === 'function' && !types.isProxy(type)) {
      const own: unknown = Object.getOwnPropertyDescriptor(type, 'prototype')?.value
      if (own === value)
        return { k: 'prototype', of: this.refer(type, inside(path, '.constructor')) }
    }
    return constructRecord(value) ?? objectRecord(this, value, path)
  }

  private writeNamespace(value: object, path: Path): ClosureNode {
    const whole = 'default' in value ? builtinName(value.default) : undefined
    if (whole?.name === undefined && whole !== undefined)
      return { k: 'builtin', at: { ...whole, name: '*' } }
    return refuse(
      path,
      'it is the namespace of a module whose name is unknown here ' +
        '(import it inside the function instead)',
    )
  }
}
