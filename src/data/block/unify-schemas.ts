// One schema for blocks that need not have the same: the columns in the order in which they first
// appear. A type that says nothing (every value is null) gives way to one that does.

import type { SchemaField } from './block.js'

export function unifySchemas(schemas: readonly (readonly SchemaField[])[]): readonly SchemaField[] {
  const types = new Map<string, string>()
  for (const { name, type } of schemas.flat()) {
    const known = types.get(name)
    if (known === undefined || known === 'Null') types.set(name, type)
  }
  return Array.from(types, ([name, type]) => ({ name, type }))
}
