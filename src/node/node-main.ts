// Entry of the node process: the raylet and, on one machine, the GCS in the same process.
//
// It is started by a driver in a session of its own, so that Ctrl-C in the terminal reaches the driver alone. It says
// where it listens in one line of JSON on stdout, and ends when its drivers have ended: when the last control socket
// closes, or when its stdin closes or the time is up before the first driver came. Its workers end with it.

import { fileURLToPath } from 'node:url'
import { systemClock } from '../base/clock.js'
import { newId } from '../base/ids.js'
import { nodeStartMs, shutdownMs } from '../base/limits.js'
import { GcsServer } from '../gcs/gcs-server.js'
import { Raylet } from '../raylet/raylet.js'
import type { NodeConfig } from './node-config.js'
import type { NodeReady } from './start-node.js'

function main(): void {
  const config = JSON.parse(process.env['TYPERAY_NODE'] ?? '') as NodeConfig
  delete process.env['TYPERAY_NODE']
  const nodeId = newId()
  const token = newId(16)
  const sessionName = `session-${newId(6)}`
  const entry = fileURLToPath(new URL('../worker/worker-main.js', import.meta.url))

  // The two speak in turns, as they would through a socket: neither is called while it is in the middle of something.
  const turns: (() => void)[] = []
  const inTurn = (turn: () => void): void => {
    if (turns.push(turn) === 1) process.nextTick(takeTurns)
  }
  const takeTurns = (): void => {
    for (let i = 0; i < turns.length; i++) turns[i]?.()
    turns.length = 0
  }

  const gcs = new GcsServer(systemClock, (_node, message) => {
    inTurn(() => raylet.fromGcs(message))
  })
  const raylet: Raylet = new Raylet(systemClock, {
    nodeId,
    nodeIp: '127.0.0.1',
    sessionName,
    token,
    resources: config.resources,
    labels: config.labels,
    objectStoreBytes: config.objectStoreBytes,
    spillFolder: config.spillFolder,
    workerEntry: config.workerEntry ?? entry,
    environment: config.environment,
    toGcs: (message) => inTurn(() => gcs.receive(message)),
    abandoned: () => end(0),
    joined: () => {
      hasDriver = true
      clearTimeout(deadline)
    },
    validate: config.validate,
  })

  let hasDriver = false
  let isEnding = false
  const deadline = setTimeout(() => end(1), nodeStartMs)
  const end = (code: number): void => {
    if (isEnding) return
    isEnding = true
    // Whatever hangs: the workers die with this process.
    setTimeout(() => process.exit(code), shutdownMs).unref()
    raylet.close().then(
      () => process.exit(code),
      () => process.exit(1),
    )
  }
  process.on('SIGINT', () => {})
  process.on('SIGHUP', () => {})
  process.on('SIGTERM', () => void raylet.endWorkers().then(() => end(0)))
  // Whoever reads these may be gone; that shows elsewhere.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  process.stdin.on('error', () => {})
  process.stdin.on('close', () => {
    if (!hasDriver) end(1)
  })
  process.stdin.resume()

  raylet.start().then(
    () => {
      const { address, storeAddress } = raylet
      const ready: NodeReady = {
        address,
        storeAddress,
        token,
        nodeId,
        sessionName,
        pid: process.pid,
      }
      process.stdout.write(`${JSON.stringify(ready)}\n`)
    },
    (error: unknown) => {
      console.error(error)
      end(1)
    },
  )
}

main()
