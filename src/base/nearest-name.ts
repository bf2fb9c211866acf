/**
 * The name that somebody meant who wrote another: the same in another spelling (`num_cpus`), or one
 * or two letters away.
 */
export function nearestName(written: string, known: Iterable<string>): string | undefined {
  const plain = simplified(written)
  let nearest: string | undefined
  let least = plain.length < 5 ? 1 : 2
  for (const name of known) {
    const distance = editDistance(plain, simplified(name))
    if (distance === 0) return name
    if (distance > least || (distance === least && nearest !== undefined)) continue
    least = distance
    nearest = name
  }
  return nearest
}

/** For the end of a message: ` Did you mean 'numCpus'?`, or nothing. */
export function didYouMean(written: string, known: Iterable<string>): string {
  const name = nearestName(written, known)
  return name === undefined ? '' : ` Did you mean '${name}'?`
}

function simplified(name: string): string {
  return name.replaceAll(/[_\s-]/g, '').toLowerCase()
}

/** Letters to insert, drop or change. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
