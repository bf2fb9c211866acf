// Makes the functions of a closure again, in another process.
//
// Modules are imported first, all at once; everything after that is synchronous. Values that can
// exist before their parts (functions, objects, cells) are all made at once and linked, so cycles
// need no care. Classes cannot: their heritage must exist and their static blocks run code. They,
// and what is derived from them, are made in an order that puts whatever they refer to first where
// that is possible; links to a value that is still missing are completed when it appears.
//
// There is no recursion: chains of thousands of closures are fine.

import v8 from 'node:v8'
import { SerializationError } from '../base/errors.js'
import { builtinAt } from './builtins.js'
import { Cell, cellPrefix, cellsOf, rememberCells } from './cell.js'
import { definitionById, registerDefinition } from './identity.js'
import { intrinsicAt, wellKnownSymbol } from './intrinsics.js'
import type {
  ClosureNode,
  ClosureTable,
  FunctionRecord,
  ObjectRecord,
  PropertyRecord,
  Ref,
} from './nodes.js'
import {
  linkReference,
  loadReference,
  type ImportReference,
  type LoadedModule,
} from './references.js'
import { makeSpecial } from './special.js'
import { instantiate, type NotedInstance } from './unit.js'

export async function rebuildClosure(
  bytes: Uint8Array,
  attachments: readonly unknown[],
): Promise<Function> {
  const table = v8.deserialize(bytes) as ClosureTable
  const modules = new Map<number, LoadedModule | undefined>()
  const load = async (i: number, from: ImportReference): Promise<void> => {
    modules.set(i, await loadReference(from))
  }
  const loading = [...table.nodes.entries()].flatMap(([i, node]) =>
    node.k === 'import' ? [load(i, node.from)] : [],
  )
  await Promise.all(loading)
  const root = new Rebuild(table, { attachments, modules }).value()
  if (typeof root !== 'function') throw new SerializationError('The bytes do not hold a function.')
  return root
}

interface Given {
  readonly attachments: readonly unknown[]
  readonly modules: ReadonlyMap<number, LoadedModule | undefined>
}

/** Descriptor of an accessor with neither getter nor setter. */
const noAccess = { get: undefined } as unknown as PropertyDescriptor

type Complete = (value: unknown) => unknown

class Rebuild {
  private readonly table: ClosureTable
  private readonly given: Given
  private readonly values: unknown[] = []
  private readonly made: boolean[] = []
  /** Links to nodes that do not exist yet; emptied when they do. */
  private readonly missing = new Map<number, Complete[]>()
  /** Runs when everything exists. */
  private readonly last: (() => void)[] = []

  constructor(table: ClosureTable, given: Given) {
    this.table = table
    this.given = given
  }

  value(): unknown {
    const { nodes, root } = this.table
    this.reuse()
    const fresh: number[] = []
    for (const [i, node] of nodes.entries()) {
      if (this.made[i] !== true && this.makeEarly(i, node)) fresh.push(i)
    }
    for (const i of fresh) this.link(i)
    for (const i of this.lateOrder()) this.makeLate(i)
    for (const finish of this.last) finish()
    return '$' in root ? this.values[root.$] : root.v
  }

  /**
   * Takes the classes that this process has already. Functions that share a variable with such a
   * class get its cell; if the class is an original, which has variables and no cells, they are
   * taken as originals too.
   */
  private reuse(): void {
    const ofOriginals = new Set<number>()
    const functions = [...this.table.nodes.entries()].flatMap(([i, node]) =>
      node.k === 'function' ? [{ i, node }] : [],
    )
    for (const { i, node } of functions) {
      const known = node.single ? definitionById(node.id) : undefined
      if (known === undefined) continue
      this.settle(i, known)
      const cells = cellsOf(known)
      for (const [name, ref] of node.captures) {
        if (!name.startsWith(cellPrefix) || !('$' in ref)) continue
        const cell = cells?.get(name)
        if (cell !== undefined) this.settle(ref.$, cell)
        else ofOriginals.add(ref.$)
      }
    }
    if (ofOriginals.size === 0) return
    for (const { i, node } of functions) {
      const shares = node.captures.some(([, ref]) => '$' in ref && ofOriginals.has(ref.$))
      const known = shares && this.made[i] !== true ? definitionById(node.id) : undefined
      if (known !== undefined) this.settle(i, known)
    }
  }

  private settle(i: number, value: unknown): void {
    this.values[i] = value
    this.made[i] = true
    const waiting = this.missing.get(i)
    this.missing.delete(i)
    for (const complete of waiting ?? []) complete(value)
  }

  /** Hands over the value of a reference, now or as soon as it exists. */
  private whenMade(ref: Ref, complete: Complete): void {
    if ('v' in ref || this.made[ref.$] === true) {
      complete(this.now(ref))
      return
    }
    const waiting = this.missing.get(ref.$)
    if (waiting) waiting.push(complete)
    else this.missing.set(ref.$, [complete])
  }

  private now(ref: Ref): unknown {
    return 'v' in ref ? ref.v : this.values[ref.$]
  }

  private isMade(ref: Ref): boolean {
    return 'v' in ref || this.made[ref.$] === true
  }

  /** Makes a node that needs no other; true if it has links to complete. */
  private makeEarly(i: number, node: ClosureNode): boolean {
    switch (node.k) {
      case 'bound':
      case 'prototype':
        return false
      case 'function':
        if (!node.class) this.makeFunction(i, node)
        return false
      case 'object':
        this.settle(i, emptyObject(node))
        return true
      case 'cell':
        this.settle(i, new Cell())
        return true
      default:
        this.settle(i, this.leaf(i, node))
        return false
    }
  }

  private leaf(
    i: number,
    node: Exclude<ClosureNode, { k: 'bound' | 'prototype' | 'function' | 'object' | 'cell' }>,
  ): unknown {
    switch (node.k) {
      case 'data':
        return node.v
      case 'symbol': {
        if (node.registered !== undefined) return Symbol.for(node.registered)
        return (node.wellKnown && wellKnownSymbol(node.wellKnown)) ?? Symbol(node.description)
      }
      case 'intrinsic':
        return intrinsicAt(node.path)
      case 'builtin':
        return builtinAt(node.at)
      case 'import':
        return linkReference(node.from, this.given.modules.get(i))
      case 'attachment':
        return this.given.attachments[node.index]
      case 'construct':
        return Reflect.construct(intrinsicAt(node.path) as new () => unknown, node.args)
      case 'require':
      case 'importer':
      case 'meta':
        return makeSpecial(node)
    }
  }

  private makeFunction(i: number, node: FunctionRecord): void {
    const instance = this.instantiate(node)
    let value = instance.make()
    if (node.method !== undefined) {
      const found = Object.getOwnPropertyDescriptor(value, node.method.name)
      value = node.method.accessor === undefined ? found?.value : found?.[node.method.accessor]
    }
    instance.note(value as Function)
    this.settle(i, value)
    this.capture(node, instance)
    this.dress(node, value as Function)
  }

  private instantiate(node: FunctionRecord): NotedInstance {
    const unit = this.table.units[node.unit]
    if (unit === undefined) throw new SerializationError('The bytes of a function are damaged.')
    try {
      return instantiate(unit)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new SerializationError(`The function ${node.name} cannot be compiled here: ${why}`, {
        cause,
      })
    }
  }

  private capture(node: FunctionRecord, instance: NotedInstance): void {
    for (const [name, ref] of node.captures)
      this.whenMade(ref, (value) => instance.set[name]?.(value))
  }

  /** Name, prototype chain and properties of a new function. */
  private dress(node: FunctionRecord, fn: Function): void {
    registerDefinition(node.id, fn)
    if (node.single) this.noteCells(node, fn)
    const name = Object.getOwnPropertyDescriptor(fn, 'name')
    if (fn.name !== node.name && (name === undefined || name.configurable === true)) {
      if (name === undefined || 'value' in name) {
        Object.defineProperty(fn, 'name', { value: node.name, configurable: true })
      }
    }
    if (node.parent) this.whenMade(node.parent, (p) => Object.setPrototypeOf(fn, p as object))
    const prototype = fn.prototype as object
    if (node.prototypeParent) {
      this.whenMade(node.prototypeParent, (p) => Object.setPrototypeOf(prototype, p as object))
    }
    this.define(fn, node.properties)
    this.define(prototype, node.prototypeProperties)
  }

  /** Cells exist before any class does, but not before every function; hence the wait. */
  private noteCells(node: FunctionRecord, fn: Function): void {
    const cells = new Map<string, Cell>()
    for (const [name, ref] of node.captures) {
      if (!name.startsWith(cellPrefix)) continue
      this.whenMade(ref, (cell) => cell instanceof Cell && cells.set(name, cell))
    }
    rememberCells(fn, cells)
  }

  private define(target: object, records: readonly PropertyRecord[]): void {
    for (const record of records) {
      const key = typeof record.key === 'string' ? record.key : (this.now(record.key) as symbol)
      const { attributes, value, get, set } = record
      const common = { enumerable: (attributes & 1) !== 0, configurable: (attributes & 2) !== 0 }
      if (value) {
        const writable = (attributes & 4) !== 0
        this.whenMade(value, (v) => defineProperty(target, key, { ...common, writable, value: v }))
      } else {
        // A getter may be missing while its setter is there; they are put on one by one.
        const soft = { ...common, configurable: true }
        if (!get && !set) defineProperty(target, key, { ...soft, ...noAccess })
        if (get) {
          this.whenMade(get, (g) =>
            defineProperty(target, key, { ...soft, get: g as () => unknown }),
          )
        }
        if (set) {
          this.whenMade(set, (s) =>
            defineProperty(target, key, { ...soft, set: s as (v: unknown) => void }),
          )
        }
        if (!common.configurable) {
          this.last.push(() => defineProperty(target, key, { configurable: false }))
        }
      }
    }
  }

  private link(i: number): void {
    const node = this.table.nodes[i]
    if (node?.k === 'cell') {
      const cell = this.values[i] as Cell
      this.whenMade(node.value, (value) => (cell.v = value))
    }
    if (node?.k !== 'object') return
    const value = this.values[i] as object
    if (node.prototype)
      this.whenMade(node.prototype, (p) => Object.setPrototypeOf(value, p as object | null))
    this.define(value, node.properties)
    // Insertion order counts, so a collection is filled at once, and late if one of its items is.
    const complete = node.entries.every(([key, item]) => this.isMade(key) && this.isMade(item))
    const fill = (): void => {
      for (const [key, item] of node.entries) {
        if (node.shape === 'map') Map.prototype.set.call(value, this.now(key), this.now(item))
        else Set.prototype.add.call(value, this.now(key))
      }
    }
    if (complete) fill()
    else this.last.push(fill)
    if (node.integrity) this.last.push(() => restrict(value, node.integrity))
  }

  /**
   * Numbers of the nodes that are still to be made; what a node refers to comes before it, except
   * around cycles.
   */
  private lateOrder(): number[] {
    const order: number[] = []
    const entered = new Set<number>()
    for (const start of this.table.nodes.keys()) {
      const stack: { i: number; next: Iterator<number> }[] = []
      const enter = (i: number): void => {
        if (entered.has(i)) return
        entered.add(i)
        const node = this.table.nodes[i]
        if (node) stack.push({ i, next: referred(node)[Symbol.iterator]() })
      }
      enter(start)
      for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
        const step = top.next.next()
        if (step.done !== true) enter(step.value)
        else {
          stack.pop()
          if (this.made[top.i] !== true) order.push(top.i)
        }
      }
    }
    return order
  }

  /** Makes a class, a bound function or a prototype, after what it cannot exist without. */
  private makeLate(target: number): void {
    const stack = [target]
    for (let i = stack.at(-1); i !== undefined; i = stack.at(-1)) {
      const node = this.table.nodes[i]
      const needed = node ? needs(node).filter((ref) => !this.isMade(ref)) : []
      if (node === undefined || this.made[i] === true) stack.pop()
      else if (needed.length > 0) for (const ref of needed) '$' in ref && stack.push(ref.$)
      else {
        stack.pop()
        this.makeLateNode(i, node)
      }
    }
  }

  private makeLateNode(i: number, node: ClosureNode): void {
    if (node.k === 'bound') {
      const target = this.now(node.target) as Function
      const args = node.args.map((ref) => this.now(ref))
      this.settle(i, Function.prototype.bind.call(target, this.now(node.self), ...args) as unknown)
    } else if (node.k === 'prototype') {
      this.settle(i, (this.now(node.of) as Function).prototype)
    } else if (node.k === 'function') {
      const instance = this.instantiate(node)
      this.capture(node, instance)
      const value = instance.make() as Function
      instance.note(value)
      this.settle(i, value)
      this.dress(node, value)
    }
  }
}

/** What a node must have before it is made. */
function needs(node: ClosureNode): readonly Ref[] {
  if (node.k === 'bound') return [node.target, node.self, ...node.args]
  if (node.k === 'prototype') return [node.of]
  return node.k === 'function' && node.class && node.heritage ? [node.heritage] : []
}

function* referred(node: ClosureNode): Iterable<number> {
  for (const ref of refsOf(node)) if (ref && '$' in ref) yield ref.$
}

function* refsOf(node: ClosureNode): Iterable<Ref | undefined> {
  yield* needs(node)
  if (node.k === 'cell') yield node.value
  if (node.k === 'function') {
    for (const [, ref] of node.captures) yield ref
    yield* [node.parent, node.prototypeParent]
  }
  if (node.k === 'object') {
    yield node.prototype
    for (const [key, item] of node.entries) yield* [key, item]
  }
  const lists =
    node.k === 'function'
      ? [node.properties, node.prototypeProperties]
      : node.k === 'object'
        ? [node.properties]
        : []
  for (const list of lists) for (const { value, get, set } of list) yield* [value, get, set]
}

function emptyObject(node: ObjectRecord): object {
  switch (node.shape) {
    case 'array':
      return new Array<unknown>(node.length)
    case 'map':
      return new Map()
    case 'set':
      return new Set()
    case 'whole':
      return node.whole as object
    case 'error': {
      const error = new Error()
      Reflect.deleteProperty(error, 'stack')
      Reflect.deleteProperty(error, 'message')
      return error
    }
    default:
      return {}
  }
}

function defineProperty(
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor,
): void {
  try {
    Object.defineProperty(target, key, descriptor)
  } catch (cause) {
    throw new SerializationError(`The property ${String(key)} cannot be restored.`, { cause })
  }
}

function restrict(value: object, integrity: ObjectRecord['integrity']): void {
  if (integrity === 'frozen') Object.freeze(value)
  else if (integrity === 'sealed') Object.seal(value)
  else Object.preventExtensions(value)
}
