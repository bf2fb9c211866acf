// Prints rows as a table, as JSON, or as YAML.

import Table from 'cli-table3'

export type Format = 'table' | 'json' | 'yaml'

type Row = Readonly<Record<string, unknown>>

const cellCharsMax = 60

/** A line for each row; without rows a sentence. */
export function showRows(rows: readonly Row[], format: Format): void {
  if (format === 'table') process.stdout.write(tableOf(rows))
  else showValue(rows, format)
}

/** One row, a line for each column. */
export function showRow(row: Row, format: Format): void {
  if (format === 'table') {
    const columns = Object.entries(row).map(([key, value]) => ({ column: key, value }))
    process.stdout.write(tableOf(columns, Infinity))
  } else showValue(row, format)
}

export function showValue(value: unknown, format: 'json' | 'yaml'): void {
  const text = format === 'json' ? JSON.stringify(value, null, 2) : yamlOf(value, '').trimStart()
  process.stdout.write(`${text}\n`)
}

export function tableOf(rows: readonly Row[], charsMax: number = cellCharsMax): string {
  const [first] = rows
  if (first === undefined) return 'There is none.\n'
  const head = Object.keys(first)
  const plain = { head: [], border: [], compact: true }
  const table = new Table({ head, style: plain, chars: borders })
  for (const row of rows) table.push(head.map((key) => cell(row[key], charsMax)))
  const text = table.toString().split('\n')
  return `${text.map((line) => line.trimEnd()).join('\n')}\n`
}

/** Nothing but spaces, so that a line is easy to cut with other tools. */
const borders = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((name) => [name, name === 'middle' ? ' ' : '']),
)

function cell(value: unknown, charsMax: number): string {
  if (value === null || value === undefined || value === '') return '-'
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value as string)
  const line = text.replaceAll('\n', ' ')
  return line.length > charsMax ? `${line.slice(0, charsMax - 1)}…` : line
}

function yamlOf(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return ` ${JSON.stringify(value ?? null)}`
  const isList = Array.isArray(value)
  const entries = Object.entries(value)
  if (entries.length === 0) return isList ? ' []' : ' {}'
  return entries
    .map(([key, item]) => {
      if (!isList) return `\n${indent}${key}:${yamlOf(item, `${indent}  `)}`
      const text = yamlOf(item, `${indent}  `)
      return `\n${indent}-${text.startsWith('\n') ? ` ${text.trimStart()}` : text}`
    })
    .join('')
}
