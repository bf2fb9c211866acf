// One copy of apache-arrow per process.
//
// Values are decoded by the copy that `require` gives, and this package imports the other one, the
// ES module. Telling the core of it loads the library once and makes tables that come out of the
// object store instances of the classes that programs import.

import * as arrow from 'apache-arrow'
import { useArrow } from '../../ray/index.js'

let isShared = false

export function shareArrow(): void {
  if (isShared) return
  isShared = true
  useArrow(arrow)
}
