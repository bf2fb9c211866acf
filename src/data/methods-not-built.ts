// Methods of Ray's datasets that are not built: they say so, instead of not being functions.

import { RayError } from '../base/errors.js'

const names = ['writeCsv', 'writeJson']

/** Gives a prototype a method for each of the names that it has none for. */
export function refuseMethodsNotBuilt(prototype: object): void {
  for (const name of names) {
    if (name in prototype) continue
    const value = (): never => {
      throw new RayError(
        `Dataset.${name} is not built yet; see "What works" in the README. Meanwhile: map, ` +
          'mapBatches, filter, limit, and plain JavaScript after takeAll() or iterBatches().',
      )
    }
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  }
}
