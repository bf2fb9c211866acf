// Numbers that JSON cannot say.
//
// JSON has no NaN and no infinities. The engine writes them as bare words, and then no parser but
// its own takes the file. They become null, as `JSON.stringify` and pandas have it, also inside of
// lists, structs and maps.

import { quoteName } from '../engine/engine.js'
import { describeSql } from './sql-columns.js'
import { fieldsOf, listEnd, partsOf } from './type-kinds.js'

/** By the names of columns that have such numbers, or may: the SQL of what is written. */
export function finiteColumns(from: string): ReadonlyMap<string, string> {
  const columns = new Map<string, string>()
  for (const { name, type } of describeSql(`FROM ${from}`)) {
    const sql = finite(quoteName(name), type)
    if (sql !== undefined) columns.set(name, sql)
  }
  return columns
}

/** Undefined where the type has no numbers that are not finite. */
function finite(value: string, type: string, depth = 0): string | undefined {
  if (type === 'FLOAT' || type === 'DOUBLE') return `CASE WHEN isfinite(${value}) THEN ${value} END`
  const item = `x${depth}`
  if (listEnd.test(type)) {
    const inner = finite(item, type.replace(listEnd, ''), depth + 1)
    return inner && `list_transform(${value}, lambda ${item}: ${inner})`
  }
  if (type.startsWith('STRUCT(')) return finiteFields(value, type, depth)
  if (!type.startsWith('MAP(')) return undefined
  const [, valueType = ''] = partsOf(type.slice('MAP('.length, -1))
  const inner = finite(`${item}.value`, valueType, depth + 1)
  const entry = inner && `lambda ${item}: struct_pack(key := ${item}.key, value := ${inner})`
  return entry && `map_from_entries(list_transform(map_entries(${value}), ${entry}))`
}

function finiteFields(value: string, type: string, depth: number): string | undefined {
  let isChanged = false
  const fields = Array.from(fieldsOf(type), ([name, fieldType]) => {
    const field = `(${value}).${name}`
    const changed = finite(field, fieldType, depth)
    isChanged ||= changed !== undefined
    return `${name} := ${changed ?? field}`
  })
  if (!isChanged) return undefined
  return `CASE WHEN ${value} IS NOT NULL THEN struct_pack(${fields.join(', ')}) END`
}
