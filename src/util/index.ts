/**
 * Pools, queues, iteration over what is ready, metrics, and collectives between processes.
 *
 * @module typeray/util
 */

export {
  inspectSerializability,
  type SerializabilityProblem,
  type SerializabilityReport,
} from '../ray/index.js'
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
export {
  allGather,
  allReduce,
  barrier,
  broadcast,
  type CollectiveGroupOptions,
  type CollectiveOptions,
  createCollectiveGroup,
  destroyCollectiveGroup,
  getCollectiveGroupSize,
  getRank,
  initCollectiveGroup,
  isGroupInitialized,
  recv,
  reduce,
  type ReduceOptions,
  reduceScatter,
  send,
} from './collective/collective.js'
export { CollectiveError } from './collective/collective-error.js'
export type { NumericArray, ReduceOp } from './collective/kernels.js'
export {
  Counter,
  Gauge,
  Histogram,
  type HistogramOptions,
  type MetricOptions,
  type Tags,
} from './metrics/metric.js'
export {
  metricsText,
  type MetricsServer,
  serveMetrics,
  type ServeMetricsOptions,
} from './metrics/metrics-server.js'
export { Pool, type PoolMapOptions, type RunOptions } from './pool/pool.js'
export type { TimeSummary } from './pool/pool-histogram.js'
export type { PoolOptions } from './pool/pool-options.js'
