// The commands of the transcripts about the GCS: each is one message to a GcsServer, and its output
// are the messages that the server sends.

import type { ActorSpec, ActorState } from '../../src/wire/messages/raylet.js'
import { formatAmounts } from '../../src/scheduling/resource-amounts.js'
import type { FromGcs, HeldActor, Room, ToGcs } from '../../src/wire/messages/gcs.js'
import type { ObjectKey, ProcessExit, Resources, WireError } from '../../src/wire/messages/terms.js'
import type { SchedulingStrategy } from '../../src/wire/messages/terms.js'
import { workerProcess } from '../../src/base/ids.js'
import { GcsServer } from '../../src/gcs/gcs-server.js'
import { MemoryStorage } from '../../src/gcs/storage/memory-storage.js'
import { tablesOf } from '../../src/gcs/stored-tables.js'
import { VirtualClock } from '../../src/testing/virtual-clock.js'
import type { Command } from './transcript.js'

const jobId = 'job1'

type AttemptOf = (actor: ObjectKey) => number

export class GcsScript {
  readonly #clock = new VirtualClock()
  readonly #lines: string[] = []
  readonly #totals = new Map<string, Resources>()
  /** The last request to place each actor: what answers are about, unless said otherwise. */
  readonly #attempts = new Map<string, number>()
  #storage = new MemoryStorage()
  #server = this.#newServer()

  run(command: Command): readonly string[] {
    this.#lines.length = 0
    if (command.verb === 'reset') {
      this.#server.close()
      this.#totals.clear()
      this.#attempts.clear()
      this.#storage = new MemoryStorage()
      this.#server = this.#newServer()
    } else if (command.verb === 'restart') {
      this.#server.close()
      this.#server = this.#newServer()
    } else if (command.verb === 'lose') this.#server.nodeLost(command.word(0))
    else if (command.verb === 'wait') this.#clock.advance(Number(command.word(0)))
    else this.#server.receive(this.#message(command))
    return [...this.#lines]
  }

  #newServer(): GcsServer {
    const write = (nodeId: string, message: FromGcs): void => {
      // Views follow every change of a node, and would be most of what there is to read.
      // Nor is every node's number.
      if (message.kind === 'clusterView' || message.kind === 'nodeRegistered') return
      if (message.kind === 'placeActor') {
        this.#attempts.set(id(message.spec.actor), message.attempt)
      }
      this.#lines.push(`${nodeId} <- ${describe(message)}`)
    }
    return new GcsServer(this.#clock, write, {
      nodeDeadlineMs: 15_000,
      validate: true,
      stored: tablesOf((table) => this.#storage.rows(table)),
      persist: (changes, done) => {
        this.#storage.apply(changes)
        done()
      },
    })
  }

  readonly #attemptOf: AttemptOf = (actor) => this.#attempts.get(id(actor)) ?? 1

  #message(command: Command): ToGcs {
    const nodeId = command.text('node', 'n1')
    switch (command.verb) {
      case 'node': {
        const id = command.word(0)
        const resources = amounts(command)
        this.#totals.set(id, resources)
        const where = { nodeId: id, address: `${id}:1`, labels: {}, isHead: id === 'n1' }
        const isBack = command.flag('back')
        return { kind: 'registerNode', ...where, resources, isBack }
      }
      case 'holds':
        return holdings(command, this.#totals.get(command.word(0)) ?? {}, this.#attemptOf)
      case 'report':
        return report(command, this.#totals.get(command.word(0)) ?? {})
      case 'create':
        return {
          kind: 'createActor',
          nodeId,
          from: command.number('owner', 7),
          request: command.number('request', 1),
          spec: actorSpec(command),
          jobId: command.text('job', jobId),
        }
      case 'group':
        return groupCreation(command, nodeId)
      case 'reserved': {
        const attempt = command.number('attempt', 1)
        const ok = !command.flag('refused')
        return { kind: 'bundlesReserved', nodeId, group: command.word(0), attempt, ok }
      }
      case 'subscribeGroup': {
        const from = command.number('from', 7)
        return { kind: 'subscribePlacementGroup', nodeId, from, group: command.word(0) }
      }
      case 'groupByName': {
        const namespace = command.text('namespace', 'default')
        return query(nodeId, { what: 'placementGroupByName', name: command.word(0), namespace })
      }
      case 'remove':
        return { kind: 'removePlacementGroup', group: command.word(0) }
      case 'groups':
        return query(nodeId, { what: 'placementGroups' })
      case 'byName': {
        const namespace = command.text('namespace', 'default')
        return query(nodeId, { what: 'actorByName', name: command.word(0), namespace })
      }
      case 'names':
        return query(nodeId, {
          what: 'namedActors',
          ...(command.text('namespace', '') !== '' && { namespace: command.text('namespace', '') }),
        })
      case 'job': {
        const environment = { execArgv: [], env: {}, cwd: '/' }
        const driver = workerProcess(command.number('on', 0), 6)
        const facts = { jobId: command.word(0), driver, namespace: 'default', environment }
        return { kind: 'jobStarted', ...facts }
      }
      case 'jobFinished':
        return { kind: 'jobFinished', jobId: command.word(0) }
      case 'processDied':
        return { kind: 'processDied', process: Number(command.word(0)), jobId }
      default:
        return actorMessage(command, nodeId, this.#attemptOf)
    }
  }
}

/** `report n1 CPU=0 tasks=1`: nothing is free, and tasks hold one CPU. */
function report(command: Command, total: Resources): ToGcs {
  const available = amounts(command)
  const tasks = command.number('tasks', 0)
  const reclaimable = { ...available, CPU: (available['CPU'] ?? 0) + tasks }
  return { kind: 'nodeReport', nodeId: command.word(0), available, total, reclaimable }
}

/** `holds n1 actors=1:0:50:started,2:1 bundles=g:0+1 awaited=g CPU=1`, the rest is free. */
function holdings(command: Command, total: Resources, attemptOf: AttemptOf): ToGcs {
  const list = (name: string): string[] => command.text(name, '').split(',').filter(Boolean)
  const actors = list('actors').map((text): HeldActor => {
    const [sequence, incarnation, worker, started] = text.split(':')
    const actor: ObjectKey = [7, Number(sequence)]
    const isStarted = started === 'started'
    const attempt = attemptOf(actor)
    const held = { actor, incarnation: Number(incarnation), attempt, isStarted }
    if (worker === undefined) return { ...held, address: '' }
    return { ...held, worker: Number(worker), address: `w${worker}` }
  })
  const bundles = list('bundles').map((text) => {
    const [group = '', indexes = ''] = text.split(':')
    return { group, indexes: indexes.split('+').map(Number) }
  })
  const available = { ...total, ...amounts(command) }
  const awaited = list('awaited')
  return { kind: 'nodeHolds', nodeId: command.word(0), available, total, actors, bundles, awaited }
}

function groupCreation(command: Command, nodeId: string): ToGcs {
  const bundles = command.text('bundles', 'CPU:1').split(',')
  const actor = command.options.get('actor')
  return {
    kind: 'createPlacementGroup',
    nodeId,
    from: command.number('owner', 7),
    group: command.word(0),
    bundles: bundles.map((bundle) => pairs(bundle.split('+'), ':')),
    strategy: command.text('strategy', 'PACK') as 'PACK',
    name: command.text('name', ''),
    namespace: command.text('namespace', 'default'),
    detached: command.flag('detached'),
    jobId: command.text('job', jobId),
    byDriver: !command.flag('byWorker'),
    ...(actor === undefined ? {} : { creatorActor: [7, Number(actor)] as const }),
  }
}

function query(nodeId: string, asked: (ToGcs & { kind: 'query' })['query']): ToGcs {
  return { kind: 'query', nodeId, from: 7, request: 1, query: asked }
}

function actorMessage(command: Command, nodeId: string, attemptOf: AttemptOf): ToGcs {
  const actor: ObjectKey = [command.number('owner', 7), Number(command.word(0))]
  const incarnation = command.number('incarnation', 0)
  const run = { actor, incarnation, attempt: command.number('attempt', attemptOf(actor)) }
  switch (command.verb) {
    case 'subscribe':
      return { kind: 'subscribeActor', nodeId, from: command.number('from', 7), actor }
    case 'kill': {
      const noRestart = !command.flag('restart')
      return { kind: 'killActor', actor, noRestart, reason: 'ray.kill' }
    }
    case 'outOfScope':
      return { kind: 'actorOutOfScope', actor }
    case 'placed': {
      const worker = command.number('worker', 50)
      return { kind: 'actorPlaced', nodeId, ...run, worker, address: `w${worker}` }
    }
    case 'notPlaced':
      return { kind: 'actorNotPlaced', nodeId, ...run, ...refusal(command) }
    case 'started': {
      const error = command.flag('threw') ? { error: new Uint8Array(1) } : {}
      return { kind: 'actorStarted', ...run, ...error }
    }
    case 'workerDied':
      return { kind: 'actorWorkerDied', ...run, exit: processExit(command) }
    default:
      throw new Error(`no such command: ${command.verb}`)
  }
}

function refusal(command: Command): { error?: WireError } {
  const code = command.options.get('error')
  return code === undefined ? {} : { error: { code, message: `The raylet says ${code}.` } }
}

function processExit(command: Command): ProcessExit {
  const code = command.options.get('code')
  return {
    pid: 4711,
    exitCode: code === undefined ? null : Number(code),
    signal: code === undefined ? command.text('signal', 'SIGKILL') : null,
    stderr: command.options.has('stderr') ? [command.text('stderr', '')] : [],
    reason: command.text('reason', ''),
    started: -1,
  }
}

function pairs(words: readonly string[], separator: string): Resources {
  return Object.fromEntries(
    words.map((word) => {
      const [name = '', amount = ''] = word.split(separator)
      return [name, Number(amount)]
    }),
  )
}

/** Options that begin with a capital letter are resources. */
function amounts(command: Command): Resources {
  const named = [...command.options].filter(([name]) => /^[A-Z]/.test(name))
  return Object.fromEntries(named.map(([name, amount]) => [name, Number(amount)]))
}

function actorSpec(command: Command): ActorSpec {
  return {
    actor: [command.number('owner', 7), Number(command.word(0))],
    className: command.text('class', 'Counter'),
    classHash: 'hash',
    flags: 0,
    args: new Uint8Array(0),
    nested: [],
    placement: { CPU: 1, ...amounts(command) },
    resources: amounts(command),
    strategy: strategyOf(command),
    environment: '',
    name: command.text('name', ''),
    namespace: command.text('namespace', 'default'),
    detached: command.flag('detached'),
    getIfExists: command.flag('getIfExists'),
    maxRestarts: command.number('maxRestarts', 0),
    maxTaskRetries: 0,
    maxConcurrency: 1,
    maxPendingCalls: -1,
    depth: 0,
    methods: [],
  }
}

function strategyOf(command: Command): SchedulingStrategy {
  const group = command.options.get('group')
  if (group !== undefined) {
    return { kind: 'placementGroup', target: { group, bundle: command.number('bundle', -1) } }
  }
  const nodeId = command.options.get('on')
  if (nodeId !== undefined) return { kind: 'nodeAffinity', nodeId, soft: command.flag('soft') }
  return { kind: command.flag('spread') ? 'spread' : 'default' }
}

function describe(message: FromGcs): string {
  switch (message.kind) {
    case 'placeActor': {
      const { spec, incarnation, attempt } = message
      const again = attempt === 1 ? '' : ` attempt=${attempt}`
      return `placeActor ${id(spec.actor)} incarnation=${incarnation}${again}`
    }
    case 'endActor':
      return `endActor ${id(message.actor)} ${message.drain ? 'drain' : 'kill'} (${message.reason})`
    case 'reserveBundles': {
      const { group, attempt } = message
      return `reserveBundles ${group} attempt=${attempt} ${indexes(message.bundles)}`
    }
    case 'returnBundles': {
      const why = message.removed ? ' removed' : ''
      return `returnBundles ${message.group} [${message.indexes.join(' ')}]${why}`
    }
    case 'actorRegistered': {
      const { to, existing, error } = message
      const more = existing === undefined ? '' : ` existing ${id(existing.actor)}`
      return `actorRegistered to ${to}${more}${error === undefined ? '' : `: ${error.message}`}`
    }
    case 'actorChanged':
      return `actorChanged ${id(message.actor)} to ${message.to}: ${describeState(message.state)}`
    case 'placementGroupChanged': {
      const more = message.message === undefined ? '' : `: ${message.message}`
      return `placementGroupChanged ${message.group} to ${message.to} ${message.state}${more}`
    }
    case 'reserveRoom':
      return `reserveRoom ${message.rooms.map(sayRoom).join('; ') || 'nothing'}`
    case 'groupLocated': {
      const where = message.bundles.map(({ index, nodeId = 'nowhere' }) => `${index} ${nodeId}`)
      return `groupLocated ${message.group}: ${where.join(', ')}`
    }
    case 'answer':
      return `answer ${describeAnswer(message.value)}`
    case 'nodeRegistered':
      return `nodeRegistered ${message.nodeNumber}`
    case 'drain':
      return `drain: ${message.reason}`
    case 'nodeIsDead':
      return `nodeIsDead: ${message.reason}`
    case 'jobStarted':
    case 'jobFinished':
      return `${message.kind} ${message.jobId}`
    case 'packageFound':
      return `packageFound ${message.hash} ${message.index} of ${message.count}`
    case 'functionsGone':
      return `functionsGone ${message.hashes.join(' ')}`
    case 'functionFound':
      return `functionFound ${message.hash}`
    case 'clusterView':
      return `clusterView of ${message.nodes.length}`
    case 'warnJob':
      return `warnJob ${message.jobId}: ${message.text}`
    case 'gcsHandled':
      return `gcsHandled ${message.count}`
  }
}

const sayRoom = ({ key, need }: Room): string => `${key} ${formatAmounts(need)}`

function describeAnswer(value: unknown): string {
  if (value === undefined) return 'nothing'
  const isGroup = typeof value === 'object' && value !== null && 'group' in value
  if (Array.isArray(value) || isGroup) return JSON.stringify(value)
  return `actor ${id((value as ActorSpec).actor)}`
}

function describeState(state: ActorState): string {
  switch (state.state) {
    case 'pending':
      return 'pending'
    case 'alive':
      return `alive on ${state.nodeId} worker ${state.worker} incarnation ${state.incarnation}`
    case 'restarting':
      return `restarting incarnation ${state.incarnation}`
    case 'dead':
      return `dead (${state.cause}) ${state.message.replaceAll('\n', ' | ')}`
  }
}

const id = ([owner, sequence]: ObjectKey): string => `${owner}/${sequence}`

const indexes = (bundles: readonly { readonly index: number }[]): string =>
  `[${bundles.map((bundle) => bundle.index).join(' ')}]`
