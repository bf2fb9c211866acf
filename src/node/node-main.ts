// Entry of the node process: the raylet and, on one machine, the GCS in the same process.
//
// It is started by a driver in a session of its own, so that Ctrl-C in the terminal reaches the
// driver alone. It says where it listens in one line of JSON on stdout, and in the session's folder
// to those who come later. It ends when its drivers have ended: when the last control socket
// closes, or when its stdin closes or the time is up before the first driver came. A node of
// `typeray start` ends when it is stopped, or with the process that holds its stdin. Its workers
// end with it.

import { fileURLToPath } from 'node:url'
import { systemClock } from '../base/clock.js'
import { firstNodeNumber, newId } from '../base/ids.js'
import { nodeStartMs, sessionPruneDelayMs, shutdownMs } from '../base/limits.js'
import { packageVersion, wireVersion } from '../base/version.js'
import { GcsServer } from '../gcs/gcs-server.js'
import { Raylet } from '../raylet/raylet.js'
import type { RayletOptions } from '../raylet/raylet-options.js'
import { type HeadSession, joinCluster, openCluster } from './cluster-node.js'
import { restoreCertificates } from './extra-certificates.js'
import type { Membership } from './membership.js'
import type { NodeConfig, NodeEnd } from './node-config.js'
import {
  currentSessionDir,
  isAlive,
  makeCurrent,
  readSession,
  retireSession,
  startTicksOf,
  writeSession,
} from './session-file.js'
import { createSessionFolder, pruneSessions, sessionNameAt } from './session-folder.js'
import type { NodeReady } from './start-node.js'
import { turns } from './turns.js'

function main(): void {
  const config = JSON.parse(process.env['TYPERAY_NODE'] ?? '') as NodeConfig
  delete process.env['TYPERAY_NODE']
  restoreCertificates(process.env)
  const { cluster } = config
  const sessionName = sessionNameAt(new Date(), process.pid)
  if (cluster === undefined) run(config, sessionOf(config, sessionName), alone())
  else {
    // The tables of a head are in the folder of its session.
    const head = cluster.head === undefined ? sessionOf(config, sessionName) : undefined
    const joined = head ? openCluster(cluster, config, head) : joinCluster(cluster, config)
    joined.then(
      (membership) => run(config, head ?? sessionOf(config, sessionName), membership),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
        process.exit(1)
      },
    )
  }
}

/** The node and its GCS, of which nobody else knows. */
function alone(): Membership {
  const token = newId(16)
  const nodeId = newId()
  const inTurn = turns()
  const gcs = new GcsServer(systemClock, (_node, message) => {
    inTurn(() => membership.receive?.(message))
  })
  const membership: Membership = {
    token,
    nodeId,
    nodeNumber: firstNodeNumber,
    nodeIp: '127.0.0.1',
    clusterAddress: '',
    isRegistered: false,
    toGcs: (message) => inTurn(() => gcs.receive(message)),
    receive: undefined,
    attach: () => undefined,
    close: () => {
      gcs.close()
      return undefined
    },
  }
  return membership
}

function sessionOf(config: NodeConfig, sessionName: string): HeadSession {
  return { sessionName, sessionDir: folderFor(config, sessionName) }
}

function run(config: NodeConfig, session: HeadSession, membership: Membership): void {
  const { sessionName, sessionDir } = session
  const { token, nodeId, nodeNumber, nodeIp, clusterAddress, isRegistered } = membership
  const ids = { nodeId, nodeNumber, token, sessionName, sessionDir, clusterAddress }
  const entry = fileURLToPath(new URL('../worker/worker-main.cjs', import.meta.url))
  const life = new NodeLife(() => raylet, { config, sessionDir, membership })
  const raylet: Raylet = new Raylet(systemClock, {
    ...ids,
    nodeIp,
    isRegistered,
    canGrow: config.cluster !== undefined,
    ...transportOf(config),
    resources: config.resources,
    labels: { ...config.labels, 'ray.io/node-id': nodeId },
    objectStoreBytes: config.objectStoreBytes,
    spillFolder: config.spillFolder,
    memoryMonitor: config.memoryMonitor,
    taskOomRetries: config.taskOomRetries,
    lineageBytes: config.lineageMemory,
    workerEntry: config.workerEntry ?? entry,
    logRotateBytes: config.logRotateBytes,
    logRotateBackups: config.logRotateBackups,
    environment: config.environment,
    namespace: config.namespace,
    isShared: config.endsWith !== 'drivers',
    toGcs: (message) => membership.toGcs(message),
    joined: () => life.joined(),
    abandoned: () => life.abandoned(),
    drained: (reason) => {
      process.stderr.write(`typeray: this node was drained: ${reason}\n`)
      life.end(0)
    },
    declaredDead: (reason) => {
      process.stderr.write(`typeray: this node ends, because ${reason}\n`)
      life.end(1)
    },
    validate: config.validate,
  })
  membership.receive = (message) => raylet.fromGcs(message)
  life.watch()
  raylet.start().then(
    () => {
      membership.attach(raylet)
      const { address, storeAddress } = raylet
      const ready: NodeReady = { ...ids, address, storeAddress, pid: process.pid }
      if (ids.sessionDir !== '') announce(ready, config)
      process.stdout.write(`${JSON.stringify(ready)}\n`)
      if (ids.sessionDir !== '') pruneSoon(config.tempDir)
    },
    (error: unknown) => {
      console.error(error)
      life.end(1)
    },
  )
}

function transportOf({ cluster }: NodeConfig): Pick<RayletOptions, 'isClient' | 'tls' | 'tunnel'> {
  if (cluster === undefined) return {}
  const { isClient = false, tls, head } = cluster
  return {
    isClient,
    ...(tls !== undefined && { tls }),
    ...(isClient && head !== undefined && { tunnel: head }),
  }
}

/** Lets others find the session. */
function announce(ready: NodeReady, config: NodeConfig): void {
  const { sessionName, sessionDir, address, token, nodeId, nodeNumber, clusterAddress, pid } = ready
  const session = {
    sessionName,
    sessionDir,
    rayletAddress: address.replace('\0', '@'),
    token,
    nodeId,
    nodeNumber,
    clusterAddress,
    headAddress: config.cluster?.head ?? clusterAddress,
    pid,
    startTicks: startTicksOf(pid) ?? '',
    startedAtMs: Date.now(),
    isStarted: config.endsWith !== 'drivers',
    version: packageVersion,
    wireVersion,
  }
  writeSession(session)
  if (session.isStarted && isFree(config)) makeCurrent(session)
}

/** Programs of the machine go to its head, else to the node that was started first. */
function isFree(config: NodeConfig): boolean {
  if (config.cluster?.head === undefined) return true
  const folder = currentSessionDir(config.tempDir)
  const current = folder === undefined ? undefined : readSession(folder)
  return current === undefined || !isAlive(current)
}

/** '' when there is none: a full disk must not keep anybody from working. */
function folderFor(config: NodeConfig, sessionName: string): string {
  try {
    return createSessionFolder(config.tempDir, sessionName)
  } catch (error) {
    if (config.isTempDirGiven) throw error
    const why = error instanceof Error ? error.message : String(error)
    process.stderr.write(`typeray: this session writes no log files. ${why}\n`)
    return ''
  }
}

function pruneSoon(root: string): void {
  const prune = (): void => {
    pruneSessions(root, Date.now()).catch(() => undefined)
  }
  setTimeout(prune, sessionPruneDelayMs).unref()
}

/** When the node ends, and how. */
class NodeLife {
  readonly #raylet: () => Raylet
  readonly #endsWith: NodeEnd
  readonly #sessionDir: string
  readonly #membership: Membership
  readonly #deadline: NodeJS.Timeout | undefined
  #hasDriver = false
  #isEnding = false

  constructor(
    raylet: () => Raylet,
    session: { config: NodeConfig; sessionDir: string; membership: Membership },
  ) {
    this.#raylet = raylet
    this.#membership = session.membership
    this.#endsWith = session.config.endsWith
    this.#sessionDir = session.sessionDir
    if (this.#endsWith !== 'drivers') return
    this.#deadline = setTimeout(() => this.end(1), nodeStartMs)
  }

  joined(): void {
    this.#hasDriver = true
    clearTimeout(this.#deadline)
  }

  /** The last driver is gone. */
  abandoned(): void {
    if (this.#endsWith === 'drivers') this.end(0)
  }

  watch(): void {
    process.on('SIGINT', () => {})
    process.on('SIGHUP', () => {})
    process.on('SIGTERM', () => {
      const end = (): void => this.end(0)
      this.#raylet().endWorkers().then(end, end)
    })
    // Whoever reads these may be gone; that shows elsewhere.
    process.stdout.on('error', () => {})
    process.stderr.on('error', () => {})
    process.stdin.on('error', () => {})
    process.stdin.on('close', () => {
      if (this.#endsWith === 'parent') this.end(0)
      else if (this.#endsWith === 'drivers' && !this.#hasDriver) this.end(1)
    })
    process.stdin.resume()
  }

  end(code: number): void {
    if (this.#isEnding) return
    this.#isEnding = true
    if (this.#sessionDir !== '') retireSession(this.#sessionDir)
    // Whatever hangs: the workers die with this process.
    setTimeout(() => process.exit(code), shutdownMs)
    this.#raylet()
      .close()
      .then(() => this.#membership.close())
      .then(
        () => process.exit(code),
        () => process.exit(1),
      )
  }
}

main()
