// Reads the ArrowSchema structures that describe a DuckDB result, nested types and all.

import {
  type DataType,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  List,
  Map_ as MapType,
  Struct,
} from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { typeOfFormat } from './arrow-format.js'
import type { Pointer } from './duckdb-library.js'
import { readCString, readWords } from './native-memory.js'

/** The field that an ArrowSchema describes. */
export function readField(schema: Pointer): Field {
  const [format = 0, name = 0, , , childCount = 0, children = 0, dictionary = 0] = readWords(
    schema,
    7,
  )
  const column = readCString(name)
  if (dictionary !== 0) {
    throw new RayError(
      `Column "${column}" is an ENUM, which Typeray does not read; cast it to VARCHAR.`,
      { fields: { column } },
    )
  }
  const fields = Array.from(readWords(children, childCount), readField)
  return new Field(column, typeOf(readCString(format), column, fields), true)
}

function typeOf(format: string, column: string, children: readonly Field[]): DataType {
  const [child] = children
  if (format === '+s') return new Struct([...children])
  if (format === '+l' && child !== undefined) return new List(child)
  if (format === '+m' && child !== undefined) return new MapType(child)
  if (format.startsWith('+w:') && child !== undefined) {
    return new FixedSizeList(Number(format.slice(3)), child)
  }
  if (format.startsWith('w:')) return new FixedSizeBinary(Number(format.slice(2)))
  return typeOfFormat(format, column)
}
