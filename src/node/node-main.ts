// Entry of the node process: the raylet and, on one machine, the GCS in the same process.
//
// It is started by a driver in a session of its own, so that Ctrl-C in the terminal reaches the
// driver alone. It says where it listens in one line of JSON on stdout, and ends when its drivers
// have ended: when the last control socket closes, or when its stdin closes or the time is up
// before the first driver came. Its workers end with it.

import { fileURLToPath } from 'node:url'
import { systemClock } from '../base/clock.js'
import { newId } from '../base/ids.js'
import { nodeStartMs, sessionPruneDelayMs, shutdownMs } from '../base/limits.js'
import { GcsServer } from '../gcs/gcs-server.js'
import { Raylet } from '../raylet/raylet.js'
import type { NodeConfig } from './node-config.js'
import { createSessionFolder, pruneSessions, sessionNameAt } from './session-folder.js'
import type { NodeReady } from './start-node.js'

function main(): void {
  const config = JSON.parse(process.env['TYPERAY_NODE'] ?? '') as NodeConfig
  delete process.env['TYPERAY_NODE']
  const sessionName = sessionNameAt(new Date(), process.pid)
  const ids = {
    nodeId: newId(),
    token: newId(16),
    sessionName,
    sessionDir: folderFor(config, sessionName),
  }
  const entry = fileURLToPath(new URL('../worker/worker-main.js', import.meta.url))
  const inTurn = turns()
  const gcs = new GcsServer(systemClock, (_node, message) => {
    inTurn(() => raylet.fromGcs(message))
  })
  const life = new NodeLife(() => raylet)
  const raylet: Raylet = new Raylet(systemClock, {
    ...ids,
    nodeIp: '127.0.0.1',
    resources: config.resources,
    labels: { ...config.labels, 'ray.io/node-id': ids.nodeId },
    objectStoreBytes: config.objectStoreBytes,
    spillFolder: config.spillFolder,
    memoryMonitor: config.memoryMonitor,
    taskOomRetries: config.taskOomRetries,
    workerEntry: config.workerEntry ?? entry,
    logRotateBytes: config.logRotateBytes,
    logRotateBackups: config.logRotateBackups,
    environment: config.environment,
    namespace: config.namespace,
    toGcs: (message) => inTurn(() => gcs.receive(message)),
    joined: () => life.joined(),
    abandoned: () => life.end(0),
    validate: config.validate,
  })
  life.watch()
  raylet.start().then(
    () => {
      const { address, storeAddress } = raylet
      const ready: NodeReady = { ...ids, address, storeAddress, pid: process.pid }
      process.stdout.write(`${JSON.stringify(ready)}\n`)
      if (ids.sessionDir !== '') pruneSoon(config.tempDir)
    },
    (error: unknown) => {
      console.error(error)
      life.end(1)
    },
  )
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

/**
 * The raylet and the GCS speak in turns, as they would through a socket: neither is called while it
 * is in the middle of something.
 */
function turns(): (turn: () => void) => void {
  const waiting: (() => void)[] = []
  const take = (): void => {
    for (let i = 0; i < waiting.length; i++) waiting[i]?.()
    waiting.length = 0
  }
  return (turn) => {
    if (waiting.push(turn) === 1) process.nextTick(take)
  }
}

/** When the node ends, and how. */
class NodeLife {
  readonly #raylet: () => Raylet
  readonly #deadline: NodeJS.Timeout
  #hasDriver = false
  #isEnding = false

  constructor(raylet: () => Raylet) {
    this.#raylet = raylet
    this.#deadline = setTimeout(() => this.end(1), nodeStartMs)
  }

  joined(): void {
    this.#hasDriver = true
    clearTimeout(this.#deadline)
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
      if (!this.#hasDriver) this.end(1)
    })
    process.stdin.resume()
  }

  end(code: number): void {
    if (this.#isEnding) return
    this.#isEnding = true
    // Whatever hangs: the workers die with this process.
    setTimeout(() => process.exit(code), shutdownMs)
    this.#raylet()
      .close()
      .then(
        () => process.exit(code),
        () => process.exit(1),
      )
  }
}

main()
