// Rows as a text table.

/** Numbers to the right, everything else to the left, one line per row. */
export function formatRows(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const [first] = rows
  if (first === undefined) return '(no rows)'
  const names = Object.keys(first)
  const columns = names.map((name) => {
    const cells = rows.map((row) => formatCell(row[name]))
    const isNumber = rows.every((row) => ['number', 'bigint'].includes(typeof row[name]))
    const width = Math.max(name.length, ...cells.map((cell) => cell.length))
    const pad = (text: string): string => (isNumber ? text.padStart(width) : text.padEnd(width))
    return [pad(name), '-'.repeat(width), ...cells.map(pad)]
  })
  const lines = rows.map((_, i) => i + 2)
  return [0, 1, ...lines]
    .map((line) =>
      columns
        .map((column) => column[line] ?? '')
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function formatCell(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'number' && !Number.isInteger(value))
    return String(Number(value.toPrecision(6)))
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
