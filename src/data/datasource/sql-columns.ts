// The columns that all files of a source have in common: names and DuckDB types, and the SQL that
// makes every file give exactly these.

import { RayError } from '../../base/errors.js'
import { query, quoteName } from '../engine/engine.js'
import type { FilesSource, SqlColumn } from './files.js'
import { areOfOneKind, kindOf } from './type-kinds.js'

/** The columns of a query that begins with FROM, without running it. */
export function describeSql(from: string): readonly SqlColumn[] {
  const described = query(`DESCRIBE SELECT * ${from}`)
  return [...described].map(({ column_name: name, column_type: type }) => {
    return { name: String(name), type: String(type) }
  })
}

/** The columns of one file. */
export interface FileColumns {
  readonly file: string
  readonly columns: readonly SqlColumn[]
}

/**
 * The columns of several files together, in the order in which they are met. Types that differ
 * become the wider one (int32 and int64, int64 and double, date and timestamp). Types that are only
 * guesses become text where they disagree.
 *
 * @throws RayError if two files disagree about what a column is
 */
export function unifyColumns(
  operator: string,
  files: readonly FileColumns[],
  disagreement: 'refuse' | 'text' = 'refuse',
): readonly SqlColumn[] {
  const known = new Map<string, { file: string; types: string[] }>()
  for (const { file, columns } of files) {
    for (const { name, type, isEmpty = false } of columns) {
      const column = known.get(name) ?? { file, types: [] }
      known.set(name, column)
      // A column without values says nothing of its type.
      if (isEmpty || column.types.includes(type)) continue
      if (disagreement === 'refuse' && column.types.length > 0)
        refuseOther(operator, name, {
          first: { file: column.file, type: column.types[0] ?? type },
          second: { file, type },
        })
      column.types.push(type)
    }
  }
  refuseTwins(operator, known)
  return [...known].map(([name, { types }]) => {
    const isOneKind = new Set(types.map(kindOf)).size === 1
    return { name, type: isOneKind ? widest(types) : 'VARCHAR' }
  })
}

/** Names that are one to the engine: within a file it says so, of several files it does not. */
function refuseTwins(
  operator: string,
  known: ReadonlyMap<string, { readonly file: string }>,
): void {
  const byLower = new Map<string, string>()
  for (const [name, { file }] of known) {
    const twin = byLower.get(name.toLowerCase())
    if (twin !== undefined && known.get(twin)?.file !== file) {
      throw new RayError(
        `${operator}: the columns "${twin}" of ${known.get(twin)?.file} and "${name}" of ${file} ` +
          'differ only in the case of their letters. Read the files apart, and rename one.',
        { fields: { column: name, file } },
      )
    }
    byLower.set(name.toLowerCase(), name)
  }
}

interface Disagreement {
  readonly first: { readonly file: string; readonly type: string }
  readonly second: { readonly file: string; readonly type: string }
}

function refuseOther(operator: string, name: string, { first, second }: Disagreement): void {
  if (areOfOneKind(first.type, second.type)) return
  throw new RayError(
    `${operator}: the files disagree about column "${name}": it is ${first.type} in ` +
      `${first.file} and ${second.type} in ${second.file}. Read them apart, and convert one.`,
    { fields: { column: name, file: second.file } },
  )
}

function widest(types: readonly string[]): string {
  const [only, ...others] = types
  if (only !== undefined && others.length === 0) return only
  const parts = types.map((type) => `SELECT NULL::${type} AS c`)
  return describeSql(`FROM (${parts.join(' UNION ALL ')})`)[0]?.type ?? 'VARCHAR'
}

/** The columns that the source wants, with the types that it wants them in. */
export function sqlColumnsWanted(
  source: FilesSource,
  present: readonly SqlColumn[],
): readonly SqlColumn[] {
  const byName = new Map(present.map((column) => [column.name, column]))
  const names = source.columns ?? present.map((column) => column.name)
  return names.map((name) => {
    const column = byName.get(name)
    if (column === undefined) {
      const list = present.map((each) => each.name).join(', ')
      throw new RayError(
        `${source.operator}: ${pathsOf(source)} has no column "${name}"; it has ${list}.`,
        { fields: { column: name } },
      )
    }
    const isWide = column.type === 'BIGINT' || column.type === 'UBIGINT'
    const isNumber = 'int64' in source.format && source.format.int64 === 'number' && isWide
    return isNumber ? { ...column, type: 'DOUBLE' } : column
  })
}

function pathsOf({ paths }: FilesSource): string {
  const [first = ''] = paths
  return paths.length > 1 ? `${first} and ${paths.length - 1} more` : first
}

/**
 * The SQL that gives `columns`, in order and of their types, of the tables one after the other.
 * Each table is a query that begins with FROM; a column that it lacks is null. All tables have the
 * columns of `others`, which stay as they are.
 */
export function selectColumns(
  columns: readonly SqlColumn[],
  tables: readonly string[],
  others: readonly string[] = [],
): string {
  const nulls = columns.map(({ name, type }) => `NULL::${type} AS ${quoteName(name)}`)
  const list = columns.map(({ name, type }) => `${quoteName(name)}::${type} AS ${quoteName(name)}`)
  // One after the other and not as one list of files: their own columns may differ.
  const parts = [`SELECT ${nulls.join(', ')} WHERE false`, ...tables]
  return `SELECT ${[...list, ...others].join(', ')} FROM (${parts.join(' UNION ALL BY NAME ')})`
}
