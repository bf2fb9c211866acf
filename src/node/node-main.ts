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
import { newId } from '../base/ids.js'
import { nodeStartMs, shutdownMs } from '../base/limits.js'
import { GcsServer } from '../gcs/gcs-server.js'
import { Raylet } from '../raylet/raylet.js'
import type { NodeConfig, NodeEnd } from './node-config.js'
import {
  createSessionFolder,
  makeCurrent,
  retireSession,
  startTicksOf,
  writeSession,
} from './session-folder.js'
import type { NodeReady } from './start-node.js'

function main(): void {
  const config = JSON.parse(process.env['TYPERAY_NODE'] ?? '') as NodeConfig
  delete process.env['TYPERAY_NODE']
  const folder = createSessionFolder(config.sessionRoot)
  const ids = { nodeId: newId(), token: newId(16), ...folder }
  const entry = fileURLToPath(new URL('../worker/worker-main.js', import.meta.url))
  const inTurn = turns()
  const gcs = new GcsServer(systemClock, (_node, message) => {
    inTurn(() => raylet.fromGcs(message))
  })
  const life = new NodeLife(() => raylet, { config, sessionDir: folder.sessionDir })
  const raylet: Raylet = new Raylet(systemClock, {
    ...ids,
    nodeIp: '127.0.0.1',
    resources: config.resources,
    labels: config.labels,
    objectStoreBytes: config.objectStoreBytes,
    spillFolder: config.spillFolder,
    workerEntry: config.workerEntry ?? entry,
    environment: config.environment,
    namespace: config.namespace,
    isShared: config.endsWith !== 'drivers',
    toGcs: (message) => inTurn(() => gcs.receive(message)),
    joined: () => life.joined(),
    abandoned: () => life.abandoned(),
    validate: config.validate,
  })
  life.watch()
  raylet.start().then(
    () => {
      const { address, storeAddress } = raylet
      const ready: NodeReady = { ...ids, address, storeAddress, pid: process.pid }
      announce(ready, config)
      process.stdout.write(`${JSON.stringify(ready)}\n`)
    },
    (error: unknown) => {
      console.error(error)
      life.end(1)
    },
  )
}

/** Lets others find the session. */
function announce(ready: NodeReady, config: NodeConfig): void {
  const { sessionName, sessionDir, address, token, nodeId, pid } = ready
  const session = {
    sessionName,
    sessionDir,
    rayletAddress: address.replace('\0', '@'),
    token,
    nodeId,
    pid,
    startTicks: startTicksOf(pid) ?? '',
    startedAtMs: Date.now(),
    isHead: config.endsWith !== 'drivers',
  }
  writeSession(session)
  if (session.isHead) makeCurrent(session)
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
  readonly #endsWith: NodeEnd
  readonly #sessionDir: string
  readonly #deadline: NodeJS.Timeout | undefined
  #hasDriver = false
  #isEnding = false

  constructor(raylet: () => Raylet, session: { config: NodeConfig; sessionDir: string }) {
    this.#raylet = raylet
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
    retireSession(this.#sessionDir)
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
