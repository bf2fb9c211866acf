// The session of this process: one node, or none.

import { RayError, SessionError } from '../base/errors.js'
import { newProcessId } from '../base/ids.js'
import { shutdownMs } from '../base/limits.js'
import { startNode, startNodeSync } from '../node/start-node.js'
import type { NodeOptions } from '../node/node-config.js'
import { clientCluster } from '../node/cluster-options.js'
import { checkVersion, sessionsOf, sessionToJoin } from '../node/session-address.js'
import type { SessionFile } from '../node/session-file.js'
import { CoreWorker, currentCore, installCore, packFolder, sendPackage } from '../worker/index.js'
import { driverEnvironment } from './driver-environment.js'
import { type InitOptions, nodeOptionsOf, refuseNodeOptions } from './init-options.js'
import { isDeduplicating } from './logging-options.js'
import { OutputMonitor } from './output-monitor.js'

const now = (): number => performance.now()

/** How this program leaves its session: by ending the node that it started, or by saying so. */
interface Live {
  readonly core: CoreWorker
  readonly stop: () => Promise<void>
  readonly output: OutputMonitor
}

let live: Live | null = null
let starting: Promise<Session> | null = null
let hooksInstalled = false

/**
 * What `ray.init()` gives: facts about the session; `await using` shuts it down at the end of the
 * block.
 *
 * @example
 * await using session = await ray.init()
 * console.log(session.nodeId)
 */
export class Session implements AsyncDisposable {
  /** The node that this process runs on, in hexadecimal. */
  readonly nodeId: string
  /** The job of this driver, in hexadecimal. */
  readonly jobId: string
  /** Name of the session. */
  readonly sessionName: string
  /** Folder of the session, with its logs; '' when none could be made. */
  readonly sessionDir: string
  /** Where names of actors are looked up. */
  readonly namespace: string

  /** @internal */
  constructor(core: CoreWorker) {
    const { nodeId, jobId, sessionName, sessionDir, namespace } = core.welcome
    this.nodeId = nodeId
    this.jobId = jobId
    this.sessionName = sessionName
    this.sessionDir = sessionDir
    this.namespace = namespace
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await shutdown()
  }
}

/**
 * Starts Typeray on this machine: a raylet process, its object store and its first workers. Or
 * joins a cluster that `typeray start --head` has started: see the option `address`.
 *
 * Follows `ray.init` of Ray. Calling it is optional: the first call that needs a session starts
 * one.
 *
 * @example
 * await ray.init({ numCpus: 4, namespace: 'prices' })
 *
 * @throws SessionError when there is a session already (unless `ignoreReinitError`), when the node
 * cannot start, or when there is no cluster at the address.
 */
export async function init(options: InitOptions = {}): Promise<Session> {
  const nodeOptions = nodeOptionsOf(options)
  forgetLostSession()
  const core = currentCore()
  if (core?.role === 'worker') return new Session(core)
  if (core !== null || starting !== null) {
    if (options.ignoreReinitError !== true) {
      throw new SessionError(
        'ray.init() was called twice. Call ray.shutdown() first, or pass { ' +
          'ignoreReinitError: true } to keep the session.',
      )
    }
    return starting ?? new Session(core!)
  }
  starting = begin(nodeOptions, options)
  try {
    return await starting
  } finally {
    starting = null
  }
}

async function begin(nodeOptions: NodeOptions, options: InitOptions): Promise<Session> {
  const found = sessionToJoin(options.address, options.tempDir)
  if (typeof found === 'string') refuseNodeOptions(options, found)
  const cluster = typeof found === 'string' ? undefined : found
  if (cluster !== undefined) {
    refuseNodeOptions(options, cluster.sessionDir)
    const own = cluster.clusterAddress === '' ? nodeOptions : withFolder(nodeOptions, options)
    const core = await CoreWorker.join(joinOptions(raylet(cluster), own))
    exportOwn(core, own, options)
    return adopt(core, leaving(core), options)
  }
  const own = typeof found === 'string' ? asClient(nodeOptions, options, found) : nodeOptions
  const node = await startNode(own)
  try {
    const core = await CoreWorker.join(joinOptions(node, nodeOptions))
    exportOwn(core, own, options)
    return adopt(core, node.stop, options)
  } catch (error) {
    await node.stop()
    throw error
  }
}

/** Other machines need the folder of the program. */
function withFolder(node: NodeOptions, { runtimeEnv }: InitOptions): NodeOptions {
  const { environment } = node
  if (environment === undefined || runtimeEnv?.workingDir === undefined) return node
  const folder = packFolder(environment.cwd, runtimeEnv.excludes ?? [])
  return { ...node, environment: { ...environment, folder } }
}

/** The first workers wait for it: they were started before this program could say what it is. */
function exportOwn(core: CoreWorker, nodeOptions: NodeOptions, options: InitOptions): void {
  const folder = nodeOptions.environment?.folder
  if (folder !== undefined) sendPackage(core, folder)
  const hook = options.runtimeEnv?.setupHook
  const setup = nodeOptions.environment?.setup
  if (hook === undefined || setup === undefined) return
  try {
    core.functions.exportAs(setup.hook, hook, hook.name || 'setupHook')
  } catch (error) {
    core.close()
    throw error
  }
}

/** This machine has no node of the cluster: one that runs nothing is started for this program. */
function asClient(node: NodeOptions, options: InitOptions, head: string): NodeOptions {
  const cluster = clientCluster(head, sessionsOf(node.tempDir))
  return { ...withFolder(node, options), cluster, numCpus: 0, numGpus: 0, memory: 0, resources: {} }
}

function raylet(cluster: SessionFile): { address: string; token: string; nodeNumber: number } {
  checkVersion(cluster)
  const { rayletAddress, token, nodeNumber } = cluster
  return { address: rayletAddress.replace('@', '\0'), token, nodeNumber }
}

/** The cluster goes on; what this program has is gone when the raylet hangs up. */
function leaving(core: CoreWorker): () => Promise<void> {
  const { socket } = core.raylet
  return async () => {
    if (socket.closed) return
    socket.ref()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    const timer = setTimeout(() => socket.destroy(), shutdownMs)
    await closed
    clearTimeout(timer)
  }
}

function joinOptions(
  node: { readonly address: string; readonly token: string; readonly nodeNumber: number },
  nodeOptions: NodeOptions,
): Parameters<typeof CoreWorker.join>[0] {
  return {
    role: 'driver',
    process: newProcessId(node.nodeNumber),
    rayletAddress: node.address,
    token: node.token,
    address: '',
    environment: nodeOptions.environment ?? driverEnvironment(),
    namespace: nodeOptions.namespace ?? '',
    now,
  }
}

function adopt(core: CoreWorker, stop: () => Promise<void>, options: InitOptions): Session {
  installCore(core)
  if (options.ignoreUnhandledErrors === true) core.unseen.silence()
  const output = new OutputMonitor(now, isDeduplicating(options))
  core.sink = {
    receive: (message) => {
      if (message.kind === 'output') output.print(message)
    },
    blocked: () => undefined,
    sessionLost: () => {
      output.flush()
      if (live?.core === core) live = null
    },
  }
  live = { core, stop, output }
  installHooks()
  return new Session(core)
}

/** A session whose raylet has died is over, though its program was not told to shut it down. */
function forgetLostSession(): void {
  const core = currentCore()
  if (core?.lost !== null && core?.role === 'driver') {
    core.close()
    installCore(null)
  }
}

/** The core of the session, started now if there is none: any call may be the first. */
export function requireSession(): CoreWorker {
  const core = currentCore()
  if (core !== null) {
    if (core.lost !== null) throw core.lost
    return core
  }
  if (starting !== null) {
    throw new SessionError('ray.init() has not finished: await it before the first call.')
  }
  const nodeOptions = nodeOptionsOf({})
  const cluster = sessionToJoin(undefined)
  if (typeof cluster === 'object') {
    const core = CoreWorker.joinSync(joinOptions(raylet(cluster), nodeOptions))
    adopt(core, leaving(core), {})
    return core
  }
  const own = cluster === undefined ? nodeOptions : asClient(nodeOptions, {}, cluster)
  const node = startNodeSync(own)
  const joined = CoreWorker.joinSync(joinOptions(node, nodeOptions))
  adopt(joined, node.stop, {})
  return joined
}

/**
 * Whether this process has a session, in the driver and in workers. Follows `ray.is_initialized`
 * of Ray.
 *
 * @example
 * if (!ray.isInitialized()) await ray.init()
 */
export function isInitialized(): boolean {
  const core = currentCore()
  return core !== null && core.lost === null
}

/**
 * Ends the session: its tasks, actors and objects. Does nothing when there is none.
 *
 * Follows `ray.shutdown` of Ray. A program that ends shuts its session down by itself.
 *
 * @example
 * await ray.init()
 * await ray.shutdown()
 *
 * @throws RayError in a worker: only the driver can end the session.
 */
export async function shutdown(): Promise<void> {
  if (starting !== null) await starting.catch(() => undefined)
  const core = currentCore()
  if (core?.role === 'worker')
    throw new RayError('ray.shutdown() was called in a worker; only the driver can.')
  const ending = live
  live = null
  if (ending === null) {
    if (core !== null) {
      core.close()
      installCore(null)
    }
    return
  }
  ending.core.close()
  installCore(null)
  await ending.stop()
  ending.output.flush()
}

// A program ends when nothing is pending any more. The session ends with it, in order.
function installHooks(): void {
  if (hooksInstalled) return
  hooksInstalled = true
  process.on('beforeExit', () => {
    if (live !== null) void shutdown()
  })
  process.on('exit', () => {
    live?.core.close()
    live?.output.flush()
  })
  process.on('SIGINT', interrupted)
}

function interrupted(): void {
  if (live === null) {
    // Not ours any more: behave as if we had never listened.
    process.off('SIGINT', interrupted)
    hooksInstalled = false
    if (process.listenerCount('SIGINT') === 0) process.kill(process.pid, 'SIGINT')
    return
  }
  if (process.listenerCount('SIGINT') > 1) return
  // Pending gets are not rejected: nobody could catch that in time, and the exit code would be
  // another.
  const { core, stop, output } = live
  live = null
  core.leave()
  const exit = (): void => {
    output.flush()
    process.exit(130)
  }
  stop().then(exit, exit)
}
