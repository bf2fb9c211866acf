// Leaves out files whose folders, or paths, say that none of their rows is wanted:
// `filter(col('year').eq(2024))` does not open what lies below `year=2023`.
//
// What is asked of columns inside the files is not known here and taken to hold. A row passes a
// filter only where it is true, so weakening a part of a conjunction or disjunction keeps more
// files, and never fewer. The filter itself stays in the plan, and decides about the rows.

import { RayError } from '../../base/errors.js'
import { blockOfColumns, columnsOfBlock } from '../block/block.js'
import { plainBlock } from '../block/plain-data.js'
import { withBlock } from '../engine/block-scan.js'
import { query, quoteName } from '../engine/engine.js'
import { allOf, columnsOfNode, type ExpressionNode } from '../expression/node.js'
import { sqlOfNode } from '../expression/sql.js'
import { addedColumns, addedValue } from './file-columns.js'
import type { FilesSource, ListedFile, SqlColumn } from './files.js'

export interface PrunedFiles {
  /** The files that may have rows that are wanted, in order. */
  readonly read: readonly ListedFile[]
  /** The columns that decided. */
  readonly by: readonly string[]
}

/**
 * The files that may have rows that are wanted. `own` names columns that are in the files, where a
 * folder or path of that name says nothing.
 */
export function pruneFiles(
  source: FilesSource,
  listed: readonly ListedFile[],
  own: readonly string[],
): PrunedFiles {
  const inFiles = own.map((name) => ({ name, type: 'VARCHAR' }))
  const added = addedColumns(source, listed, inFiles)
  const test = source.predicate && ofColumns(source.predicate, new Set(added.map((c) => c.name)))
  if (test === undefined || listed.length === 0) return { read: listed, by: [] }
  const by = columnsOfNode(test)
  const columns = added.filter(({ name }) => by.includes(name))
  try {
    const kept = passing(source, listed, { test, columns })
    return { read: listed.filter((_, i) => kept.has(i)), by }
  } catch (error) {
    // What cannot be computed of the folders fails in the filter too, with its name, or is never
    // reached there.
    if (error instanceof RayError) return { read: listed, by: [] }
    throw error
  }
}

/** The predicate as far as it is about these columns alone; undefined if it is not at all. */
function ofColumns(node: ExpressionNode, names: ReadonlySet<string>): ExpressionNode | undefined {
  if (node.kind === 'alias') return ofColumns(node.value, names)
  if (node.kind === 'call' && node.fn === 'and') {
    return allOf(node.args.flatMap((part) => ofColumns(part, names) ?? []))
  }
  if (node.kind === 'call' && node.fn === 'or') {
    const parts = node.args.flatMap((part) => ofColumns(part, names) ?? [])
    return parts.length === node.args.length ? { ...node, args: parts } : undefined
  }
  const read = columnsOfNode(node)
  return read.length > 0 && read.every((name) => names.has(name)) ? node : undefined
}

const rowName = 'typeray file'

interface Test {
  readonly test: ExpressionNode
  readonly columns: readonly SqlColumn[]
}

/** The numbers of the files for which the test is true. */
function passing(
  source: FilesSource,
  listed: readonly ListedFile[],
  { test, columns }: Test,
): ReadonlySet<number> {
  const values = new Map<string, (string | null)[] | Int32Array>([
    [rowName, Int32Array.from(listed.keys())],
  ])
  const list = columns.map((column) => {
    const name = quoteName(column.name)
    const texts = listed.map((file) => addedValue(source, file.path, column))
    // A column of nothing but nulls has no type that the engine could be shown.
    if (texts.every((text) => text === null)) return `NULL::${column.type} AS ${name}`
    values.set(column.name, texts)
    return `${name}::${column.type} AS ${name}`
  })
  return withBlock(plainBlock(blockOfColumns(Object.fromEntries(values))), (table) => {
    const row = quoteName(rowName)
    const typed = `SELECT ${[row, ...list].join(', ')} FROM ${table}`
    const found = query(`SELECT ${row} AS row FROM (${typed}) WHERE ${sqlOfNode(test)}`)
    return new Set(columnsOfBlock(found).row as Int32Array)
  })
}
