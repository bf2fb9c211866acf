// What a node has and how it is set up. Chosen by the process that starts it, complete and checked.

import { readFileSync } from 'node:fs'
import os from 'node:os'
import { checkAmount } from '../base/amounts.js'
import { SessionError } from '../base/errors.js'
import {
  lineageBytesMax,
  logRotateBackups,
  logRotateBytes,
  memoryMonitorMs,
  memoryUsageThreshold,
  objectStoreBytesMax,
  objectStoreBytesMin,
  objectStoreShare,
  pageBytes,
} from '../base/limits.js'
import { acceleratorType, gpuCount } from './machine-gpus.js'
import type { Resources, WorkerEnvironment } from '../wire/messages/terms.js'
import type { TlsFiles } from '../wire/transport.js'
import { sessionsFolder } from './session-folder.js'

export interface NodeOptions {
  readonly numCpus?: number
  readonly numGpus?: number
  /** Bytes that tasks may ask for as `memory`. */
  readonly memory?: number
  /** Bytes of shared memory for objects. */
  readonly objectStoreMemory?: number
  /** Custom resources by name. */
  readonly resources?: Resources
  readonly labels?: Readonly<Record<string, string>>
  readonly spillFolder?: string
  /** Bytes that all workers may use together. */
  readonly memoryLimit?: number
  /** Share of the node's memory at which workers are ended. */
  readonly memoryUsageThreshold?: number
  /** Time between two looks at it; 0: never. */
  readonly memoryMonitorRefreshMs?: number
  /** How often a task that was ended for its memory runs again; -1: without end. */
  readonly taskOomRetries?: number
  /** Bytes of lineage that one process keeps. */
  readonly lineageMemory?: number
  /** Where the folder of the session is made; one for the user by default. */
  readonly tempDir?: string
  /** What ends the node; the end of its last driver by default. */
  readonly endsWith?: NodeEnd
  /** Bytes at which a log file is rotated. */
  readonly logRotateBytes?: number
  /** Rotated files that are kept of each log file. */
  readonly logRotateBackups?: number
  readonly cluster?: ClusterConfig
  readonly environment?: WorkerEnvironment
  /** Where the named actors of the first job live; its workers start before its driver says so. */
  readonly namespace?: string
  /** JavaScript file that workers run; for tests. */
  readonly workerEntry?: string
  /** Checks every state machine after every event; for tests. */
  readonly validate?: boolean
}

/** How a node is part of a cluster that can have several; undefined: it is alone. */
export interface ClusterConfig {
  /** `host:port` of the head; undefined: this is the head. */
  readonly head?: string
  /** Where this node listens for the others; port 0: any that is free. */
  readonly host: string
  readonly port: number
  /** When the port is taken, any that is free will do. */
  readonly isAnyPort?: boolean
  /** Whoever knows it may join and run anything. */
  readonly token: string
  /** Where the GCS keeps its tables; in the folder of the session unless said otherwise. */
  readonly storage?: string
  /** No other machine reaches it, and it runs nothing. */
  readonly isClient?: boolean
  /** Connections to other machines are encrypted. */
  readonly tls?: TlsFiles
}

/**
 * What a node ends with: its last driver, the process that has started it, or nothing but its being
 * stopped. Other than the first, drivers come and go.
 */
export type NodeEnd = 'drivers' | 'parent' | 'stop'

export interface NodeConfig {
  readonly resources: Resources
  readonly labels: Readonly<Record<string, string>>
  readonly objectStoreBytes: number
  readonly spillFolder: string
  readonly memoryMonitor: {
    readonly limitBytes: number | undefined
    readonly threshold: number
    readonly refreshMs: number
  }
  readonly taskOomRetries: number
  readonly lineageMemory: number
  readonly tempDir: string
  /** The user said where: if that cannot be used there is no session. */
  readonly isTempDirGiven: boolean
  readonly endsWith: NodeEnd
  readonly logRotateBytes: number
  readonly logRotateBackups: number
  readonly cluster: ClusterConfig | undefined
  readonly environment: WorkerEnvironment
  readonly namespace: string
  readonly workerEntry: string | undefined
  readonly validate: boolean
}

/** Throws a SessionError that names what is wrong. */
export function compileNodeOptions(options: NodeOptions = {}): NodeConfig {
  if (process.platform !== 'linux') {
    throw new SessionError(
      `Typeray runs on Linux; this is ${process.platform}. Use a Linux machine, a container, ` +
        `or WSL.`,
    )
  }
  const available = process.availableMemory()
  const objectStoreBytes = storeBytes(options.objectStoreMemory, available)
  const gpus = gpuCount(options.numGpus)
  const gpuType = gpus > 0 ? acceleratorType() : undefined
  const resources: Record<string, number> = {
    ...(gpuType !== undefined && { [`accelerator_type:${gpuType}`]: 1 }),
    ...options.resources,
    CPU: options.numCpus ?? os.availableParallelism(),
    GPU: gpus,
    memory: options.memory ?? Math.max(0, Math.floor(available - objectStoreBytes)),
    // Nobody can ask for it; it is shown beside the others, as in Ray.
    objectStoreMemory: objectStoreBytes,
  }
  try {
    for (const [name, amount] of Object.entries(resources)) checkAmount(name, amount)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new SessionError(`The resources of the node make no sense: ${why}.`, { cause: error })
  }
  return {
    resources,
    labels: {
      ...(gpuType !== undefined && { 'ray.io/accelerator-type': gpuType }),
      ...options.labels,
    },
    objectStoreBytes,
    spillFolder: options.spillFolder ?? os.tmpdir(),
    memoryMonitor: {
      limitBytes: options.memoryLimit,
      threshold: options.memoryUsageThreshold ?? memoryUsageThreshold,
      refreshMs: options.memoryMonitorRefreshMs ?? memoryMonitorMs,
    },
    taskOomRetries: options.taskOomRetries ?? -1,
    lineageMemory: options.lineageMemory ?? lineageBytesMax,
    tempDir: sessionsFolder(options.tempDir),
    isTempDirGiven: options.tempDir !== undefined,
    endsWith: options.endsWith ?? 'drivers',
    logRotateBytes: options.logRotateBytes ?? logRotateBytes,
    logRotateBackups: options.logRotateBackups ?? logRotateBackups,
    namespace: options.namespace ?? '',
    cluster: options.cluster,
    environment: options.environment ?? { execArgv: [], env: {}, cwd: process.cwd() },
    workerEntry: options.workerEntry,
    validate: options.validate ?? false,
  }
}

function storeBytes(asked: number | undefined, available: number): number {
  const most = Math.min(memoryTotal(), fileSizeLimit())
  if (most < objectStoreBytesMin) {
    throw new SessionError(
      `The limit on file sizes (ulimit -f) of ${fileSizeLimit()} bytes, or the memory of ` +
        `this machine, leaves no room ` +
        `for an object store, which needs ${objectStoreBytesMin} bytes at least. Raise it.`,
    )
  }
  if (asked === undefined) {
    const share = Math.min(available * objectStoreShare, objectStoreBytesMax, most)
    return Math.max(objectStoreBytesMin, wholePages(share))
  }
  if (!Number.isFinite(asked) || asked < objectStoreBytesMin) {
    throw new SessionError(
      `objectStoreMemory must be at least ${objectStoreBytesMin} bytes, not ${asked}.`,
    )
  }
  if (asked > most) {
    throw new SessionError(
      `objectStoreMemory of ${asked} bytes is more than the ${most} bytes that this machine ` +
        '(or its container, or the limit on file sizes) allows. Ask for less.',
    )
  }
  return wholePages(asked)
}

function wholePages(bytes: number): number {
  return Math.floor(bytes / pageBytes) * pageBytes
}

/** Of the machine, or of the container that this process runs in. */
function memoryTotal(): number {
  const limit = process.constrainedMemory()
  // Without a limit it is 0, or a number beyond every machine.
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem()
}

/** RLIMIT_FSIZE holds for shared memory too. */
function fileSizeLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const soft = /^Max file size\s+(\S+)/m.exec(limits)?.[1]
  return soft === undefined || soft === 'unlimited' ? Infinity : Number(soft)
}
