import { RayError } from '../base/errors.js'

/** The queue had no room, not within `timeoutMs` either. */
export class QueueFullError extends RayError {
  static override readonly code: string = 'RAY_QUEUE_FULL'
}

/** The queue had nothing to give, not within `timeoutMs` either. */
export class QueueEmptyError extends RayError {
  static override readonly code: string = 'RAY_QUEUE_EMPTY'
}
