// Answers questions about what is on this node, and gathers what only its processes know.
//
// A process that computes cannot be asked. So who asks for tasks waits a moment for those that
// answer, and is told how many did not; their finished tasks are known all the same, up to the last
// report, and what they run their owners know.

import type { Clock } from '../base/clock.js'
import {
  nodeNumberOf,
  objectIdHex,
  rayletProcess,
  workerIdHex,
  type ProcessId,
} from '../base/ids.js'
import { liveTasksMs, ownersAskedMs, peerTasksMs } from '../base/limits.js'
import { selectRows } from '../wire/state-selection.js'
import type { LiveTask, StateAnswer, StateQuery, StateRow } from '../wire/messages/state.js'
import type { PeerMessage } from '../wire/messages/peer.js'
import type { ToRaylet } from '../wire/messages/raylet.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { ControlConnection } from './control-connection.js'
import { NodeQuestions } from './node-questions.js'
import type { ObjectEntry } from './object-entry.js'

export interface StatePorts {
  readonly clock: Clock
  /** The links to other nodes. */
  readonly peers: {
    others(): number[]
    send(to: number, message: PeerMessage): void
  }
  /** The processes of this node. */
  readonly members: () => Iterable<ControlConnection>
  readonly objects: () => Iterable<ObjectEntry>
  readonly storedBytes: (entry: ObjectEntry) => number | undefined
}

interface Gathering {
  readonly waitingFor: Set<ProcessId>
  readonly live: LiveTask[]
  isCut: boolean
  /** Processes of other nodes that have not answered theirs. */
  silent: number
  readonly done: () => void
}

interface AskOptions {
  readonly ms: number
  readonly only?: readonly ObjectKey[]
  /** Nodes that are asked as well. */
  readonly nodes?: readonly number[]
}

/** What owners said of the tasks that make certain objects. */
export interface OwnersSaid {
  readonly members: ReadonlyMap<ProcessId, ControlConnection>
  /** Those that have not answered in time: they compute. */
  readonly silent: ReadonlySet<ProcessId>
  readonly live: readonly LiveTask[]
}

export class StateService {
  readonly #ports: StatePorts
  /** What is asked of the raylets of all nodes. */
  readonly nodes: NodeQuestions
  readonly #gatherings = new Map<number, Gathering>()
  #count = 0

  constructor(ports: StatePorts) {
    this.#ports = ports
    this.nodes = new NodeQuestions(ports)
  }

  /** The question with what the processes of all nodes say is under way. */
  gather(query: StateQuery, then: (query: StateQuery) => void): void {
    const { peers } = this.#ports
    const nodes = peers.others()
    const request = this.#ask(this.#own(), { ms: liveTasksMs, nodes }, (gathering) =>
      then({ ...query, live: gathering.live, warnings: warningsOf(gathering) }),
    )
    for (const node of nodes) peers.send(node, { kind: 'reportLive', request })
  }

  /** The same for the raylet of another node. */
  reportLive(to: number, request: number): void {
    this.#ask(this.#own(), { ms: peerTasksMs }, ({ live: tasks, isCut: more, waitingFor }) => {
      const said = { tasks, more, silent: waitingFor.size }
      this.#ports.peers.send(to, { kind: 'liveReported', request, ...said })
    })
  }

  liveReported(node: number, message: Extract<PeerMessage, { kind: 'liveReported' }>): void {
    const gathering = this.#gatherings.get(message.request)
    if (gathering !== undefined) gathering.silent += message.silent
    this.reported(rayletProcess(node), { ...message, kind: 'tasksReported' })
  }

  #own(): ControlConnection[] {
    return [...this.#ports.members()].filter(({ hello }) => hello?.role !== 'observer')
  }

  /** Asks the owners of these objects, for a moment, what they know of the tasks behind them. */
  askOwners(objects: readonly ObjectKey[], then: (said: OwnersSaid) => void): void {
    const owners = new Set(objects.map(([owner]) => owner))
    const members = new Map<ProcessId, ControlConnection>()
    for (const member of this.#ports.members()) {
      const id = member.hello?.process ?? 0
      if (owners.has(id)) members.set(id, member)
    }
    this.#ask([...members.values()], { ms: ownersAskedMs, only: objects }, (gathering) =>
      then({ members, silent: gathering.waitingFor, live: gathering.live }),
    )
  }

  #ask(
    asked: readonly ControlConnection[],
    { ms, only, nodes = [] }: AskOptions,
    then: (gathering: Gathering) => void,
  ): number {
    const request = ++this.#count
    const cancel = this.#ports.clock.timer(ms, () => this.#end(request))
    const gathering: Gathering = {
      waitingFor: new Set([
        ...asked.map(({ hello }) => hello?.process ?? 0),
        ...nodes.map(rayletProcess),
      ]),
      silent: 0,
      live: [],
      isCut: false,
      done: () => {
        cancel()
        then(gathering)
      },
    }
    this.#gatherings.set(request, gathering)
    const which = only === undefined ? {} : { only }
    for (const member of asked) member.send({ kind: 'reportTasks', request, ...which })
    if (gathering.waitingFor.size === 0) this.#end(request)
    return request
  }

  reported(from: ProcessId, message: Extract<ToRaylet, { kind: 'tasksReported' }>): void {
    const gathering = this.#gatherings.get(message.request)
    if (gathering?.waitingFor.delete(from) !== true) return
    gathering.live.push(...message.tasks)
    gathering.isCut ||= message.more
    if (gathering.waitingFor.size === 0) this.#end(message.request)
  }

  processDied(process: ProcessId): void {
    for (const [request, { waitingFor }] of this.#gatherings) {
      if (waitingFor.delete(process) && waitingFor.size === 0) this.#end(request)
    }
  }

  #end(request: number): void {
    const gathering = this.#gatherings.get(request)
    this.#gatherings.delete(request)
    gathering?.done()
  }

  /** Objects that are known outside of their owner, once per process that holds them. */
  objects(query: StateQuery): StateAnswer {
    return selectRows(this.#objectRows(), query)
  }

  *#objectRows(): IterableIterator<StateRow> {
    const members = new Map<ProcessId, ControlConnection>()
    for (const member of this.#ports.members()) members.set(member.hello?.process ?? 0, member)
    for (const entry of this.#ports.objects()) {
      const [owner, sequence] = entry.key
      const fixed = {
        objectId: objectIdHex(owner, sequence),
        objectSize: this.#ports.storedBytes(entry) ?? entry.body?.length ?? null,
        taskStatus: entry.isSettled || entry.isActor ? 'FINISHED' : 'PENDING',
        ownerId: workerIdHex(owner),
        ownerPid: members.get(owner)?.hello?.pid ?? null,
        isStored: entry.isStored,
      }
      for (const holder of entry.holders()) {
        // By what a raylet keeps: functions, arguments of actors, values of other homes.
        if (isRaylet(holder)) {
          const pid = holder === rayletProcess(nodeNumberOf(owner)) ? process.pid : null
          yield { ...fixed, referenceType: 'CAPTURED_IN_OBJECT', type: 'RAYLET', pid }
          continue
        }
        const { hello } = members.get(holder) ?? {}
        yield {
          ...fixed,
          referenceType: entry.isActor ? 'ACTOR_HANDLE' : referenceType(entry, holder),
          type: hello?.role === 'driver' ? 'DRIVER' : 'WORKER',
          pid: hello?.pid ?? null,
        }
      }
      // Held by other values of this home.
      if (entry.contained > 0) {
        yield { ...fixed, referenceType: 'CAPTURED_IN_OBJECT', type: 'RAYLET', pid: process.pid }
      }
    }
  }
}

function isRaylet(process: ProcessId): boolean {
  return process === rayletProcess(nodeNumberOf(process))
}

function referenceType(entry: ObjectEntry, holder: ProcessId): string {
  if (holder === entry.key[0]) return entry.isStored ? 'PINNED_IN_MEMORY' : 'LOCAL_REFERENCE'
  return entry.isSettled ? 'LOCAL_REFERENCE' : 'USED_BY_PENDING_TASK'
}

function warningsOf({ waitingFor, isCut, silent }: Gathering): string[] {
  const warnings: string[] = []
  const count = waitingFor.size + silent
  if (count > 0) {
    warnings.push(
      `Processes that compute and have not answered: ${count}. Tasks that wait ` +
        `there, or ended there in the last moments, are missing.`,
    )
  }
  if (isCut) warnings.push('A process has more tasks under way than it can list.')
  return warnings
}
