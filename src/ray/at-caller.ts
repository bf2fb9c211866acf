import { SerializationError } from '../base/errors.js'

/**
 * An error about a value shows where the program passed it: what it was found in is deeper than a
 * stack trace is long, and no business of the reader.
 */
export function atCaller(error: unknown, below: (...args: never[]) => unknown): unknown {
  if (error instanceof SerializationError) Error.captureStackTrace(error, below)
  return error
}
