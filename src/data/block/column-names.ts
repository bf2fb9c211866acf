// Blocks with fewer columns, or with other names for them: no data is touched.

import type { Data } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type Block, blockOfData, columnAt, noColumn, schemaOfBlock } from './block.js'
import { toOneBatch } from './concat.js'

/** The block without the named columns. */
export function dropColumns(block: Block, names: readonly string[]): Block {
  const present = namesOf(block)
  for (const name of names) if (!present.includes(name)) throw noColumn(name, schemaOfBlock(block))
  const kept = present.filter((name) => !names.includes(name))
  return block.select(kept)
}

/** The block with new names: by the old ones, or of all columns in order. */
export function renameColumns(
  block: Block,
  names: Readonly<Record<string, string>> | readonly string[],
): Block {
  const one = toOneBatch(block)
  const present = namesOf(one)
  const renamed = Array.isArray(names)
    ? allNames(present, names as readonly string[])
    : someNames(one, new Map(Object.entries(names as Readonly<Record<string, string>>)))
  const repeated = renamed.find((name, i) => renamed.indexOf(name) !== i)
  if (repeated !== undefined) {
    throw new RayError(`renameColumns: two columns would be called "${repeated}".`, {
      fields: { column: repeated },
    })
  }
  return blockOfData(
    renamed,
    present.map((_, i) => columnAt(one, i).data[0] as Data),
    one.numRows,
  )
}

function allNames(present: readonly string[], names: readonly string[]): readonly string[] {
  if (names.length === present.length) return names
  throw new RayError(
    `renameColumns: ${names.length} names were given for ${present.length} columns, ` +
      `which are ${present.join(', ')}.`,
  )
}

function someNames(block: Block, names: ReadonlyMap<string, string>): readonly string[] {
  const present = namesOf(block)
  for (const name of names.keys()) {
    if (!present.includes(name)) throw noColumn(name, schemaOfBlock(block))
  }
  return present.map((name) => names.get(name) ?? name)
}

function namesOf(block: Block): string[] {
  return block.schema.fields.map(({ name }) => name)
}
