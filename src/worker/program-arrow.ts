import { importFrom } from '../closure/index.js'
import { teachArrow } from '../wire/value-codec.js'

/**
 * Makes ready to give the program an Arrow table that another copy of the library has made than
 * the program's.
 */
export function meetProgramArrow(): Promise<void> {
  return teachArrow(importFrom(import.meta.url))
}
