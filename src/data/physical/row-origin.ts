// Where the rows of a block come from, for errors: "row 1234 of /data/trips.parquet".
//
// Known when a task is submitted, because blocks are made one of one. Behind a step that drops or
// adds rows, a row's number is lost, but not the range that it was among.

import type { FilePiece } from '../datasource/files.js'
import type { TaskInput } from './operators.js'

export interface RowOrigin {
  /** A file, or what made the rows. */
  readonly name: string
  /** Number of the first row, where it is known. */
  readonly start?: number | undefined
  readonly rows?: number | undefined
}

export function originOf(input: TaskInput): RowOrigin {
  switch (input.kind) {
    case 'files': {
      const [first, ...others] = input.request.pieces
      if (first === undefined) return { name: input.request.source.operator }
      const last = others.at(-1)
      if (last === undefined) return originOfPiece(first)
      if (last.path === first.path) return { name: first.path }
      return { name: `${others.length + 1} pieces, ${first.path} to ${last.path}`, start: 0 }
    }
    case 'query':
      return { name: input.name }
    case 'rows':
      return { name: 'fromItems', start: input.start ?? 0, rows: input.rows.length }
    case 'range':
      return { name: 'range', start: input.start, rows: input.rows }
    case 'read-task':
      return { name: input.name }
  }
}

/** The place of several blocks that lie one behind the other; undefined if one has none. */
export function joinOrigins(origins: readonly (RowOrigin | undefined)[]): RowOrigin | undefined {
  const [first] = origins
  if (first === undefined || origins.length === 1) return first
  let { start, rows } = first
  for (const origin of origins.slice(1)) {
    if (origin === undefined) return undefined
    const end = start === undefined || rows === undefined ? undefined : start + rows
    const isNext = origin.name === first.name && end !== undefined && origin.start === end
    if (isNext && rows !== undefined && origin.rows !== undefined) {
      rows += origin.rows
    } else {
      start = undefined
      rows = undefined
    }
  }
  const names = [...new Set(origins.map((origin) => origin?.name ?? ''))]
  const name = names.length === 1 ? first.name : `${first.name} to ${names.at(-1) ?? ''}`
  return { name, start, rows }
}

/** Pieces of files that know their rows are counted in rows, others in bytes. */
export function originOfPiece({ path, start, rows }: FilePiece): RowOrigin {
  if (rows !== undefined || start === 0) return { name: path, start, rows }
  return { name: `${path}, counted from byte ${start}`, start: 0 }
}
