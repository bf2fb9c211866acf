// Arithmetic on plain amounts by resource name, for policies and views of the cluster. Amounts are
// rounded to 1e-4, the precision of a resource, so that 0.1 + 0.2 fits where 0.3 is left. A name
// that is missing means none of it.

export type Amounts = Readonly<Record<string, number>>

const round = (amount: number): number => Math.round(amount * 1e4) / 1e4

export function amountsFit(demand: Amounts, available: Amounts): boolean {
  for (const name in demand) {
    if (demand[name]! > 0 && round((available[name] ?? 0) - demand[name]!) < 0) return false
  }
  return true
}

export function addAmounts(left: Amounts, right: Amounts): Amounts {
  const sum: Record<string, number> = { ...left }
  for (const name in right) sum[name] = round((sum[name] ?? 0) + right[name]!)
  return sum
}

/** May go below zero: a view of another node can be older than what is taken from it. */
export function subtractAmounts(left: Amounts, right: Amounts): Amounts {
  const rest: Record<string, number> = { ...left }
  for (const name in right) rest[name] = round((rest[name] ?? 0) - right[name]!)
  return rest
}

/** The larger amount of each name. */
export function largerAmounts(left: Amounts, right: Amounts): Amounts {
  const larger: Record<string, number> = { ...left }
  for (const name in right) larger[name] = Math.max(larger[name] ?? 0, right[name]!)
  return larger
}

export function sameAmounts(left: Amounts, right: Amounts): boolean {
  for (const name in left) if ((left[name] ?? 0) !== (right[name] ?? 0)) return false
  for (const name in right) if ((left[name] ?? 0) !== (right[name] ?? 0)) return false
  return true
}

/** For messages: `2 CPU, 0.5 GPU`, or `nothing`. */
export function formatAmounts(amounts: Amounts): string {
  const parts = Object.entries(amounts)
    .filter(([, amount]) => amount !== 0)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, amount]) => `${amount} ${name}`)
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}
