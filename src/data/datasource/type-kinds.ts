// Which of the engine's types convert to each other without becoming something else.

/** Types of one kind convert to each other. */
export function kindOf(type: string): string {
  if (/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\([^)]*\))$/.test(type)) {
    return 'number'
  }
  if (/^(DATE|TIMESTAMP\w*)$/.test(type)) return 'date'
  if (listEnd.test(type)) return 'list'
  if (type.startsWith('STRUCT(')) return 'struct'
  return type
}

/** The end of the type of a list, or of an array of fixed size. */
export const listEnd = /\[\d*\]$/

/** Whether two types are of one kind, and so are the types inside them. */
export function areOfOneKind(a: string, b: string): boolean {
  const kind = kindOf(a)
  if (kind !== kindOf(b)) return false
  if (kind === 'list') return areOfOneKind(a.replace(listEnd, ''), b.replace(listEnd, ''))
  if (kind !== 'struct') return true
  const others = fieldsOf(b)
  return [...fieldsOf(a)].every(([name, type]) => {
    const other = others.get(name)
    return other === undefined || areOfOneKind(type, other)
  })
}

/** The fields of `STRUCT(a INTEGER, "b c" VARCHAR[])`; names have quotes where they need them. */
export function fieldsOf(type: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const part of partsOf(type.slice('STRUCT('.length, -1))) {
    const field = /^("(?:[^"]|"")*"|\S+) (.*)$/s.exec(part)
    if (field?.[1] !== undefined && field[2] !== undefined) fields.set(field[1], field[2])
  }
  return fields
}

/** What stands between the commas that are in no parentheses and no quotes. */
export function partsOf(inner: string): readonly string[] {
  const parts: string[] = []
  let start = 0
  let depth = 0
  let isQuoted = false
  for (let at = 0; at <= inner.length; at++) {
    const char = inner.charAt(at)
    if (char === '"') isQuoted = !isQuoted
    if (isQuoted) continue
    if (char === '(') depth++
    if (char === ')') depth--
    if (depth > 0 || (char !== ',' && char !== '')) continue
    parts.push(inner.slice(start, at).trim())
    start = at + 1
  }
  return parts
}
