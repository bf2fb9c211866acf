/**
 * Pools, queues and iteration over what is ready.
 *
 * @module typeray/util
 */

export { ActorPool, type NextOptions, type PoolCall } from './actor-pool.js'
export {
  asCompleted,
  type AsCompletedOptions,
  mapUnordered,
  type MapUnorderedOptions,
} from './as-completed.js'
export {
  Queue,
  type QueueOptions,
  type QueueShutdownOptions,
  type QueueWaitOptions,
} from './queue.js'
export { QueueEmptyError, QueueFullError } from './queue-errors.js'
