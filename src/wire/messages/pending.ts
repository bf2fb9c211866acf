// Why is something not done? Asked by a get that timed out, answered by the raylet in words.

import type { ProcessId } from '../../base/ids.js'
import type { ObjectKey } from './terms.js'

export type PendingQuestion =
  /** A lease request of who asks. */
  | { readonly on: 'lease'; readonly request: number }
  /** Who runs it, and does that wait itself? */
  | { readonly on: 'worker'; readonly worker: ProcessId }
  /** An actor that is not alive yet. */
  | { readonly on: 'actor'; readonly actor: ObjectKey }
  /** An object that another process owns. */
  | { readonly on: 'object'; readonly object: ObjectKey }

/** The answer is a list of as many strings; '' where there is nothing to say. */
export interface PendingQuery {
  readonly what: 'pending'
  readonly questions: readonly PendingQuestion[]
}
