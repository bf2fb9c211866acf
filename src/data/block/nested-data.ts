// Arrays, objects, Maps, bytes and tensors to Arrow: the opposite of nested-values.

import {
  Binary,
  type Data,
  DataType,
  Field,
  FixedSizeList,
  Int32,
  List,
  makeData,
  Map_ as MapType,
  Struct,
} from 'apache-arrow'
import { numbersData } from './number-data.js'
import { isTensor, isTypedArray, sizeOf, type Tensor, type TensorArray } from './tensor.js'
import { dictionaryStrings, NullBits } from './utf8.js'

/** Builds a column, nested or not. */
export type BuildColumn = (name: string, values: readonly unknown[], hint?: DataType) => Data

export interface NestedColumn {
  readonly name: string
  readonly values: readonly unknown[]
  readonly hint: DataType | undefined
  readonly build: BuildColumn
}

/** The column of values that are no scalars; undefined if they have no type in common. */
export function nestedData(column: NestedColumn): Data | undefined {
  const present = column.values.filter((value) => value !== null && value !== undefined)
  const nested = { ...column, build: plainly(column.build) }
  const isEvery = (test: (value: unknown) => boolean): boolean => present.every(test)
  if (isEvery(isTypedArray))
    return typedArrays(nested, present as unknown as readonly TensorArray[])
  if (isEvery(isTensor)) return tensors(nested, present as unknown as readonly Tensor[])
  if (isEvery((value) => value instanceof Map)) return maps(nested)
  if (isEvery(isList)) return fixedLists(nested) ?? lists(nested)
  return isEvery(isObject) ? structs(nested) : undefined
}

/** Without dictionaries: inside nested columns few readers expect them. */
function plainly(build: BuildColumn): BuildColumn {
  return (name, values, hint) => {
    const data = build(name, values, hint)
    return dictionaryStrings(data) ?? data
  }
}

function isList(value: unknown): value is Iterable<unknown> {
  if (typeof value !== 'object' || value === null || value instanceof Map) return false
  return Array.isArray(value) || Symbol.iterator in value
}

function isObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (isList(value) || isTypedArray(value)) return false
  // What keeps its state to itself, such as a promise or a URL, would become an empty struct.
  return isPlain(value) || Object.keys(value).length > 0
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  // An object of another realm has another `Object.prototype`, which has no prototype either.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Bytes are binary; other typed arrays of one length are vectors, and of several lists. */
function typedArrays(column: NestedColumn, present: readonly TensorArray[]): Data {
  const { values, hint } = column
  const isFixed = hint !== undefined && DataType.isFixedSizeList(hint)
  if (!isFixed && present.every((value) => value instanceof Uint8Array)) return binary(values)
  const [first] = present
  const isVector = present.every((value) => value.length === first?.length && isSame(value, first))
  if (!isVector || first === undefined || first.length === 0) return lists(column)
  return fixedTensors(values, [first.length], (value) => value as TensorArray)
}

function isSame(a: TensorArray, b: TensorArray): boolean {
  return a.constructor === b.constructor
}

function binary(values: readonly unknown[]): Data {
  const nulls = new NullBits(values.length)
  const valueOffsets = new Int32Array(values.length + 1)
  let size = 0
  for (const [i, value] of values.entries()) {
    if (value instanceof Uint8Array) size += value.length
    else nulls.add(i)
    valueOffsets[i + 1] = size
  }
  const data = new Uint8Array(size)
  for (const [i, value] of values.entries()) {
    if (value instanceof Uint8Array) data.set(value, valueOffsets[i])
  }
  const type = new Binary()
  return makeData({ type, length: values.length, ...nulls.result(), valueOffsets, data })
}

function tensors(column: NestedColumn, present: readonly Tensor[]): Data {
  const [first] = present
  const shape = first?.shape ?? []
  const isOneShape = present.every((tensor) => {
    const isKind = first !== undefined && isSame(tensor.data, first.data)
    return isKind && tensor.shape.join() === shape.join()
  })
  if (isOneShape && shape.length > 0 && sizeOf(shape) > 0) {
    return fixedTensors(column.values, shape, (value) => (value as Tensor).data)
  }
  return shapedTensors(column)
}

/** Tensors of one shape: one buffer, and a list of fixed size for each dimension. */
function fixedTensors(
  values: readonly unknown[],
  shape: readonly number[],
  numbers: (value: unknown) => TensorArray,
): Data {
  const size = sizeOf(shape)
  const nulls = new NullBits(values.length)
  const present = values.find((value) => value !== null && value !== undefined)
  const ArrayType = numbers(present).constructor as new (length: number) => Float64Array
  const data = new ArrayType(values.length * size)
  for (const [i, value] of values.entries()) {
    if (value === null || value === undefined) nulls.add(i)
    else data.set(numbers(value) as Float64Array, i * size)
  }
  return tensorData(data, shape, nulls)
}

/** Numbers of rows of `shape` as an Arrow column. */
export function tensorData(numbers: TensorArray, shape: readonly number[], nulls?: NullBits): Data {
  let data: Data = numbersData(numbers)
  for (const [at, size] of [...shape.entries()].reverse()) {
    const type = new FixedSizeList(size, new Field('item', data.type, true))
    const length = data.length / size
    const bits = at === 0 && nulls !== undefined ? nulls.result() : noNulls
    data = makeData({ type, length, ...bits, child: data })
  }
  return data
}

const noNulls = { nullCount: 0, nullBitmap: null }

function shapedTensors({ name, values, build }: NestedColumn): Data {
  const nulls = new NullBits(values.length)
  const rank = Math.max(...values.map((value) => (isTensor(value) ? value.shape.length : 0)))
  const shapes = new Int32Array(values.length * rank)
  for (const [i, value] of values.entries()) {
    if (isTensor(value)) shapes.set(value.shape, i * rank)
    else nulls.add(i)
  }
  const numbers = values.map((value) => (isTensor(value) ? value.data : null))
  const data = lists({ name, values: numbers, hint: undefined, build })
  const children = [data, tensorData(shapes, [rank])]
  const fields = ['data', 'shape'].map((each, i) => {
    return new Field(each, children[i]?.type ?? new Int32(), true)
  })
  const type = new Struct(fields)
  return makeData({ type, length: values.length, ...nulls.result(), children })
}

function lists({ name, values, hint, build }: NestedColumn): Data {
  const nulls = new NullBits(values.length)
  const valueOffsets = new Int32Array(values.length + 1)
  const items: unknown[][] = []
  let count = 0
  for (const [i, value] of values.entries()) {
    if (isList(value)) {
      const list = Array.from(value)
      items.push(list)
      count += list.length
    } else {
      nulls.add(i)
    }
    valueOffsets[i + 1] = count
  }
  const child = itemsData(values) ?? build(`${name}[]`, items.flat(), childHint(hint))
  const type = new List(new Field('item', child.type, true))
  return makeData({ type, length: values.length, ...nulls.result(), valueOffsets, child })
}

/** The items of lists that are typed arrays of one class: numbers keep their type. */
function itemsData(values: readonly unknown[]): Data | undefined {
  const present = values.filter((value) => value !== null && value !== undefined)
  const [first] = present
  if (!isTypedArray(first)) return undefined
  if (!present.every((value) => isTypedArray(value) && isSame(value, first))) return undefined
  const arrays = present as unknown as readonly Float64Array[]
  const ArrayType = first.constructor as new (length: number) => Float64Array
  const all = new ArrayType(arrays.reduce((sum, array) => sum + array.length, 0))
  let at = 0
  for (const array of arrays) {
    all.set(array, at)
    at += array.length
  }
  return numbersData(all)
}

/** Lists that had one size and have it still. */
function fixedLists({ name, values, hint, build }: NestedColumn): Data | undefined {
  if (hint === undefined || !DataType.isFixedSizeList(hint)) return undefined
  const { listSize } = hint
  const nulls = new NullBits(values.length)
  const items: unknown[] = []
  for (const [i, value] of values.entries()) {
    if (!isList(value)) {
      nulls.add(i)
      for (let j = 0; j < listSize; j++) items.push(null)
      continue
    }
    const list = Array.from(value)
    if (list.length !== listSize) return undefined
    for (const item of list) items.push(item)
  }
  const child = build(`${name}[]`, items, childHint(hint))
  const type = new FixedSizeList(listSize, new Field('item', child.type, true))
  return makeData({ type, length: values.length, ...nulls.result(), child })
}

function childHint(hint: DataType | undefined, index = 0): DataType | undefined {
  return ((hint?.children ?? []) as readonly Field[])[index]?.type
}

function structs({ name, values, hint, build }: NestedColumn): Data {
  const nulls = new NullBits(values.length)
  const columns = new Map<string, unknown[]>()
  for (const [i, value] of values.entries()) {
    if (typeof value !== 'object' || value === null) {
      nulls.add(i)
      continue
    }
    for (const [key, member] of Object.entries(value)) {
      let column = columns.get(key)
      if (column === undefined) {
        column = new Array<unknown>(values.length).fill(null)
        columns.set(key, column)
      }
      column[i] = member
    }
  }
  const known = (hint?.children ?? []) as readonly Field[]
  const children = [...columns].map(([key, column]) => {
    return build(`${name}.${key}`, column, known.find((field) => field.name === key)?.type)
  })
  const fields = [...columns.keys()].map((key, i) => {
    return new Field(key, children[i]?.type ?? new Int32(), true)
  })
  const type = new Struct(fields)
  return makeData({ type, length: values.length, ...nulls.result(), children })
}

function maps({ name, values, hint, build }: NestedColumn): Data {
  const nulls = new NullBits(values.length)
  const valueOffsets = new Int32Array(values.length + 1)
  const keys: unknown[] = []
  const mapped: unknown[] = []
  for (const [i, value] of values.entries()) {
    if (value instanceof Map) {
      for (const [key, each] of value as Map<unknown, unknown>) {
        keys.push(key)
        mapped.push(each)
      }
    } else {
      nulls.add(i)
    }
    valueOffsets[i + 1] = keys.length
  }
  const entries = childHint(hint)
  const children = [
    build(`${name}.key`, keys, childHint(entries)),
    build(`${name}.value`, mapped, childHint(entries, 1)),
  ]
  const fields = ['key', 'value'].map((each, i) => {
    return new Field(each, children[i]?.type ?? new Int32(), i === 1)
  })
  const struct = new Struct(fields)
  const child = makeData({ type: struct, length: keys.length, nullCount: 0, children })
  const type = new MapType(new Field('entries', struct, false))
  const parts = { type, length: values.length, ...nulls.result(), valueOffsets, child }
  return makeData(parts as unknown as Parameters<typeof makeData>[0])
}
