// Functions of the user that are called again when they throw what they may.

import type { Transform } from './operators.js'

/** How often a function that throws what it may is called again for the same rows. */
const retriesMax = 3

export async function withRetries<T>(transform: Transform, call: () => Promise<T>): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      return await call()
    } catch (error) {
      if (retries === retriesMax || !isRetried(transform, error)) throw error
    }
  }
}

function isRetried(transform: Transform, error: unknown): boolean {
  const retried = 'fn' in transform && 'retryExceptions' in transform && transform.retryExceptions
  if (retried === undefined || typeof retried === 'boolean') return retried ?? false
  const { cause } = error as { cause?: unknown }
  return retried.some((Class) => cause instanceof Class)
}
