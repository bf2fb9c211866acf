// What the engine says of files that it cannot read, in the words of the reader that the user
// called.

import { RayError } from '../../base/errors.js'
import type { FilesSource } from './files.js'
import type { OpenPieces } from './open-pieces.js'

export interface Failure {
  readonly error: unknown
  readonly open: OpenPieces
}

/** Says which reader failed and in which files; what the engine said is the cause. */
export function readError(
  { operator }: FilesSource,
  files: readonly { readonly path: string }[],
  { error, open }: Failure,
): unknown {
  if (!(error instanceof RayError) || !error.message.startsWith('DuckDB: ')) return error
  const reason = open.named(shortReason(error.message))
  const [first] = files
  const others = files.length > 1 ? ` and ${files.length - 1} more` : ''
  const where = files.some(({ path }) => reason.includes(path))
    ? ''
    : ` (reading ${first?.path ?? 'no file'}${others})`
  return new RayError(`${operator}: ${reason}${where}`, {
    fields: { path: first?.path ?? '' },
    cause: error,
  })
}

/** What the engine says, without the advice about options that are not ours. */
function shortReason(message: string): string {
  const lines = message.replace(/^DuckDB: ([A-Z]\w+ )*Error: /, '').split('\n')
  const end = lines.findIndex((line) => {
    return /^(Possible (fixes|solutions?)|LINE \d|This type was|Column \w+ is being)/i.test(line)
  })
  const said = lines.slice(0, end === -1 ? undefined : end).filter((line) => line.trim() !== '')
  const file = lines
    .find((line) => /^\s+file = /.test(line))
    ?.trim()
    .slice('file = '.length)
  const short = said.map((line) => (line.length > 300 ? `${line.slice(0, 300)}...` : line.trim()))
  return [...short, ...(file === undefined ? [] : [`in ${file}`])].join('; ')
}

/** Whether a line is longer than the engine expects unless it is told. */
export function isLineTooLong(error: unknown): boolean {
  return error instanceof RayError && error.message.includes('Maximum line size')
}
