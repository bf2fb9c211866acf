// Columns whose names differ only in the case of letters: the engine takes them for one.

import { RayError } from '../../base/errors.js'

/** @throws RayError if two columns are one to the engine */
export function refuseTwins(names: readonly string[], place = ''): void {
  const known = new Map<string, string>()
  for (const name of names) {
    const lower = name.toLowerCase()
    const twin = known.get(lower)
    if (twin !== undefined) {
      if (twin === name) throw used(name, place)
      throw new RayError(
        `${place}The columns "${twin}" and "${name}" differ only in the case of their letters, ` +
          'which the engine does not tell apart. Rename one of them.',
        { fields: { column: name } },
      )
    }
    known.set(lower, name)
  }
}

/** Row numbers and their like have names of their own beside those of the user. */
function used(column: string, place: string): RayError {
  return new RayError(
    `${place}There are two columns "${column}", which is also what Typeray calls one of its own ` +
      'for the engine. Rename yours.',
    { fields: { column } },
  )
}
