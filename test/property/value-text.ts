// Values and rows as text, the same for all JavaScript forms of a value, and their order.

/** A value as text; -0 and 0 are one, as they are to groups. */
export function textOfValue(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (value instanceof Date) return `date ${value.toISOString()}`
  if (value instanceof Map) return `map ${[...value].map(textOfValue).join()}`
  if (typeof value !== 'object') return `${typeof value} ${String(value)}`
  if (Symbol.iterator in value) {
    return `[${Array.from(value as Iterable<unknown>, textOfValue).join()}]`
  }
  const members = Object.entries(value).map(([key, each]) => `${key}: ${textOfValue(each)}`)
  return `{${members.join()}}`
}

/** A row as text, whatever the order of its columns. */
export function textOfRow(row: object): string {
  const cells = Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))
  return cells.map(([name, value]) => `${name}: ${textOfValue(value)}`).join(', ')
}

/** The order that values have in the engine: NaN is the greatest number, and equals itself. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(String(b)))
  const [x, y] = [a, b].map((each) => (each instanceof Date ? each.getTime() : each)) as [
    number,
    number,
  ]
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y))
  return x < y ? -1 : x > y ? 1 : 0
}
