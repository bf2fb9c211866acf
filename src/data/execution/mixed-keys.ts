// Whether sort keys of blocks compare, whose types may differ from block to block.

import type { SchemaField } from '../block/block.js'
import type { SortKey } from '../relational/sort-key.js'

/**
 * How sort keys compare: as they are; as wide keys, with numbers as doubles and times as
 * microseconds; or not at all, so that only blocks that are put together can be sorted.
 */
export type KeyComparison = 'plain' | 'wide' | 'none'

/** How sort keys of blocks with these columns compare. */
export function compareKeys(
  keys: readonly SortKey[],
  schemas: readonly (readonly SchemaField[])[],
): KeyComparison {
  const comparisons = keys.map(({ value }): KeyComparison => {
    // What is computed of columns whose types differ may be of any type.
    if (value.kind !== 'column') return areAlike(schemas) ? 'plain' : 'none'
    const types = new Set(schemas.flatMap((schema) => typeIn(schema, value.name)))
    // Nulls sort alike, whatever they are nulls of.
    types.delete('Null')
    if (types.size <= 1) return 'plain'
    const kinds = new Set(Array.from(types, kindOf))
    return kinds.size === 1 && !kinds.has(undefined) ? 'wide' : 'none'
  })
  if (comparisons.includes('none')) return 'none'
  return comparisons.includes('wide') ? 'wide' : 'plain'
}

/** Whether all blocks have the same columns, of the same types. */
export function areAlike(schemas: readonly (readonly SchemaField[])[]): boolean {
  return new Set(schemas.map((schema) => JSON.stringify(schema))).size <= 1
}

function typeIn(schema: readonly SchemaField[], name: string): readonly string[] {
  return schema.flatMap((field) => (field.name === name ? [field.type] : []))
}

/** Kinds whose types are all one when they are wide. */
function kindOf(type: string): string | undefined {
  if (/^(Uint|Int|Float|Decimal)\d*/.test(type)) return 'number'
  return /^(Timestamp|Date)/.test(type) ? 'time' : undefined
}
