// DuckDB's logical types of Arrow types, made through its C library.

import { DataType, Field } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { formatOfType } from './arrow-format.js'
import { duckdbLibrary, type Pointer } from './duckdb-library.js'
import { nativeBox, pointerBox } from './native-memory.js'

/** Calls `body` with the logical type of a column, and destroys it afterwards. */
export function withLogicalType(field: Field, body: (type: Pointer) => void): void {
  const made: Pointer[] = []
  try {
    body(makeType(field.type, field.name, made))
  } finally {
    for (const pointer of made) duckdbLibrary().call.destroyType(pointerBox(pointer))
  }
}

/** Whether the engine takes the type: throws an error that names the column if it does not. */
export function assertEngineTakes(field: Field): void {
  const children = childrenOf(field.type)
  if (children === undefined) {
    formatOfType(field.type, field.name)
    return
  }
  if (DataType.isStruct(field.type)) children.forEach((child) => requireName(field, child))
  children.forEach(assertEngineTakes)
}

/** Members are called what they are called: there is no other name that stands for theirs. */
function requireName(struct: Field, { name }: Field): void {
  if (name !== '' && !name.includes('\0')) return
  throw new RayError(
    `Column "${struct.name}" has a member called ${JSON.stringify(name)}, which the engine does ` +
      'not take. Give it another name in the function that makes it.',
    { fields: { column: struct.name, member: name } },
  )
}

/** The fields inside a nested type; undefined for a type that is not nested. */
export function childrenOf(type: DataType): readonly Field[] | undefined {
  const isNested =
    DataType.isList(type) ||
    DataType.isFixedSizeList(type) ||
    DataType.isStruct(type) ||
    DataType.isMap(type)
  return isNested ? (type.children as readonly Field[]).map(named) : undefined
}

/** A field whose name is a string: an empty name comes out of a message as null. */
function named(field: Field): Field {
  const name = field.name as string | null
  return name === null ? new Field('', field.type, field.nullable) : field
}

function makeType(type: DataType, column: string, made: Pointer[]): Pointer {
  const { call } = duckdbLibrary()
  const children = childrenOf(type)
  const pointer = Number(
    children === undefined ? makeSimple(type, column) : makeNested(type, children, made),
  )
  made.push(pointer)
  return pointer

  function makeSimple(simple: DataType, name: string): unknown {
    const { id, decimal } = formatOfType(simple, name).type
    if (decimal === undefined) return call.createType(id)
    return call.createDecimalType(decimal.precision, decimal.scale)
  }
}

function makeNested(type: DataType, children: readonly Field[], made: Pointer[]): unknown {
  const { call } = duckdbLibrary()
  if (DataType.isMap(type)) {
    const [key, value] = childrenOf(children[0]?.type ?? type) ?? []
    const types = [key, value].map((field) => {
      return field === undefined ? 0 : makeType(field.type, field.name, made)
    })
    return call.createMapType(...types)
  }
  const types = children.map((field) => makeType(field.type, field.name, made))
  if (DataType.isList(type)) return call.createListType(types[0])
  if (DataType.isFixedSizeList(type)) return call.createArrayType(types[0], type.listSize)
  const pointers = nativeBox(8 * types.length)
  types.forEach((each, i) => pointers.writeBigUInt64LE(BigInt(each), 8 * i))
  const names = children.map((field) => field.name)
  return call.createStructType(pointers, names, types.length)
}
