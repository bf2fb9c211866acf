import type { CoreWorker } from './core-worker.js'
import type { LazyTaskContext } from './task-context.js'
import { cancelledError } from './task-error.js'

/** Aborts a running task, and with `recursive` cancels what it has submitted. */
export function cancelContext(
  core: CoreWorker,
  context: LazyTaskContext,
  recursive: boolean,
): void {
  context.cancel(cancelledError(context))
  if (!recursive) return
  for (const child of context.children) core.cancel(child, { force: false, recursive: true })
}
