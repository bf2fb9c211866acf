import { RayError } from '../../base/errors.js'

/** Ranks of a collective group did not agree, or one of them did not come. */
export class CollectiveError extends RayError {
  static override readonly code: string = 'RAY_COLLECTIVE'
}
