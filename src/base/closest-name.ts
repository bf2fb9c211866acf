/** The name that somebody may have meant who wrote another: one or two letters are different. */
export function closestName(wrong: string, names: readonly string[]): string | undefined {
  const most = wrong.length < 4 ? 1 : 2
  let best: string | undefined
  let least = most + 1
  for (const name of names) {
    if (Math.abs(name.length - wrong.length) > most) continue
    const distance = editDistance(wrong.toLowerCase(), name.toLowerCase())
    if (distance >= least) continue
    best = name
    least = distance
  }
  return best
}

/** Letters to insert, remove or replace to make one of the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, replaced))
    }
    row = next
  }
  return row[b.length]!
}
