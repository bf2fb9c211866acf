// Lists, structs, maps and tensors as JavaScript sees them: arrays, objects, Maps, and views of
// numbers with a shape.

import { type Data, DataType, type Field, makeVector } from 'apache-arrow'
import { isTypedArray, rowView, sizeOf, Tensor, type TensorArray } from './tensor.js'

/** Reads a column, nested or not. */
export type ReadColumn = (data: Data) => ArrayLike<unknown>

/** The values of a nested column; undefined if it is not nested. */
export function nestedValues(data: Data, read: ReadColumn): unknown[] | undefined {
  const { type } = data
  if (DataType.isList(type)) return lists(data, read)
  if (DataType.isFixedSizeList(type)) return tensors(data) ?? fixedLists(data, read)
  if (DataType.isStruct(type)) return shapedTensors(data, read) ?? structs(data, read)
  return DataType.isMap(type) ? maps(data, read) : undefined
}

function lists(data: Data, read: ReadColumn): unknown[] {
  const offsets = data.valueOffsets as Int32Array
  const [child] = data.children
  if (child === undefined) return []
  const first = offsets[0] ?? 0
  // Of a slice only the items in it are read.
  const items = read(child.slice(first, (offsets[data.length] ?? first) - first))
  return rowsOf(data, (i) => {
    const from = (offsets[i] ?? 0) - first
    return copyOf(items, from, (offsets[i + 1] ?? 0) - first)
  })
}

function fixedLists(data: Data, read: ReadColumn): unknown[] {
  const [child] = data.children
  if (child === undefined || !DataType.isFixedSizeList(data.type)) return []
  const size = data.type.listSize
  const items = read(child)
  return rowsOf(data, (i) => copyOf(items, i * size, (i + 1) * size))
}

function structs(data: Data, read: ReadColumn): unknown[] {
  const names = (data.type.children as readonly Field[]).map(({ name }) => name)
  const columns = data.children.map(read)
  return rowsOf(data, (i) => {
    return Object.fromEntries(names.map((name, at) => [name, columns[at]?.[i]]))
  })
}

function maps(data: Data, read: ReadColumn): unknown[] {
  const offsets = data.valueOffsets as Int32Array
  const [keys, values] = data.children[0]?.children ?? []
  if (keys === undefined || values === undefined) return []
  const [readKeys, readValues] = [read(keys), read(values)]
  return rowsOf(data, (i) => {
    const map = new Map<unknown, unknown>()
    const end = offsets[i + 1] ?? 0
    for (let at = offsets[i] ?? 0; at < end; at++) map.set(readKeys[at], readValues[at])
    return map
  })
}

/** Views of the numbers of nested lists of fixed size; undefined if there are nulls inside. */
function tensors(data: Data): unknown[] | undefined {
  const shape: number[] = []
  let inner: Data = data
  while (DataType.isFixedSizeList(inner.type)) {
    const [child] = inner.children
    if (child === undefined || child.nullCount > 0) return undefined
    shape.push(inner.type.listSize)
    inner = child
  }
  const numbers = numbersOf(inner)
  if (numbers === undefined) return undefined
  const size = sizeOf(shape)
  const isVector = shape.length === 1
  return rowsOf(data, (i) => {
    const view = rowView(numbers, size, i)
    return isVector ? view : new Tensor(view, shape)
  })
}

/** Tensors of different shapes, stored as their numbers and their shape. */
function shapedTensors(data: Data, read: ReadColumn): unknown[] | undefined {
  const [numbers, shapes] = data.children
  const names = (data.type.children as readonly Field[]).map(({ name }) => name)
  if (numbers === undefined || shapes === undefined || names.join() !== 'data,shape') {
    return undefined
  }
  const [items] = numbers.children
  const isShape = DataType.isFixedSizeList(shapes.type) && DataType.isList(numbers.type)
  const all = items === undefined || !isShape ? undefined : numbersOf(items)
  if (all === undefined) return undefined
  const offsets = numbers.valueOffsets as Int32Array
  const shapeOf = read(shapes) as ArrayLike<ArrayLike<number> | null>
  return rowsOf(data, (i) => {
    const view = all.subarray(offsets[i], offsets[i + 1]) as TensorArray
    return new Tensor(view, Array.from(shapeOf[i] ?? []))
  })
}

/** The numbers of a column without nulls, without a copy; undefined if it has none. */
function numbersOf(data: Data): TensorArray | undefined {
  const isNumber = DataType.isInt(data.type) || DataType.isFloat(data.type)
  if (!isNumber || data.nullCount > 0) return undefined
  const values = makeVector(data).toArray() as unknown
  return isTypedArray(values) ? values : undefined
}

function rowsOf(data: Data, value: (row: number) => unknown): unknown[] {
  const rows = new Array<unknown>(data.length)
  const hasNulls = data.nullCount > 0
  for (let i = 0; i < rows.length; i++) rows[i] = hasNulls && !data.getValid(i) ? null : value(i)
  return rows
}

function copyOf(items: ArrayLike<unknown>, from: number, to: number): unknown[] {
  const copy = new Array<unknown>(to - from)
  for (let i = from; i < to; i++) copy[i - from] = items[i]
  return copy
}
