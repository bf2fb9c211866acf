// Every bound of the system, with its reason. A queue, wait or retry without a bound is a bug.

/**
 * Arguments and results up to this size travel inside messages; larger ones go to the object store
 * (as in Ray).
 */
export const inlineBytesMax = 100 * 1024
/** Objects in the store begin at a page, so that a reader can map one by itself. */
export const pageBytes = 4096
/**
 * Out-of-band buffers inside an object begin at a cache line, the strictest alignment a typed array
 * or SIMD needs.
 */
export const bufferAlignBytes = 64
/** Longest frame on a socket. Anything longer travels through the object store. */
export const frameBytesMax = 256 * 1024 * 1024
/** Serialised size of one remote function or class, with all that it captures. */
export const functionBytesMax = 95 * 1024 * 1024
/** A block of a dataset is read up to about this size: it outweighs its task, and still streams. */
export const dataBlockBytes = 64 * 1024 * 1024
/** Row groups below this size share a block even where CPUs would like more blocks. */
export const dataBlockBytesMin = 1024 * 1024
/** Where each CPU has a block, further ones of at least this size are worth tasks of their own. */
export const dataBlockBytesGood = 3 * 1024 * 1024
/** Files of lines are cut into pieces of about this size. */
export const readPieceBytes = 16 * 1024 * 1024
/** Files whose columns are looked at to learn the columns of all; more are looked at evenly. */
export const describedFilesMax = 64
/** CSV files up to this size are put behind each other, and read as one. */
export const joinedFileBytesMax = 64 * 1024
/** Files, or parts of files, in one query of the engine. */
export const tablesPerQueryMax = 500
/**
 * Files are uploaded to S3 in parts of this size, larger ones only where there would be too many.
 */
export const uploadPartBytes = 8 * 1024 * 1024
/** A server that files come from, or go to, may be silent for this long, in milliseconds. */
export const serverSilentMsMax = 60_000
/** What it sends in that time must come at this pace at least. */
export const serverBytesPerSecondMin = 1000
/** Connecting to it may take this long, in milliseconds. */
export const serverConnectMsMax = 10_000
/** How often a request is made that fails for reasons of the server or the network. */
export const requestTriesMax = 4
/**
 * Before a request is made again this much passes, in milliseconds, and twice as much each time.
 */
export const requestPauseMs = 200
/** A server that asks for a pause gets one of no more than this, in milliseconds. */
export const requestPauseMsMax = 30_000
/**
 * What a write of another machine has staged is taken for abandoned when nothing has been added for
 * this long, in milliseconds: a week.
 */
export const stagedIdleMsMax = 7 * 24 * 3600 * 1000
/** A side of a join that has no more bytes goes to the tasks of all blocks of the other side. */
export const dataBroadcastBytes = 16 * 1024 * 1024
/** Rows of files that take no more memory than this are sorted, grouped and joined by one task. */
export const dataQueryBytesMax = 512 * 1024 * 1024
/** Blocks that are computed ahead of a dataset's consumer may take about this much of the store. */
export const dataAheadBytesMax = 512 * 1024 * 1024
/** Parts of blocks that wait for their exchange in the memory of the program; more are stored. */
export const dataHeldBytesMax = 64 * 1024 * 1024
/** Blocks, however small, that are computed ahead of a dataset's consumer. */
export const dataAheadBlocksMax = 512
/**
 * Records of how stored results were made that one process keeps; the oldest are dropped beyond
 * that (as in Ray).
 */
export const lineageBytesMax = 1024 ** 3
/** Tasks in flight to one worker. */
export const windowTasksMax = 512
/** Measured work that may be in flight to one worker beyond the running task, in microseconds. */
export const windowWorkUs = 1500
/**
 * Lease requests that one scheduling key may have open while the duration of its functions is
 * unknown.
 */
export const leaseRequestsUnknownMax = 16
/** The same when its functions are known to be long. */
export const leaseRequestsLongMax = 256
/** A lease its owner does not use is returned after this long, in milliseconds. */
export const leaseIdleMs = 1000
/**
 * A lease that others wait for is given back after this long even if its owner has more work, in
 * milliseconds.
 */
export const leaseFairMs = 100
/**
 * How long a cancelled asynchronous function may go on before its worker is replaced, in
 * milliseconds.
 */
export const cancelGraceMs = 2000
/** Workers that one node will start, beyond its CPUs, for tasks that are blocked in `get`. */
export const workersMax = 512
/** Tasks that have ended and that `listTasks` still shows (as in Ray). */
export const taskEventsMax = 100_000
/** Ended tasks that one process keeps until it reports them; what is beyond is only counted. */
export const taskEventsKeptMax = 10_000
/** Failures among them whose messages are reported. */
export const taskFailuresKeptMax = 1000
/** Ended tasks are reported this long after the first of them, in milliseconds. */
export const taskEventsMs = 1000
/** Tasks under way that one process lists when it is asked. */
export const liveTasksMax = 10_000
/** A process that computes does not answer; who asks for its tasks waits this long, in ms. */
export const liveTasksMs = 500
/** Of that, the processes of other nodes have this long, in milliseconds. */
export const peerTasksMs = 300
/** A get that timed out says what it waits for; the raylet has this long to tell it, in ms. */
export const pendingReasonsMs = 200
/** Of that, the owners of borrowed refs have this long to answer the raylet, in milliseconds. */
export const ownersAskedMs = 120
/** Refs of a get that timed out that it explains. */
export const pendingReasonsMax = 3
/** Workers and drivers that have ended and that `listWorkers` still shows. */
export const endedProcessesMax = 1000
/** Jobs that have ended of which a raylet remembers that no workers are kept for them. */
export const finishedJobsMax = 1000
/** Rows of a list, at most. */
export const stateRowsMax = 10_000
/** Stderr lines of a worker that an error message quotes. */
export const stderrLinesKept = 20
/**
 * A put against a full store waits at most this long before it falls back to a file, in
 * milliseconds.
 */
export const storeWaitMs = 2000
/** Above this share of the store in use, objects are spilled before anybody waits (as in Ray). */
export const storeSpillShare = 0.8
/** Spill files that are written at the same time. */
export const storeSpillsMax = 2
/** A spill that failed is not tried again before this time, in milliseconds. */
export const storeSpillRetryMs = 1000
/** Processes are asked to collect garbage for the store at most this often, in milliseconds. */
export const storeCollectMs = 500
/** A worker that has had nothing to do for so long gives back memory, in milliseconds. */
export const idleMemoryMs = 2000
/** Less garbage, and a smaller process, than this is not worth the work. */
export const idleMemoryBytesMax = 32 * 1024 * 1024
/** Garbage that would make room is waited for this long before objects are spilled instead. */
export const storeGraceMs = 100
/** Puts that wait for room in the store; the next ones go to a file at once. */
export const storeWaitingMax = 10_000
/**
 * Spilled objects are fused into files of at least this size, when there is that much to spill (as
 * in Ray).
 */
export const spillFileBytesMin = 100 * 1024 * 1024
/**
 * Objects travel between nodes in pieces of this size at least; a node passes on what it has of
 * them.
 */
export const transferChunkBytes = 4 * 1024 * 1024
/** Large objects travel in larger pieces, which cost less, up to this size. */
export const transferChunkBytesMax = 16 * 1024 * 1024
/** So many pieces of an object are enough for those that it is passed on to. */
export const transferChunks = 64
/** Bytes that are asked of one node at a time: enough that it is never idle. */
export const transferWindowBytes = 16 * 1024 * 1024
/** Nodes that one object is taken from at the same time. */
export const transferSourcesMax = 4
/** Objects that come from other nodes at the same time may take this share of the store. */
export const pullShare = 0.5
/**
 * Arguments of a task that come within this do not block it: they are here, or nearly so. Its CPU
 * is not lent to another task, which would need a worker of its own, in milliseconds.
 */
export const argumentGraceMs = 5
/** Tasks that wait whose arguments come ahead from other nodes: so many of each queue. */
export const prefetchTasksMax = 32
/** Objects that they name together. */
export const prefetchObjectsMax = 64
/** What nobody could give is asked for again after this, doubled each time up to the last. */
export const pullRetryMs = 20
export const pullRetryMsMax = 1000
/** A get with a timeout waits at least so long for a value that comes from another node. */
export const storedGetMsMin = 1000
/** Copies that a home has fetched from a node that leaves, at a time. */
export const evacuationsMax = 1024
/** After so long without a copy another node is asked. */
export const evacuationRetryMs = 5000
/** How often a node that leaves looks whether anything still needs it. */
export const drainCheckMs = 100
/** Time for a worker process to start and say hello, in milliseconds. */
export const workerStartMs = 60_000
/** Time for the node process to start, in milliseconds. */
export const nodeStartMs = 60_000
/** Time for an orderly shutdown before the rest is killed, in milliseconds. */
export const shutdownMs = 5_000
/** Lost items of one generator that one run makes again; the rest is for the next run. */
export const itemsRebuiltMax = 4096
/** Items that a streaming generator may produce before the consumer reads one. */
export const generatorItemsMax = 64
/**
 * Contents of binary data from this size travel beside a value and are read in place; smaller ones
 * are copied.
 */
export const outOfBandBytesMin = 4096
/** Nesting that the value codec follows on the call stack; what is deeper waits in its queue. */
export const valueDepthMax = 200
/**
 * Containers in a value that takes the short path of the codec: so many can be compared pairwise at
 * no cost.
 */
export const smallContainersMax = 16
/** Buffer that the value codec keeps between values; a larger one is dropped after use. */
export const codecSlabBytesMax = 1024 * 1024
/** Largest single binary array; Node cannot map a longer one. */
export const arrayBytesMax = 0xffff_ffff
/**
 * Functions of one closure that are entered to find out whether they share a variable; each costs
 * about 2 ms.
 */
export const sharedVariableProbesMax = 100
/**
 * Scripts and compiled functions that the closure code remembers; the least recently used is
 * forgotten.
 */
export const compiledFunctionsMax = 5000
/**
 * Removed placement groups that the GCS remembers, so that a late request for one fails instead of
 * waiting.
 */
export const placementGroupTombstonesMax = 10_000
/**
 * Dead actors that the GCS remembers, so that a late call on one fails with its reason (as in Ray).
 */
export const deadActorsMax = 100_000
/** Actors of which a node remembers what it answered when it was asked to take them. */
export const placeAttemptsMax = 10_000
/**
 * Dead processes that the GCS remembers, so that what one of them still had under way is not begun.
 */
export const deadProcessesMax = 100_000
/**
 * Actors and placement groups that wait for a place are tried again this often without news, in
 * milliseconds.
 */
export const placementRetryMs = 1000
/**
 * Changes of what is free are joined for this long before the other nodes hear of them, in
 * milliseconds.
 */
export const clusterViewMs = 100
/**
 * How long the GCS collects what waits before it asks nodes to keep room, so that a burst is one
 * plan.
 */
export const roomPlanMs = 10
/** How long one node is waited for before another is tried; doubled with each, up to the second. */
export const roomPatienceMs = 2000
export const roomPatienceMsMax = 60_000
/** Actors and placement groups for which room is kept at a time. */
export const roomsMax = 256
/**
 * What was sent to another node counts as used there for so long; a view that is younger has it in,
 * in milliseconds.
 */
export const claimMs = 250
/** Stored arguments of a task by which its node is chosen; more are not looked at. */
export const taskReadsMax = 32
/** Arguments of fewer bytes are no reason to prefer the node that has them. */
export const localityBytesMin = 100 * 1024
/**
 * A caller whose connection to an actor of another node breaks waits so long for news of its death
 * before it connects again, in milliseconds.
 */
export const actorReconnectMs = 2000
/** Requests at other nodes that are looked at in one round of calling back. */
export const callBackMax = 64
/** Times a lease request may be overtaken by smaller ones; then what it lacks is kept for it. */
export const leaseOvertakenMax = 16
/** Time for a worker to drop the lease of a dead owner before it is killed, in milliseconds. */
export const leaseOwnerDiedMs = 1000
/** Idle workers beyond two per CPU are ended after this long, in milliseconds. */
export const workerIdleMs = 1000
/**
 * Idle workers beyond one per CPU are ended after this long, in milliseconds. Tasks that wait for
 * tasks need as many, again and again, and a new one costs 120 ms of CPU and runs cold.
 */
export const workerSpareMs = 10_000
/**
 * Workers of one environment that may fail to start in a row before requests for it are refused.
 */
export const workerStartFailuresMax = 3
/**
 * The same for workers that were killed while they started, by the system's memory killer for
 * example.
 */
export const workerStartKillsMax = 20
/**
 * How long all workers of a full node may wait for tasks that need yet another one before those are
 * refused.
 */
export const workersFullMs = 1000
/**
 * How long a request may wait for what actors and waiting tasks hold before its program is told, in
 * milliseconds.
 */
export const starvingMs = 10_000
/** Who asks for more than any node has waits this long before the program is told, in ms. */
export const infeasibleFirstMs = 1000
/** And is told again so often, in milliseconds. */
export const infeasibleRepeatMs = 30_000
/** Kinds of such requests that a node tells the cluster of, for `typeray status`. */
export const infeasibleRowsMax = 20
/** Shapes of requests that a job is told of. */
export const starvingToldMax = 100
/** How long the value of an object waits for its owner to say that it escaped, in milliseconds. */
export const objectPlaceholderMs = 60_000
/** Bytes that a connection may send before it has shown the token. */
export const helloBytesMax = 64 * 1024
/** Longest request on the store channel. */
export const storeRequestBytesMax = 4096
/** Longest line of a worker's output; longer ones are cut into several. */
export const outputLineCharsMax = 64 * 1024
/** Output that waits for a driver to read it; beyond that workers block in console.log. */
export const outputBytesMax = 1024 * 1024
/**
 * How long the last output of a dead worker is waited for, in milliseconds: a grandchild may hold
 * its pipes open.
 */
export const outputEndMs = 250
/** How long the last messages of a dead worker are waited for, in milliseconds. */
export const lastMessagesMs = 2000
/**
 * A worker that has closed its connection and has not ended after this long is killed, in
 * milliseconds.
 */
export const workerSilentMs = 250
/** Time for workers to end by themselves when the program is over, in milliseconds. */
export const workerExitMs = 500
/** Part of the available memory that the object store gets by default (as in Ray). */
export const objectStoreShare = 0.3
/** Largest object store that is chosen by default (as in Ray). */
export const objectStoreBytesMax = 200 * 1024 ** 3
/** Smallest object store that makes sense. */
export const objectStoreBytesMin = 1024 * 1024
/**
 * A lease is not asked back for its own owner before this time, so that the owner can use it at
 * all, in milliseconds.
 */
export const leaseRecallIdleMs = 2
/** Folders of sessions that have ended; the next session removes the oldest beyond these. */
export const sessionFoldersMax = 20
/** Folders of sessions that ended longer ago than this are removed, in milliseconds. */
export const sessionFolderAgeMs = 7 * 24 * 3600 * 1000
/** Folders of sessions that one session removes. */
export const sessionFoldersPrunedMax = 50
/** How long after its start a session removes old folders, in milliseconds. */
export const sessionPruneDelayMs = 250
/** Output of a worker that waits for its log file; beyond that the worker waits in console.log. */
export const logWaitingCharsMax = 1024 * 1024
/** A log file of this size is rotated by default. */
export const logRotateBytes = 64 * 1024 * 1024
/** Rotated files that are kept of each log file by default. */
export const logRotateBackups = 5
/** How long lines that repeat are gathered before one of them is printed, in milliseconds. */
export const repeatedLinesMs = 5000
/** Patterns of lines that are looked for among new ones. */
export const repeatedPatternsMax = 1000
/** Share of the node's memory at which the memory monitor ends workers (as in Ray). */
export const memoryUsageThreshold = 0.95
/** Time between two looks of the memory monitor, in milliseconds (as in Ray). */
export const memoryMonitorMs = 250
/**
 * A task that the memory monitor ended runs again after this long, and after twice as long each
 * further time, in milliseconds.
 */
export const oomRetryMs = 1000
/** Longest of those waits, in milliseconds. */
export const oomRetryMsMax = 60_000
/** How long a worker may take to say that its setup hook is late, in milliseconds. */
export const setupGraceMs = 2000
/** Failures that nobody has looked at yet and that are watched; more are not told. */
export const unseenErrorsMax = 1000
/** Failures that nobody looked at are told at most so often in `unseenReportWindowMs`. */
export const unseenReportsMax = 10
/** See `unseenReportsMax`, in milliseconds. */
export const unseenReportWindowMs = 5000
/** How long a first call may take to find out that its actor could not be made, in ms. */
export const unseenActorMs = 1000

/** A link acknowledges after so many messages, or after `linkAckMs`. */
export const linkAckEvery = 64
export const linkAckMs = 50
/** Bytes that a link keeps for a side that does not acknowledge them; then it is given up. */
export const linkKeptBytesMax = 512 * 1024 * 1024
/** Time between two attempts to connect: the first, doubled each time up to the last. */
export const linkRetryMs = 20
export const linkRetryMsMax = 1000
/** The first frame of a connection must come within this. */
export const linkHelloMs = 10_000
/**
 * A raylet whose connection to the GCS is closed is dead when it is not back after this and nobody
 * listens at its address any more.
 */
export const nodeReconnectMs = 500
/** The same for a program on a machine without a node, which listens nowhere. */
export const clientReconnectMs = 3000
/** Somebody who listens at the address of a node takes a connection within this. */
export const nodeProbeMs = 2000
/** A raylet says at least this often to the GCS that it lives. */
export const nodeHeartbeatMs = 1000
/** A node that the GCS has not heard of for so long is dead. */
export const nodeDeadlineMs = 10_000
/** Messages that wait for a node that has not connected yet. */
export const peerWaitingMax = 1_000_000
/** Time that a node has to join its cluster. */
export const nodeJoinMs = 10_000
/** How long Redis may take to answer when the tables of the cluster are opened, in milliseconds. */
export const redisConnectMs = 10_000
/** Longest wait between two attempts to reach Redis again, in milliseconds. */
export const redisRetryMsMax = 1000
/** Bytes of files in the working folder of a program that is sent to other machines. */
export const packageBytesMax = 250_000_000
/** It travels in messages of this size. */
export const packageChunkBytes = 4 * 1024 * 1024
/**
 * Unpacked packages of programs of other machines that a node keeps for the next one that needs
 * them (as in Ray); the least recently used go first.
 */
export const packageCacheBytesMax = 10_000_000_000
/** Functions of jobs that are over of which the GCS remembers that they are gone. */
export const functionTombstonesMax = 10_000
/** A worker that needs it waits this long for it. */
export const packageWaitMs = 60_000
/** Messages that a raylet keeps for a GCS that is away; beyond that the node gives up. */
export const gcsKeptMax = 1_000_000
/** Nodes have this long to come back to a GCS that has started again, in milliseconds. */
export const gcsReconcileMs = 10_000
/** The GCS says at most this often what it has handled, in milliseconds. */
export const gcsHandledMs = 50
/** The first wait before a GCS that died again is started again, in milliseconds. */
export const gcsRestartMs = 50
/** The longest of those waits, in milliseconds. */
export const gcsRestartMsMax = 5000
/** A GCS that has listened for this long has not failed to start, in milliseconds. */
export const gcsStableMs = 1000
/** Deaths of the GCS in a row after which the head gives up. */
export const gcsFailuresMax = 10
