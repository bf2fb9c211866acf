// Errors that name the operator in which they happened.

import { RayError } from '../../base/errors.js'

/** Says which operator failed; the original is the cause. */
export function operatorError(operator: string, cause: unknown): RayError {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  return new RayError(`${operator} failed: ${reason}`, { fields: { operator }, cause })
}
