// The raylet: one process per node that never runs user code, so that it answers while everybody
// else computes.
//
// This shell joins sockets, processes and time to the state machines that decide: LeaseState (who
// may use which worker), ObjectTable (who holds which object) and the object store. It adds no
// rules of its own but one of order: a process is gone only after everything that it said has been
// heard.

import { createServer, type Server } from 'node:net'
import os from 'node:os'
import type { Clock } from '../base/clock.js'
import {
  newId,
  nodeNumberOf,
  type ProcessId,
  rayletProcess,
  workerIdHex,
  workerProcess,
} from '../base/ids.js'
import { lastMessagesMs, workerExitMs, workerSilentMs } from '../base/limits.js'
import type { ProcessExit } from '../wire/messages/terms.js'
import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import { usualLogging } from '../wire/logging.js'
import { ClaimSlots } from './claim-slots.js'
import { ClusterTotal } from './cluster-total.js'
import { commandLine } from './command-line.js'
import { Drain } from './drain.js'
import { ControlConnection, type Hello } from './control-connection.js'
import { environmentFor } from './environment.js'
import { FunctionTable } from './function-table.js'
import type { LeaseEffect, LeaseEvent } from './lease-events.js'
import { LeaseState } from './lease-state.js'
import { JobEnds } from './job-ends.js'
import { JobTable } from './job-table.js'
import { PeerLinks } from './peer-links.js'
import { WorkerLauncher } from './worker-launcher.js'
import { MemoryMonitor } from './memory-monitor.js'
import { OutputRelay, type OutputReader } from './output-relay.js'
import type { ObjectEvent } from './object-events.js'
import { ObjectService } from './object-service.js'
import { NodeReport } from './node-report.js'
import { memoryUsers } from './memory-users.js'
import { RayletMessages } from './raylet-messages.js'
import type { RayletOptions } from './raylet-options.js'
import { ReadsAhead } from './reads-ahead.js'
import { SessionLogs, workerIdOf } from './session-logs.js'
import { StateService } from './state-service.js'
import { SetupWatch } from './setup-watch.js'
import { welcomeTo } from './welcome.js'
import { StoreService } from './store-service.js'
import { WorkerPool } from './worker-pool.js'

interface WorkerFace {
  readonly claimSlot: number
  /** The function or actor class that it runs, and for whom. */
  name: string
  jobId: string
  /** Set once it has said hello. */
  process: ProcessId | undefined
  isConnected: boolean
  /** Set when its process has ended, until its socket has too. */
  exit: ProcessExit | undefined
  cancelWait: (() => void) | undefined
}

export class Raylet {
  readonly address: string
  readonly storeAddress: string
  readonly options: RayletOptions
  readonly leases: LeaseState
  readonly objects: ObjectService
  readonly functions = new FunctionTable()
  readonly store: StoreService
  readonly state: StateService
  readonly setups: SetupWatch
  readonly #clock: Clock
  readonly #server: Server
  readonly #pool: WorkerPool
  readonly claims: ClaimSlots
  readonly #memory: MemoryMonitor
  readonly #logs: SessionLogs
  readonly output: OutputRelay
  readonly #messages: RayletMessages
  readonly #connections = new Set<ControlConnection>()
  readonly #members = new Map<ProcessId, ControlConnection>()
  readonly #workers = new Map<string, WorkerFace>()
  readonly jobs: JobTable
  readonly peers: PeerLinks
  readonly clusterTotal = new ClusterTotal()
  readonly #report: NodeReport
  readonly #reads: ReadsAhead
  readonly drain: Drain
  readonly launcher: WorkerLauncher
  #workerCount = 0
  #isEnding = false
  #cancelTick: (() => void) | undefined
  /** When the next tick comes; Infinity for none. */
  #tickAt = Infinity
  #workersGone: (() => void)[] = []
  readonly #jobEnds: JobEnds

  constructor(clock: Clock, options: RayletOptions) {
    this.#clock = clock
    this.options = options
    const name = newId(16)
    this.address = `\0typeray-${name}`
    this.storeAddress = `\0typeray-store-${name}`
    this.leases = new LeaseState({
      ...options,
      machineCpus: os.availableParallelism(),
      bytesOn: (objects) => this.objects.bytesOn(objects),
    })
    const { tables } = this.leases
    this.#reads = new ReadsAhead(tables, (objects) => this.objects.prefetch(0, objects))
    this.#report = new NodeReport({ clock, tables, toGcs: options.toGcs })
    const isNeeded = (): boolean => this.#hasDriver || this.objects.isNeeded
    const remind = (): void => this.objects.remindHolders()
    this.drain = new Drain({ ...options, clock, tables, isNeeded, remind })
    this.jobs = new JobTable(options.nodeNumber, { namespace: '', ...options })
    this.peers = this.#makePeers()
    this.#logs = new SessionLogs({
      ...options,
      rotateBytes: options.logRotateBytes,
      backups: options.logRotateBackups,
    })
    this.#server = createServer((socket) => {
      const connection = new ControlConnection(socket, options.token, {
        hello: (hello, from) => this.#hello(hello, from),
        message: (message, from) => this.#messages.handle(message, from),
        closed: (from) => this.#closed(from),
        drained: ({ hello, jobId }) => {
          if (hello?.role === 'driver') this.#pool.resume(jobId)
        },
      })
      this.#connections.add(connection)
    })
    this.#pool = this.#makePool()
    this.launcher = this.#makeLauncher()
    this.output = new OutputRelay({
      logs: this.#logs,
      loggingOf: (jobId) => this.jobs.environmentOf(jobId).logging ?? usualLogging,
      driverOf: (jobId) => this.#readerOf(jobId),
      pause: (jobId) => this.#pool.pause(jobId),
    })
    this.#jobEnds = this.#makeJobEnds()
    this.setups = new SetupWatch(clock, (start, reason) =>
      this.#pool.signal(start, 'SIGKILL', reason),
    )
    // Workers need 70 ms to start, so they are on their way before anything else is set up.
    if (options.isShared !== true) this.leaseEvent({ kind: 'jobStarted', jobId: this.jobs.firstId })
    this.claims = new ClaimSlots()
    this.store = this.#makeStore()
    this.objects = this.#makeObjects()
    this.#memory = new MemoryMonitor(options.memoryMonitor, {
      clock,
      workers: () => memoryUsers(this.leases),
      end: ({ start }, report) => this.leaseEvent({ kind: 'memoryShort', start, report }),
    })
    this.state = new StateService({
      clock,
      peers: this.peers,
      members: () => this.#members.values(),
      objects: () => this.objects.table.entries(),
      storedBytes: ({ key }) => this.store.sizeOf(key),
    })
    this.#messages = new RayletMessages(this)
  }

  #makeJobEnds(): JobEnds {
    return new JobEnds(this.#clock, {
      tables: this.leases.tables,
      processOf: (start) => this.#workers.get(start)?.process,
      askToExit: (id) => this.send(id, { kind: 'exit', reason: 'the program has ended' }),
      leaseEvent: (event) => this.leaseEvent(event),
    })
  }

  #makeStore(): StoreService {
    return new StoreService({
      clock: this.#clock,
      arenaBytes: this.options.objectStoreBytes,
      spillFolder: this.options.spillFolder,
      token: this.options.token,
      isMember: (id) => this.#members.has(id),
      collectGarbage: (ids) => ids.forEach((id) => this.send(id, { kind: 'collectGarbage' })),
      evicted: (object) => this.objects.evicted(object),
    })
  }

  #makeObjects(): ObjectService {
    return new ObjectService({
      ...this.options,
      clock: this.#clock,
      store: this.store,
      peers: this.peers,
      send: (to, message) => this.send(to, message),
      isMember: (id) => this.#members.has(id),
      actorOutOfScope: (actor) => this.#messages.actorOutOfScope(actor),
      note: (text) => this.#logs.note(text),
    })
  }

  #makePeers(): PeerLinks {
    const { isClient = false } = this.options
    return new PeerLinks({
      ...this.options,
      isClient,
      clock: this.#clock,
      message: (from, message) => this.#messages.fromPeer(from, message),
      nodeDied: (dead, nodeId) => this.#messages.nodeDied(dead, nodeId),
      note: (text) => this.#logs.note(text),
    })
  }

  #makeLauncher(): WorkerLauncher {
    return new WorkerLauncher({
      ...this.options,
      clock: this.#clock,
      jobs: this.jobs,
      pool: this.#pool,
      isWanted: (start) => this.#workers.has(start),
      ended: (start, exit) => this.#processEnded(start, exit),
    })
  }

  #makePool(): WorkerPool {
    const { workerEntry: entry, token, nodeNumber, nodeIp, clusterAddress, tls } = this.options
    return new WorkerPool({
      clock: this.#clock,
      entry,
      variables: (start) => ({
        // An environment variable cannot hold the NUL that abstract addresses begin with.
        TYPERAY_RAYLET: this.address.replace('\0', '@'),
        TYPERAY_TOKEN: token,
        TYPERAY_START: start,
        TYPERAY_PROCESS: String(workerProcess(nodeNumber, this.#workerCount++)),
        ...(clusterAddress !== '' && { TYPERAY_LISTEN: nodeIp }),
        ...(tls !== undefined && { TYPERAY_TLS: JSON.stringify(tls) }),
        TYPERAY_RAYLET_PID: String(process.pid),
      }),
      output: (output) => {
        const worker = this.#workers.get(output.start)
        return worker === undefined ? undefined : this.output.lines(output, worker)
      },
      died: (start, exit) => this.launcher.ended(start, exit),
    })
  }

  async start(): Promise<void> {
    await Promise.all([
      this.store.listen(this.storeAddress),
      new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject)
        this.#server.listen(this.address, resolve)
      }),
    ])
    const { nodeId, resources, labels, clusterAddress: address } = this.options
    this.#logs.note(`node ${nodeId} has started, pid ${process.pid}: ${JSON.stringify(resources)}`)
    if (this.options.isRegistered !== true) {
      this.toGcs({ kind: 'registerNode', nodeId, address, resources, labels, isHead: true })
    }
    if (address !== '' || this.options.isRegistered === true) this.#report.beat()
  }

  /** Ends every worker, then everything else. Idempotent. */
  async close(): Promise<void> {
    await this.endWorkers(0)
    this.#cancelTick?.()
    this.#report.close()
    this.drain.close()
    this.peers.close()
    await this.launcher.packages.close()
    this.#memory.close()
    this.#server.close()
    for (const connection of this.#connections) connection.end()
    this.objects.close()
    await this.store.close()
    this.claims.close()
    this.#logs.note('the node has ended')
    await this.#logs.close()
  }

  /** Asks workers to end, kills those that have not after `ms`, and waits until all are gone. */
  async endWorkers(ms: number = workerExitMs): Promise<void> {
    this.#isEnding = true
    if (this.#workers.size === 0) return
    const gone = new Promise<void>((resolve) => this.#workersGone.push(resolve))
    for (const { process: id } of this.#workers.values()) {
      if (id !== undefined) this.send(id, { kind: 'exit', reason: 'the program has ended' })
    }
    const cancel = this.#clock.timer(ms, () => this.#pool.killAll('the program has ended'))
    await gone
    cancel()
  }

  send(to: ProcessId, message: FromRaylet): void {
    const member = this.#members.get(to)
    if (member !== undefined) member.send(message)
    else if (to === rayletProcess(this.options.nodeNumber)) this.objects.answered(message)
    else if (nodeNumberOf(to) !== this.options.nodeNumber) {
      const isDecided = message.kind === 'leaseGranted' || message.kind === 'leaseRefused'
      if (isDecided) this.objects.passedDecided(to, message.request)
      this.peers.send(nodeNumberOf(to), { kind: 'deliver', to, message })
    }
  }

  /** To every process of this node. */
  tellAll(message: FromRaylet): void {
    for (const member of this.#members.values()) member.send(message)
  }

  /** For the log of the node. */
  note(text: string): void {
    this.#logs.note(text)
  }

  toGcs(message: ToGcs): void {
    this.options.toGcs(message)
  }

  fromGcs(message: FromGcs): void {
    this.#messages.fromGcs(message)
  }

  leaseEvent(event: LeaseEvent): void {
    for (const effect of this.leases.handle(event, this.#clock.now())) this.#leaseEffect(effect)
    if (this.options.validate === true) this.leases.validate()
    this.#setTick()
    this.#report.soon()
    this.#reads.look()
  }

  objectEvent(event: ObjectEvent): void {
    this.objects.event(event)
  }

  #leaseEffect(effect: LeaseEffect): void {
    switch (effect.kind) {
      case 'send':
        return this.send(effect.to, effect.message)
      case 'gcs':
        return this.toGcs(effect.message)
      case 'peer':
        return this.#messages.toPeer(effect.to, effect.message)
      case 'startWorker':
        return this.#startWorker(effect)
      case 'signalWorker':
        return this.#pool.signal(effect.start, effect.signal, effect.reason)
      case 'nameWorker': {
        const worker = this.#workers.get(effect.start)
        if (worker !== undefined) {
          worker.name = effect.name
          worker.jobId = effect.jobId
        }
        return undefined
      }
      case 'warn':
        return this.output.warn(effect.jobId, effect.text)
      case 'lend':
        return this.objectEvent({ ...effect, kind: 'lend' })
    }
  }

  /** A deadline that has moved away leaves the timer as it is: a tick too many does nothing. */
  #setTick(): void {
    const at = this.leases.deadline()
    if (at >= this.#tickAt && at !== Infinity && !this.#isEnding) return
    this.#cancelTick?.()
    this.#cancelTick = undefined
    this.#tickAt = Infinity
    if (at === Infinity || this.#isEnding) return
    this.#tickAt = at
    this.#cancelTick = this.#clock.timer(Math.max(0, at - this.#clock.now()), () => {
      this.#tickAt = Infinity
      this.leaseEvent({ kind: 'tick' })
    })
  }

  #startWorker(effect: Extract<LeaseEffect, { kind: 'startWorker' }>): void {
    if (this.#isEnding) return
    const { start, jobId, environment } = effect
    const base = this.jobs.environmentOf(jobId)
    // Slots are given at hello: the first workers start before there are any.
    this.#workers.set(start, {
      claimSlot: -1,
      name: '',
      jobId,
      process: undefined,
      isConnected: false,
      exit: undefined,
      cancelWait: undefined,
    })
    const full = environmentFor(base, environment)
    this.setups.expect(start, full)
    this.launcher.start(start, jobId, full)
  }

  #hello(hello: Hello, connection: ControlConnection): boolean {
    if (this.#members.has(hello.process) || this.#isEnding) return false
    if (hello.role === 'observer') {
      this.#members.set(hello.process, connection)
      this.#welcome(connection, { claimSlot: -1, namespace: '' })
      return true
    }
    if (hello.role === 'driver') {
      this.#welcomeDriver(hello, connection)
      return true
    }
    const start = hello.start ?? ''
    const face = this.#workers.get(start)
    if (face === undefined || face.process !== undefined) return false
    const claimSlot = this.claims.acquire()
    this.#workers.set(start, {
      ...face,
      claimSlot,
      process: hello.process,
      isConnected: true,
    })
    connection.jobId = face.jobId
    this.#members.set(hello.process, connection)
    this.#announce(hello, face.jobId, '')
    this.#logs.joined(start, hello.process, hello.pid)
    this.#logs.note(`worker ${workerIdHex(hello.process)} has started, pid ${hello.pid}`)
    this.#welcome(connection, { claimSlot, namespace: this.jobs.namespaceOf(face.jobId) })
    this.setups.begin(start)
    this.leaseEvent({
      kind: 'workerJoined',
      start,
      process: hello.process,
      pid: hello.pid,
      address: hello.address,
      claimSlot,
    })
    return true
  }

  #welcomeDriver(hello: Hello, connection: ControlConnection): void {
    const job = this.jobs.begin(hello.process, hello)
    const { jobId, namespace } = job
    this.#logs.note(`job ${jobId} has begun, driver pid ${hello.pid}`)
    connection.jobId = jobId
    this.#members.set(hello.process, connection)
    this.options.joined()
    this.#welcome(connection, { claimSlot: -1, namespace })
    this.toGcs({ kind: 'jobStarted', ...job })
    this.#announce(hello, jobId, namespace)
    const isExpected = this.jobs.count === 1 && this.options.isShared !== true
    if (!isExpected) this.leaseEvent({ kind: 'jobStarted', jobId })
  }

  /** For the tables of workers and jobs. */
  #announce({ process: id, pid, role }: Hello, jobId: string, namespace: string): void {
    if (role === 'observer') return
    const { nodeId } = this.options
    const entrypoint = role === 'driver' ? commandLine(pid) : ''
    const who = { nodeId, process: id, pid, role, jobId, namespace, entrypoint }
    this.toGcs({ kind: 'processStarted', ...who, atMs: Date.now() })
  }

  #welcome(connection: ControlConnection, { claimSlot, namespace }: WelcomeDetails): void {
    const slots = { claimFile: this.claims.file, claimBytes: this.claims.sizeBytes, claimSlot }
    connection.send(welcomeTo(this, connection.jobId, { ...slots, namespace }))
    const { total } = this.clusterTotal
    if (total !== undefined) connection.send({ kind: 'clusterHas', total })
  }

  #closed(connection: ControlConnection): void {
    this.#connections.delete(connection)
    const { hello } = connection
    if (hello === undefined || this.#members.get(hello.process) !== connection) return
    this.#members.delete(hello.process)
    if (hello.role === 'driver') {
      // Its workers, which end in order, still have to say what they have done.
      if (connection.farewell === undefined) this.#driverGone(hello.process, connection)
      else void connection.farewell.then(() => this.#driverGone(hello.process, connection))
    } else if (hello.role === 'worker') this.#workerSilent(hello)
  }

  /**
   * A worker that closed its socket is of no use; when its process has ended too, it is gone. It is
   * given a moment for that: the socket of a process that ends by itself closes first, and its end
   * should be told as it was.
   */
  #workerSilent(hello: Hello): void {
    const start = hello.start ?? ''
    const worker = this.#workers.get(start)
    if (worker === undefined) return
    worker.isConnected = false
    if (worker.exit === undefined) {
      worker.cancelWait = this.#clock.timer(workerSilentMs, () =>
        this.#pool.signal(start, 'SIGKILL', 'closed its connection'),
      )
    } else this.#workerGone(start, worker.exit)
  }

  #processEnded(start: string, exit: ProcessExit): void {
    const worker = this.#workers.get(start)
    if (worker === undefined) return
    worker.exit = { ...exit, ...this.claims.started(worker.claimSlot) }
    if (!worker.isConnected) return this.#workerGone(start, worker.exit)
    // What it wrote before it ended is still in the socket, perhaps the result of its last task.
    const connection = this.#members.get(worker.process ?? 0)
    worker.cancelWait = this.#clock.timer(lastMessagesMs, () => connection?.destroy())
  }

  #workerGone(start: string, exit: ProcessExit): void {
    const worker = this.#workers.get(start)
    if (worker === undefined) return
    worker.cancelWait?.()
    this.#workers.delete(start)
    this.setups.end(start)
    this.#logs.ended(start)
    this.#noteEnd(worker, exit)
    this.claims.release(worker.claimSlot)
    this.leaseEvent({ kind: 'workerDied', start, exit })
    if (worker.process !== undefined) {
      this.#forget(worker.process, worker.jobId)
      this.#ended({ process: worker.process, exit, isOrderly: true })
    }
    this.#jobEnds.workerEnded()
    if (this.#workers.size > 0) return
    for (const resolve of this.#workersGone.splice(0)) resolve()
  }

  #noteEnd({ process: id, name }: WorkerFace, exit: ProcessExit): void {
    const { pid, exitCode, signal, reason } = exit
    const how = signal === null ? `exit code ${exitCode}` : `signal ${signal}`
    const why = reason === '' ? '' : ` (${reason})`
    const what = name === '' ? '' : `, last of ${name}`
    this.#logs.note(`worker ${workerIdOf(id)}, pid ${pid}${what}, has ended: ${how}${why}`)
  }

  #driverGone(id: ProcessId, { jobId, farewell }: ControlConnection): void {
    this.#pool.resume(jobId)
    this.leaseEvent({ kind: 'jobFinished', jobId })
    this.leaseEvent({ kind: 'processDied', process: id })
    this.#forget(id, jobId)
    this.#logs.note(`job ${jobId} has ended`)
    this.toGcs({ kind: 'jobFinished', jobId })
    this.jobs.finish(jobId)
    if (!this.#hasDriver) this.options.abandoned()
    this.#ended({ process: id, isOrderly: farewell !== undefined })
  }

  get #hasDriver(): boolean {
    return [...this.#members.values()].some(({ hello }) => hello?.role === 'driver')
  }

  #ended(how: { process: ProcessId; exit?: ProcessExit; isOrderly: boolean }): void {
    this.state.processDied(how.process)
    this.toGcs({ kind: 'processEnded', ...how, atMs: Date.now() })
  }

  #forget(id: ProcessId, jobId: string): void {
    this.objectEvent({ kind: 'processDied', process: id })
    this.functions.processDied(id)
    this.store.processDied(id)
    this.peers.broadcast({ kind: 'processGone', process: id })
    this.toGcs({ kind: 'processDied', process: id, jobId })
  }

  /**
   * The program says that it is over: its workers end in order, and their last words reach its
   * terminal.
   */
  async goodbye(connection: ControlConnection): Promise<void> {
    const drivers = [...this.#members.values()].filter((member) => member.hello?.role === 'driver')
    if (this.options.isShared === true) await this.#jobEnds.end(connection.jobId)
    else if (drivers.length === 1) await this.endWorkers()
    connection.end()
  }

  /** Who hears what the workers of the job say: its driver, wherever that is. */
  #readerOf(jobId: string): OutputReader | undefined {
    const driver = this.jobs.driverOf(jobId)
    if (driver === undefined) return undefined
    const member = this.#members.get(driver)
    if (member !== undefined) return member
    if (nodeNumberOf(driver) === this.options.nodeNumber) return undefined
    return { bufferedBytes: 0, send: (message) => this.send(driver, message) }
  }
}

interface WelcomeDetails {
  readonly claimSlot: number
  readonly namespace: string
}
