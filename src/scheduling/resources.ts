// Amounts of resources: CPU, GPU, memory and whatever names the user invents.
//
// Amounts are integers of a ten-thousandth, because 0.1 + 0.2 must be the 0.3 that was given out:
// with floating point a node loses a sliver of CPU with every fractional task, until a task of one
// CPU no longer fits an idle node.
//
// Availability may be below zero for a while: a task that waited in `get` lent its CPU to another,
// and takes it back when its answer is there. Nothing is granted until the amount is positive
// again.

import { resourceAmount } from '../base/byte-size.js'
import type { Resources } from '../base/amounts.js'

/** Parts that one unit is counted in. */
export const unitParts = 10_000

/**
 * Resources that come as numbered devices: a share must lie on one device, more than one must be
 * whole.
 */
export const deviceResources: readonly string[] = ['GPU']

/** An immutable set of amounts. A name that is absent has none. */
export class ResourceSet {
  static readonly empty = new ResourceSet(new Map())

  /** Fixed-point amounts by name, without zeros. */
  readonly amounts: ReadonlyMap<string, number>

  private constructor(amounts: ReadonlyMap<string, number>) {
    this.amounts = amounts
  }

  /** Throws a RangeError that names the resource when an amount makes no sense. */
  static from(resources: Resources): ResourceSet {
    const amounts = new Map<string, number>()
    for (const [name, units] of Object.entries(resources)) {
      const parts = toParts(name, units)
      if (parts !== 0) amounts.set(name, parts)
    }
    return amounts.size === 0 ? ResourceSet.empty : new ResourceSet(amounts)
  }

  get(name: string): number {
    return this.amounts.get(name) ?? 0
  }

  get isEmpty(): boolean {
    return this.amounts.size === 0
  }

  plus(other: ResourceSet): ResourceSet {
    return this.#combine(other, 1)
  }

  /** May go below zero. */
  minus(other: ResourceSet): ResourceSet {
    return this.#combine(other, -1)
  }

  /** By name, the larger of the two amounts. */
  atLeast(other: ResourceSet): ResourceSet {
    const amounts = new Map(this.amounts)
    for (const [name, parts] of other.amounts) {
      amounts.set(name, Math.max(amounts.get(name) ?? 0, parts))
    }
    return new ResourceSet(amounts)
  }

  /** Only the named resource. */
  only(name: string): ResourceSet {
    const parts = this.get(name)
    return parts === 0 ? ResourceSet.empty : new ResourceSet(new Map([[name, parts]]))
  }

  fitsIn(available: ResourceSet): boolean {
    for (const [name, parts] of this.amounts) if (parts > available.get(name)) return false
    return true
  }

  /** Names of which `available` has too little. */
  lacksIn(available: ResourceSet): string[] {
    const names: string[] = []
    for (const [name, parts] of this.amounts) if (parts > available.get(name)) names.push(name)
    return names
  }

  equals(other: ResourceSet): boolean {
    if (this.amounts.size !== other.amounts.size) return false
    for (const [name, parts] of this.amounts) if (other.get(name) !== parts) return false
    return true
  }

  /** The same amounts in units, as messages carry them. */
  toResources(): Resources {
    const resources: Record<string, number> = {}
    for (const [name, parts] of this.amounts) resources[name] = parts / unitParts
    return resources
  }

  /** Equal for sets that are equal: `2 CPU, 0.5 GPU`, in order of name. */
  key(): string {
    return this.#text(({ value, name }) => `${value} ${name}`)
  }

  /** For people: `2 CPU, 1.5 GiB memory`, in order of name. */
  toString(): string {
    return this.#text(({ value, name }) => `${resourceAmount(name, value)} ${name}`)
  }

  #text(each: (amount: { name: string; value: number }) => string): string {
    if (this.amounts.size === 0) return 'nothing'
    return [...this.amounts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, parts]) => each({ name, value: parts / unitParts }))
      .join(', ')
  }

  #combine(other: ResourceSet, sign: 1 | -1): ResourceSet {
    if (other.amounts.size === 0) return this
    const amounts = new Map(this.amounts)
    for (const [name, parts] of other.amounts) {
      const sum = (amounts.get(name) ?? 0) + sign * parts
      if (sum === 0) amounts.delete(name)
      else amounts.set(name, sum)
    }
    return amounts.size === 0 ? ResourceSet.empty : new ResourceSet(amounts)
  }
}

function toParts(name: string, units: number): number {
  if (name === '') throw new RangeError('a resource must have a name')
  if (typeof units !== 'number' || !Number.isFinite(units) || units < 0) {
    throw new RangeError(`the amount of ${name} must be a number of at least 0, not ${units}`)
  }
  if (deviceResources.includes(name) && units > 1 && !Number.isInteger(units)) {
    throw new RangeError(`more than one ${name} must be a whole number, not ${units}`)
  }
  const parts = Math.round(units * unitParts)
  if (units > 0 && parts === 0) {
    throw new RangeError(`the amount of ${name} must be at least ${1 / unitParts}, not ${units}`)
  }
  if (!Number.isSafeInteger(parts)) throw new RangeError(`the amount of ${name} is too large`)
  return parts
}
