// What refs and handles do in a worker whose code does not import 'typeray': they arrive in
// arguments and results all the same. Importing it puts the public functions in their place, which
// check their options first.

import { installActorDispose } from './actor-handle.js'
import type { CoreWorker } from './core-worker.js'
import { installRefActions, installRelease } from './object-ref.js'

export function installWorkerActions(core: CoreWorker): void {
  installRefActions({
    get: (ref, options = {}) => core.objects.get(ref, options),
    free: (ref) => core.objects.free([ref]),
  })
  installRelease((ref) => core.references.release(ref))
  installActorDispose((actor) => {
    actor.line(core)
    core.actors.kill(actor.key, true)
    return Promise.resolve()
  })
}
