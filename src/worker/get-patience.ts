// Bounds the part of a get in which a value that is ready comes from another node.
//
// What is on this node is read whatever the timeout: the answer of the raylet is on its way. So
// nobody is given up before `storedGetMsMin`.

import { GetTimeoutError, TaskCancelledError } from '../base/errors.js'
import { storedGetMsMin } from '../base/limits.js'
import type { WaitBounds } from './countdown.js'
import { type ObjectRef, refState } from './object-ref.js'

export interface Patience extends WaitBounds {
  readonly refs: readonly ObjectRef[]
  /** When the get began. */
  readonly since: number
}

export function withPatience<T>(value: Promise<T>, patience: Patience): Promise<T> {
  const { refs, timeoutMs, signal, since } = patience
  const far = refs.filter((ref) => ref.state === refState.stored)
  if (far.length === 0 || (timeoutMs === undefined && signal === undefined)) return value
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      const text = 'The get was aborted by its signal.'
      reject(new TaskCancelledError(text, { cause: signal?.reason }))
    }
    const left = (timeoutMs ?? 0) - (performance.now() - since)
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => reject(notCome(far, timeoutMs)), Math.max(left, storedGetMsMin))
    signal?.addEventListener('abort', aborted, { once: true })
    const stop = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
    }
    value.then(resolve, reject).finally(stop)
  })
}

function notCome(far: readonly ObjectRef[], timeoutMs: number): GetTimeoutError {
  const [first] = far
  const rest = far.length > 1 ? `, or one of ${far.length - 1} more,` : ''
  const text =
    `Not here within ${timeoutMs} ms: ${first?.id ?? ''}${rest} is ready on another node, and ` +
    'its value has not come. Get it again later.'
  const fields = { timeoutMs, objectId: first?.id, pending: far.length }
  return new GetTimeoutError(text, { fields })
}
