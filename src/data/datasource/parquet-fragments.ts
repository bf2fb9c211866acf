// How Parquet files are divided among tasks. Apart from the reader, because the driver needs this
// and not DuckDB.

import type { SchemaField } from '../block/block.js'

/** How 64-bit integers are read: as they are, or as doubles, which are exact up to 2^53. */
export type Int64Format = 'bigint' | 'number'

export interface ParquetReadOptions {
  readonly columns?: readonly string[] | undefined
  readonly int64?: Int64Format | undefined
}

export interface RowGroup {
  readonly rows: number
  /** Size in memory, as the file estimates it. */
  readonly bytes: number
}

export interface ParquetFile {
  readonly path: string
  readonly rowGroups: readonly RowGroup[]
}

export interface ParquetDescription {
  readonly files: readonly ParquetFile[]
  readonly schema: readonly SchemaField[]
}

/** Some consecutive rows of a file, usually one or several of its row groups. */
export interface ParquetFragment {
  readonly path: string
  readonly start: number
  readonly rows: number
  readonly bytes: number
}

/** The fragments of files: row groups, joined while they stay below `blockBytes` together. */
export function fragmentsOf(
  files: readonly ParquetFile[],
  blockBytes: number,
): readonly ParquetFragment[] {
  return files.flatMap(({ path: file, rowGroups }) => {
    const fragments: ParquetFragment[] = []
    let start = 0
    for (const { rows, bytes } of rowGroups) {
      const last = fragments.at(-1)
      if (last !== undefined && last.bytes + bytes <= blockBytes) {
        const joined = { ...last, rows: last.rows + rows, bytes: last.bytes + bytes }
        fragments[fragments.length - 1] = joined
      } else if (rows > 0) {
        fragments.push({ path: file, start, rows, bytes })
      }
      start += rows
    }
    return fragments
  })
}
