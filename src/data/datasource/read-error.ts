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
  source: FilesSource,
  files: readonly { readonly path: string }[],
  { error, open }: Failure,
): unknown {
  if (!(error instanceof RayError)) return error
  const { operator } = source
  // A filter that runs together with reading is named first, and is not the reason.
  const { cause } = error
  if (cause instanceof RayError && ofReading.test(cause.message)) {
    return readError(source, files, { error: cause, open })
  }
  if (cause instanceof RayError && cause.message.startsWith('DuckDB: ')) {
    const message = open.named(`${error.message}${placeOf(error.message, files)}`)
    return new RayError(message, { fields: error.fields, cause })
  }
  if (!error.message.startsWith('DuckDB: ')) return error
  const reason = open.named(shortReason(error.message))
  const [first] = files
  return new RayError(`${operator}: ${reason}${placeOf(reason, files)}`, {
    fields: { path: first?.path ?? '' },
    cause: error,
  })
}

/** Where it was, unless that is said already. */
function placeOf(said: string, files: readonly { readonly path: string }[]): string {
  if (files.some(({ path }) => said.includes(path))) return ''
  const [first] = files
  const others = files.length > 1 ? ` and ${files.length - 1} more` : ''
  return ` (reading ${first?.path ?? 'no file'}${others})`
}

/** What the engine says of files, and not of expressions. */
const ofReading =
  /^DuckDB: .*(CSV Error|Malformed JSON|JSON transform|Parquet|thrift|footer|magic bytes)/i

const advice =
  /^(Possible (fixes|solutions?)|LINE \d|This type was|Column \w+ is being|Try setting)/i

/** What the engine says, without the advice about options that are not ours. */
function shortReason(message: string): string {
  const lines = message.replace(/^DuckDB: ([A-Z]\w+ )*Error: /, '').split('\n')
  const end = lines.findIndex((line) => advice.test(line))
  const said = lines.slice(0, end === -1 ? undefined : end).filter((line) => line.trim() !== '')
  const file = lines
    .find((line) => /^\s+file = /.test(line))
    ?.trim()
    .slice('file = '.length)
  const short = said.map((line) => {
    const plain = line.trim().replace(/ Use "SET .*/, '')
    return plain.length > 300 ? `${plain.slice(0, 300)}...` : plain
  })
  return [...short, ...(file === undefined ? [] : [`in ${file}`])].join('; ')
}

/** Whether a line is longer than the engine expects unless it is told. */
export function isLineTooLong(error: unknown): boolean {
  // The others are what it says of lines, and of quoted values, that are longer than its buffer.
  const said = /Maximum line size|does not support a full read|unterminated quote/
  return error instanceof RayError && said.test(error.message)
}
