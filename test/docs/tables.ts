// Rows of the tables of a page.

export interface Row {
  readonly line: number
  /** Headings above the row, outermost first. */
  readonly section: string
  /** Text of the cells, without the marks of code. */
  readonly cells: readonly string[]
}

const isRule = (line: string): boolean => /^\|[\s|:-]+\|$/.test(line)

/** Rows of all tables, without their heads. */
export function rowsOf(markdown: string): Row[] {
  const lines = markdown.split('\n')
  let section = ''
  return lines.flatMap((line, index) => {
    if (line.startsWith('#')) section = line.replace(/^#+ /, '')
    const isHead = isRule(lines[index + 1] ?? '')
    if (!line.startsWith('|') || isRule(line) || isHead) return []
    // A bar inside of code is written with a backslash.
    const cells = line.slice(1, line.lastIndexOf('|')).split(/(?<!\\)\|/)
    const texts = cells.map((cell) => cell.trim().replaceAll('\\|', '|').replaceAll('`', ''))
    return [{ line: index + 1, section, cells: texts }]
  })
}
