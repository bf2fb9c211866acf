// Every bound of the system, with its reason. A queue, wait or retry without a bound is a bug.

/** Arguments and results up to this size travel inside messages; larger ones go to the object store (as in Ray). */
export const inlineBytesMax = 100 * 1024
/** Objects in the store begin at a page, so that a reader can map one by itself. */
export const pageBytes = 4096
/** Out-of-band buffers inside an object begin at a cache line, the strictest alignment a typed array or SIMD needs. */
export const bufferAlignBytes = 64
/** Longest frame on a socket. Anything longer travels through the object store. */
export const frameBytesMax = 256 * 1024 * 1024
/** Serialised size of one remote function or class, with all that it captures. */
export const functionBytesMax = 95 * 1024 * 1024
/** A function larger than this is accepted with a warning. */
export const functionWarnBytes = 10 * 1024 * 1024
/** Tasks in flight to one worker. */
export const windowTasksMax = 512
/** Measured work that may be in flight to one worker beyond the running task, in microseconds. */
export const windowWorkUs = 1500
/** Lease requests that one scheduling key may have open while the duration of its functions is unknown. */
export const leaseRequestsUnknownMax = 16
/** The same when its functions are known to be long. */
export const leaseRequestsLongMax = 256
/** A lease its owner does not use is returned after this long, in milliseconds. */
export const leaseIdleMs = 1000
/** A lease that others wait for is given back after this long even if its owner has more work, in milliseconds. */
export const leaseFairMs = 100
/** How long a cancelled asynchronous function may go on before its worker is replaced, in milliseconds. */
export const cancelGraceMs = 2000
/** Workers that one node will start, beyond its CPUs, for tasks that are blocked in `get`. */
export const workersMax = 512
/** Stderr lines of a worker that an error message quotes. */
export const stderrLinesKept = 20
/** A put against a full store waits at most this long before it falls back to a file, in milliseconds. */
export const storeWaitMs = 2000
/** Spilled objects are fused into files of at least this size, when there is that much to spill (as in Ray). */
export const spillFileBytesMin = 100 * 1024 * 1024
/** Time for a worker process to start and say hello, in milliseconds. */
export const workerStartMs = 60_000
/** Time for the node process to start, in milliseconds. */
export const nodeStartMs = 30_000
/** Time for an orderly shutdown before the rest is killed, in milliseconds. */
export const shutdownMs = 5_000
/** Items that a streaming generator may produce before the consumer reads one. */
export const generatorItemsMax = 64
/** A block of a dataset is read up to about this size: large enough to forget a task's cost, small enough to stream. */
export const dataBlockBytes = 64 * 1024 * 1024
/** Row groups below this size share a block even where that leaves fewer blocks than CPUs would like. */
export const dataBlockBytesMin = 1024 * 1024
/** Blocks of a dataset that are computed ahead of their consumer may take about this much of the object store. */
export const dataAheadBytesMax = 512 * 1024 * 1024
