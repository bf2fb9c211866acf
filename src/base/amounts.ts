// Amounts of resources, as users and messages write them.

/**
 * Units by resource name (1 = one CPU, one GPU, one byte of `memory`); fixed-point at 1e-4 inside.
 */
export type Resources = Readonly<Record<string, number>>

const perUnit = 10_000

/**
 * Rounds an amount to the precision of resources. Throws TypeError or RangeError naming the option.
 */
export function checkAmount(option: string, value: unknown): number {
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw new TypeError(`The option '${option}' must be a number, not ${JSON.stringify(value)}.`)
  }
  if (!Number.isFinite(value) || value < 0) {
    throw new RangeError(`The option '${option}' must be zero or more, not ${value}.`)
  }
  const parts = value * perUnit
  if (Math.abs(parts - Math.round(parts)) > 1e-6 * Math.max(1, parts)) {
    throw new RangeError(`The option '${option}' has a precision of 0.0001; ${value} is finer.`)
  }
  return Math.round(parts) / perUnit
}
