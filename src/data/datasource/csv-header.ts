// The first line of a CSV file: the names of its columns.
//
// The engine maps columns by position once it is told their types, so a file whose columns stand in
// another order would be read wrongly and silently. Each file's own header is therefore read here,
// and files with the same one are read together.

import { RayError } from '../../base/errors.js'
import type { CsvFormat } from './file-format.js'

/** The first record of a CSV text, and the length of it in characters with its line end. */
export interface CsvRecord {
  readonly values: readonly string[]
  readonly length: number
}

/**
 * Reads the first record; undefined if `text` ends inside it and `isAll` does not say it is all.
 */
export function firstRecord(
  text: string,
  format: CsvFormat,
  isAll: boolean,
): CsvRecord | undefined {
  const { delimiter, quoteChar, escapeChar } = format
  const values: string[] = []
  let value = ''
  let isQuoted = false
  let at = 0
  for (; at < text.length; at++) {
    const char = text.charAt(at)
    if (isQuoted) {
      const next = text.charAt(at + 1)
      if (char === escapeChar && (next === quoteChar || next === escapeChar) && next !== '') {
        value += next
        at++
      } else if (char === quoteChar) isQuoted = false
      else value += char
      continue
    }
    if (char === quoteChar && quoteChar !== '' && value === '') isQuoted = true
    else if (text.startsWith(delimiter, at)) {
      values.push(value)
      value = ''
      at += delimiter.length - 1
    } else if (char === '\n' || char === '\r') break
    else value += char
  }
  if (at >= text.length && !isAll) return undefined
  values.push(value)
  const end = text.startsWith('\r\n', at) ? 2 : at < text.length ? 1 : 0
  return { values, length: at + end }
}

/** The names of the columns of a file that begins with `text`. */
export function columnNames(file: string, record: CsvRecord, format: CsvFormat): readonly string[] {
  const given = format.columnNames
  if (given !== undefined) return given
  const zero = record.values.join(format.delimiter).indexOf('\0')
  if (zero !== -1 && format.hasHeader) {
    throw new RayError(
      `readCsv: ${file} is no text: there is a zero at byte ${zero} of its header. If it is text ` +
        "of another encoding, name that, such as `encoding: 'utf-16'`.",
      { fields: { path: file } },
    )
  }
  const names = record.values.map((name, i) => {
    return !format.hasHeader || name === '' ? `f${i}` : name
  })
  const lower = names.map((name) => name.toLowerCase())
  const twice = names.find((_, i) => lower.indexOf(lower[i] ?? '') !== i)
  if (twice === undefined) return names
  throw new RayError(
    `readCsv: ${file} has two columns "${twice}", whatever the case of letters. ` +
      `Name them with \`columnNames\`, and skip the ` +
      'header with `skipRows: 1`.',
    { fields: { path: file, column: twice } },
  )
}
