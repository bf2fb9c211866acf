// What a ref does in a worker whose code has not asked for the library: a task may know refs from
// its arguments alone, or from calls of a handle that it was given. The library replaces these.

import { requireCore } from './current-core.js'
import { installRefActions, installRelease } from './object-ref.js'

installRefActions({
  get: async (ref, options = {}) => requireCore('ref.get()').objects.get(ref, options),
  free: (ref) => requireCore('ref.free()').objects.free([ref]),
})
installRelease((ref) => requireCore('The end of a ref').references.release(ref))
