// Names of columns that are none to the engine: one without a single character it does not take, or
// makes another of; and a NUL ends every text that it is given.

import { RayError } from '../../base/errors.js'

/** What stands for the empty name in queries. */
const nameless = 'typeray column without a name'

/**
 * What the engine calls a column.
 *
 * @throws RayError if it cannot call it anything
 */
export function engineName(name: string): string {
  if (!name.includes('\0')) return name === '' ? nameless : name
  throw new RayError(
    `The name of column ${JSON.stringify(name)} has a NUL in it, which the engine does not take. ` +
      'Give it another one with renameColumns.',
    { fields: { column: name } },
  )
}

/** The name of a column that the engine calls so. */
export function nameOfEngine(name: string): string {
  return name === nameless ? '' : name
}
