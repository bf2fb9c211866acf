// What a worker process runs.
//
// The raylet starts it with the address, the token and the name of its starting in the environment.
// It accepts owners on an abstract socket of its own, says hello, and from then on runs what it is
// sent. It ends with the raylet: when the socket to it closes, and by the kernel (parent death
// signal) when user code keeps it from noticing.

import { createServer, type Socket } from 'node:net'
import { argumentGraceMs, lastMessagesMs } from '../base/limits.js'
import { moveFiles } from '../closure/index.js'
import { hostPortText, workerAddress } from '../wire/address.js'
import { configureTransport, serve as serveOthers, type TlsFiles } from '../wire/transport.js'
import { type JobLogging, loggingVariable } from '../wire/logging.js'
import { randomBytes } from '../base/random.js'
import { hideWorkerOptions } from '../base/worker-options.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import { ActorHost } from './actor-host.js'
import './actor-handle.js'
import './method-decorator.js'
import './placement-group.js'
import './ref-actions.js'
import './remote-class.js'
import './remote-function.js'
import './serializers.js'
import { CoreWorker } from './core-worker.js'
import { installCore } from './current-core.js'
import { IdleCollector } from './garbage.js'
import { openInspector } from './inspect-option.js'
import { installWorkerActions } from './worker-actions.js'
import { installOutputLabels, resetOutputLabels } from './output-labels.js'
import { OwnerConnection, written } from './owner-connection.js'
import { runSetupHook } from './run-setup-hook.js'
import { takeEnvironment } from './runtime-env.js'
import { setParentDeathSignal } from '../store/index.js'
import { TaskExecutor } from './task-executor.js'

const now = (): number => performance.now()

/**
 * A worker that has been idle for this long maps its claim words; the FFI takes some milliseconds
 * to load.
 */
const claimsDelayMs = 20

/** This long after its first work a worker has done all that belongs to its start. */
const warmAfterMs = 200

/** Runs this process as a worker. `warm` is called once, when it has done its first work. */
export function startWorker(warm: () => void): void {
  main(warm).catch((error: unknown) => {
    process.stderr.write(`typeray worker could not start: ${String(error)}\n`)
    process.exit(1)
  })
}

async function main(warm: () => void): Promise<void> {
  const { TYPERAY_RAYLET, TYPERAY_TOKEN, TYPERAY_START, TYPERAY_ORPHAN, TYPERAY_RAYLET_PID } =
    process.env
  const { TYPERAY_PROCESS, TYPERAY_LISTEN, TYPERAY_TLS } = process.env
  if (TYPERAY_TLS !== undefined) configureTransport({ tls: JSON.parse(TYPERAY_TLS) as TlsFiles })
  if (TYPERAY_RAYLET === undefined || TYPERAY_TOKEN === undefined) {
    throw new Error('typeray: worker-main is started by a raylet')
  }
  const { TYPERAY_MOVED } = process.env
  if (TYPERAY_MOVED !== undefined) moveFiles(...(JSON.parse(TYPERAY_MOVED) as [string, string]))
  const setup = takeEnvironment()
  hideWorkerOptions()
  // Where the raylet has no setpriv to see to it before Node starts.
  if (TYPERAY_ORPHAN === 'end') setParentDeathSignal('SIGKILL', Number(TYPERAY_RAYLET_PID))
  const logging = process.env[loggingVariable]
  installOutputLabels(logging === undefined ? undefined : (JSON.parse(logging) as JobLogging))
  const address = `\0typeray-worker-${randomBytes(12).toString('hex')}`
  let executor: TaskExecutor | null = null
  const accept = (socket: Socket): void => {
    if (executor === null) {
      socket.destroy()
      return
    }
    const connection = new OwnerConnection(socket, executor, (bytes) => {
      if (!socket.destroyed) socket.write(bytes)
    })
    executor.accept(connection)
  }
  const listening = Promise.all([listen(accept, address), listenToOthers(accept, TYPERAY_LISTEN)])
  // A SIGINT that comes late, when the task that it was meant for has ended, must not end the
  // process.
  process.on('SIGINT', () => undefined)
  const [, tcp] = await listening
  const core = await CoreWorker.join({
    role: 'worker',
    process: Number(TYPERAY_PROCESS),
    rayletAddress: TYPERAY_RAYLET.replace('@', '\0'),
    token: TYPERAY_TOKEN,
    address: workerAddress(address, tcp),
    ...(TYPERAY_START !== undefined && { start: TYPERAY_START }),
    now,
  })
  installCore(core)
  installWorkerActions(core)
  executor = new TaskExecutor(core)
  if (setup !== undefined) {
    executor.setup = runSetupHook(core, setup)
    // Whoever needs it hears of the failure; until then it is nobody's.
    const settled = (): void => core.raylet.send({ kind: 'setUp' })
    executor.setup.then(settled, settled)
  }
  serve(core, executor, warm)
}

function listen(accept: (socket: Socket) => void, address: string): Promise<void> {
  const server = createServer(accept)
  return new Promise((resolve) => server.listen(address, resolve))
}

/** In a cluster that can have other nodes. Returns the address for them. */
async function listenToOthers(
  accept: (socket: Socket) => void,
  host: string | undefined,
): Promise<string | undefined> {
  if (host === undefined) return undefined
  const server = serveOthers(accept)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return hostPortText({ host, port })
}

function serve(core: CoreWorker, executor: TaskExecutor, warm: () => void): void {
  let isClaimsDue = false
  const mapClaims = (): void => {
    // More workers than slots: this one has a single task in flight.
    if (core.welcome.claimSlot < 0) return
    if (!executor.isIdle || executor.actor !== null || core.claims.isReady) {
      isClaimsDue = executor.actor === null && !core.claims.isReady
      return
    }
    isClaimsDue = false
    core.claims.prepare()
    executor.claimsReady()
  }
  setTimeout(mapClaims, claimsDelayMs)
  // What has ended is told also by a worker that user code ends.
  process.on('exit', () => {
    core.recorder.report()
    core.raylet.flush()
  })
  core.listRunning = (list) => executor.listRunning(list)
  executor.onWanted = mapClaims
  const garbage = new IdleCollector(() => executor.isIdle, core.now)
  let isWarm = false
  executor.onIdle = () => {
    if (!isWarm) {
      isWarm = true
      setTimeout(warm, warmAfterMs)
    }
    if (isClaimsDue) setImmediate(mapClaims)
    garbage.idle()
  }
  executor.onRetired = () => void retire(core, executor)
  let grace: NodeJS.Timeout | undefined
  core.sink = {
    receive: (message) => receive(core, executor, message),
    blocked: (isBlocked, isBrief) => {
      clearTimeout(grace)
      if (executor.actor !== null) return
      if (isBrief !== true || !isBlocked) executor.blocked(isBlocked)
      else grace = setTimeout(() => executor.blocked(true), argumentGraceMs)
    },
    // The session is over: nobody is left to answer to.
    sessionLost: () => process.exit(0),
  }
  // A worker lives for its raylet, not for its pending gets.
  core.raylet.socket.ref()
  core.keepsAlive = true
}

function receive(core: CoreWorker, executor: TaskExecutor, message: FromRaylet): void {
  switch (message.kind) {
    case 'leaseOpened':
      resetOutputLabels()
      openInspector()
      executor.leaseOpened(message)
      break
    case 'recallLease':
      executor.recalled(message.lease, message)
      break
    case 'relayedToWorker':
      executor.relayed(message.lease, message.frames)
      break
    case 'startActor': {
      openInspector()
      const host = new ActorHost(core, message)
      executor.actor = host
      host.onExit = () => void end(core, executor)
      void host.start(executor.setup)
      break
    }
    case 'exit':
      void leave(core, executor)
      break
    default:
      break
  }
}

/** A retired worker looks this often whether it may end, in milliseconds. */
const retireCheckMs = 10
/** How long it waits for its owners to close their connections, in milliseconds. */
const retireConnectionsMs = 1000

/**
 * Ends when nobody needs this worker: the tasks that it has submitted would fail without their
 * owner, and owners may still say that the ref of a result has escaped.
 */
async function retire(core: CoreWorker, executor: TaskExecutor): Promise<void> {
  const check = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, retireCheckMs))
  while (core.hasUnfinishedCalls) await check()
  const until = core.now() + retireConnectionsMs
  while (executor.hasConnections && core.now() < until) await check()
  await leave(core, executor)
}

/** Answers what has arrived, lets the instance clean up, and ends. */
async function leave(core: CoreWorker, executor: TaskExecutor): Promise<void> {
  await executor.actor?.whenEmpty()
  await end(core, executor)
}

/** Ends once its last words are out. */
async function end(core: CoreWorker, executor: TaskExecutor): Promise<void> {
  executor.flush()
  core.recorder.report()
  core.unseen.flush()
  core.references.flush()
  core.raylet.flush()
  const late = setTimeout(() => process.exit(0), lastMessagesMs)
  await Promise.all([executor.written(), written(core.raylet.socket)])
  clearTimeout(late)
  process.exit(0)
}
