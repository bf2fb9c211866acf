// The classes of errors that a call is retried for, on their way to other processes.
//
// Handles travel, and whoever calls a method retries it. Options travel as plain data, so a list of
// classes is encoded as a value; a process that gets it decodes it when an error has to be matched.

import { bodyTag } from '../wire/frame.js'
import type { ErrorClass } from './call-options.js'
import type { CoreWorker } from './core-worker.js'
import { bodyFromLayout } from './value-port.js'

/** The decoded lists of this process: its own need no decoding, others are decoded once. */
const decoded = new WeakMap<Uint8Array, readonly ErrorClass[]>()

export function encodeRetryClasses(core: CoreWorker, classes: readonly ErrorClass[]): Uint8Array {
  const { layout } = core.values.encode([...classes], 'the option retryExceptions')
  const body = Uint8Array.from(bodyFromLayout(bodyTag.full, layout))
  decoded.set(body, classes)
  return body
}

export async function decodeRetryClasses(
  core: { decodeBody(body: Uint8Array, nested: null): unknown },
  body: Uint8Array,
): Promise<readonly ErrorClass[]> {
  const known = decoded.get(body)
  if (known !== undefined) return known
  const classes = (await core.decodeBody(body, null)) as readonly ErrorClass[]
  decoded.set(body, classes)
  return classes
}
