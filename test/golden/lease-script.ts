// The words of lease.txt: owners, workers and groups by name, and what LeaseState does in one line
// each.

import type { LeaseEffect, LeaseEvent } from '../../src/raylet/lease-events.js'
import { LeaseState } from '../../src/raylet/lease-state.js'
import { formatAmounts } from '../../src/scheduling/resource-amounts.js'
import type { Room } from '../../src/wire/messages/gcs.js'
import type {
  ClusterNode,
  ProcessExit,
  Resources,
  SchedulingStrategy,
} from '../../src/wire/messages/terms.js'
import type { PeerMessage } from '../../src/wire/messages/peer.js'
import type { ActorSpec } from '../../src/wire/messages/raylet.js'
import type { Command } from './transcript.js'

export class LeaseScript {
  #state = new LeaseState({ nodeId: 'n1', resources: { CPU: 2 } })
  #now = 0
  readonly #ids = new Map<string, number>()
  /** What the GCS wants kept. */
  readonly #rooms = new Map<string, Room>()

  run(command: Command): string[] {
    if (command.verb === 'node') return this.#node(command)
    const ms = command.number('after', 0)
    this.#now += ms
    const effects = this.#state.handle(this.#event(command), this.#now)
    this.#state.validate()
    const lines = effects.map((effect) => this.#line(effect))
    const deadline = this.#state.deadline()
    return command.verb === 'tick' && deadline !== Infinity
      ? [...lines, `next tick in ${deadline - this.#now}`]
      : lines
  }

  #node(command: Command): string[] {
    const workersLimit = command.number('workers', 512)
    const canGrow = command.flag('grows')
    const resources = resourcesOf(command)
    this.#state = new LeaseState({ nodeId: 'n1', resources, workersLimit, canGrow })
    this.#ids.clear()
    this.#rooms.clear()
    return [`has ${this.#state.tables.pool.total}`]
  }

  #id(name: string): number {
    const id = this.#ids.get(name) ?? 100 + this.#ids.size
    this.#ids.set(name, id)
    return id
  }

  #name(id: number): string {
    for (const [name, known] of this.#ids) if (known === id) return name
    return String(id)
  }

  #event(command: Command): LeaseEvent {
    const lease = command.number('lease', 0)
    const from = this.#id(command.words[0] ?? '')
    switch (command.verb) {
      case 'job':
        return { kind: 'jobStarted', jobId: command.word(0) }
      case 'jobover':
        return { kind: 'jobFinished', jobId: command.word(0) }
      case 'request':
        return this.#request(command, from)
      case 'cancel':
        return { kind: 'cancelLeaseRequest', from, request: Number(command.word(1)) }
      case 'return':
        return { kind: 'returnLease', from, lease }
      case 'closed':
        return { kind: 'leaseClosed', from, lease }
      case 'blocked':
      case 'unblocked':
        return { kind: command.verb, from }
      case 'relay': {
        const owner = this.#id(command.word(1))
        return {
          kind: 'relay',
          from,
          lease,
          owner,
          frames: new Uint8Array(3),
          done: command.flag('done'),
        }
      }
      case 'signal': {
        const signal = command.flag('interrupt') ? 'SIGINT' : 'SIGKILL'
        return { kind: 'signalWorker', from, lease, signal, reason: 'cancelled' }
      }
      case 'interrupted':
        return { kind: 'interrupted', from }
      case 'joined': {
        const process = this.#id(`w${command.word(0)}`)
        const start = command.word(0)
        return { kind: 'workerJoined', start, process, pid: 1, address: 'a', claimSlot: 0 }
      }
      case 'died':
        return { kind: 'workerDied', start: command.word(0), exit: exitOf(command) }
      case 'gone':
        return { kind: 'processDied', process: from }
      case 'tick':
        return { kind: 'tick' }
      case 'exiting': {
        const actor = [1, Number(command.word(1))] as const
        return { kind: 'actorExiting', from, actor, how: 'exitActor' }
      }
      default:
        return this.#gcsEvent(command)
    }
  }

  #gcsEvent(command: Command): LeaseEvent {
    const group = command.words[0] ?? ''
    switch (command.verb) {
      case 'reserve': {
        const resources = resourcesOf(command)
        return { kind: 'reserveBundles', group, attempt: 1, bundles: [{ index: 0, resources }] }
      }
      case 'expect': {
        const key = `actor 1/${command.word(0)}`
        const need = resourcesOf(command)
        this.#rooms.set(key, { key, name: 'Counter', jobId: 'j', depth: 0, need })
        return { kind: 'reserveRoom', rooms: [...this.#rooms.values()] }
      }
      case 'unexpect':
        this.#rooms.delete(`actor 1/${command.word(0)}`)
        return { kind: 'reserveRoom', rooms: [...this.#rooms.values()] }
      case 'giveback':
        return { kind: 'returnBundles', group, indexes: [0], removed: true }
      case 'actor':
        this.#rooms.delete(`actor 1/${command.word(0)}`)
        return {
          kind: 'placeActor',
          spec: actorSpec(command),
          incarnation: 0,
          attempt: command.number('attempt', 1),
          jobId: 'j',
        }
      case 'end': {
        const actor = [1, Number(command.word(0))] as const
        return { kind: 'endActor', actor, drain: command.flag('drain'), reason: 'ray.kill' }
      }
      default:
        return this.#newsEvent(command)
    }
  }

  #newsEvent(command: Command): LeaseEvent {
    const from = this.#id(command.words[0] ?? '')
    const request = Number(command.words[1] ?? 0)
    const node = command.number('node', 0)
    switch (command.verb) {
      case 'view':
        return { kind: 'clusterView', nodes: command.words.map(viewOf), newest: 9 }
      case 'passed': {
        const passed = { by: node, stays: command.flag('stays'), outlivesJob: false }
        return { ...this.#request(command, from), passed }
      }
      case 'returned': {
        const why = command.text('why', 'full') as 'full' | 'never' | 'recalled'
        const said = { available: { CPU: command.number('free', 0) }, waiting: {} }
        return { kind: 'requestReturned', node, from, request, why, ...said }
      }
      case 'bundlefree': {
        const available = [resourcesOf(command)]
        return { kind: 'bundleFree', node, group: command.word(0), available }
      }
      case 'recalled':
        return { kind: 'recallRequest', node, from, request }
      case 'answered':
        return { kind: 'requestAnswered', owner: from, request }
      case 'nodedied':
        return { kind: 'nodeDied', nodeNumber: node, nodeId: `n${node}` }
      case 'located': {
        const nodeId = command.text('on', 'n1')
        const bundles = [{ index: 0, resources: resourcesOf(command), nodeId }]
        return { kind: 'groupLocated', group: command.word(0), bundles }
      }
      default:
        throw new Error(`unknown command ${command.verb}`)
    }
  }

  #request(command: Command, from: number): LeaseEvent & { readonly kind: 'requestLease' } {
    const group = command.options.get('group')
    const on = command.options.get('on')
    const strategy: SchedulingStrategy =
      group === undefined
        ? on === undefined
          ? { kind: command.flag('spread') ? 'spread' : 'default' }
          : { kind: 'nodeAffinity', nodeId: on, soft: command.flag('soft') }
        : { kind: 'placementGroup', target: { group, bundle: command.number('bundle', -1) } }
    const request = Number(command.word(1))
    const nested = command.flag('nested') ? [[from, 77] as const] : []
    const task = { frames: new Uint8Array(4), sequence: request, nested }
    return {
      kind: 'requestLease',
      from,
      jobId: 'j',
      request,
      key: {
        resources: resourcesOf(command, { CPU: 1 }),
        strategy,
        environment: command.text('env', ''),
      },
      name: command.text('name', 'f'),
      depth: command.number('depth', 0),
      ...(command.flag('once') ? { isOnce: true as const } : {}),
      ...(command.flag('carry') ? { task } : {}),
    }
  }

  #line(effect: LeaseEffect): string {
    switch (effect.kind) {
      case 'send':
        return `${this.#name(effect.to)} <- ${this.#message(effect.message)}`
      case 'gcs':
        return `gcs <- ${gcsMessage(effect.message)}`
      case 'peer':
        return `node ${effect.to} <- ${peerMessage(effect.message)}`
      case 'startWorker':
        return (
          `start worker ` +
          `${effect.start}${effect.environment === '' ? '' : ` env=${effect.environment}`}`
        )
      case 'signalWorker':
        return `${effect.signal} worker ${effect.start}: ${effect.reason}`
      case 'nameWorker':
        return `worker ${effect.start} runs ${effect.name}`
      case 'warn':
        return `${effect.jobId} is told: ${effect.text}`
      case 'lend': {
        const objects = effect.objects.map(([owner, n]) => `${this.#name(owner)}/${n}`)
        return `lend ${objects.join(' ')} to ${this.#name(effect.to)}`
      }
    }
  }

  #message(message: Extract<LeaseEffect, { kind: 'send' }>['message']): string {
    const { kind } = message
    switch (message.kind) {
      case 'leaseGranted':
        return (
          `${kind} request=${message.request} lease=${message.lease} ` +
          `${this.#name(message.worker)}${message.carried ? ' carried' : ''}`
        )
      case 'leaseOpened': {
        const gpus = message.gpus.length === 0 ? '' : ` gpus=${message.gpus.join(',')}`
        const carried = message.frames === undefined ? '' : ' with a task'
        return `${kind} lease=${message.lease} of ${this.#name(message.owner)}${gpus}${carried}`
      }
      case 'leaseRefused':
        return `${kind} request=${message.request} ${message.error.code}: ${message.error.message}`
      case 'leaseEnded': {
        const { exit } = message
        const how = exit === undefined ? '' : ` exit ${exit.signal ?? exit.exitCode}`
        return `${kind} lease=${message.lease}${how}`
      }
      case 'recallLease': {
        const how = message.ownerDied
          ? ' owner died'
          : message.idleOnly === true
            ? ' when idle'
            : ''
        return `${kind} lease=${message.lease}${how}`
      }
      case 'relayed':
        return `${kind} lease=${message.lease}${message.done ? ' done' : ''}`
      case 'startActor':
        return `${kind} ${message.spec.actor[1]}${gpusOf(message.gpus)}`
      case 'requestLost':
        return `${kind} request=${message.request} (${message.exit.reason})`
      case 'exit':
        return `${kind}: ${message.reason}`
      default:
        return kind
    }
  }
}

function peerMessage(message: PeerMessage): string {
  const { kind } = message
  switch (message.kind) {
    case 'passLease': {
      const { stays, message: asked } = message
      const task = asked.task === undefined ? '' : ' with a task'
      return `${kind} request=${asked.request}${task}${stays ? ', to wait there' : ''}`
    }
    case 'requestReturned':
      return `${kind} request=${message.request}: ${message.why}`
    case 'bundleFree':
      return `${kind} ${message.group}: ${message.available.map(formatAmounts).join(' and ')}`
    case 'recallRequest':
      return `${kind} request=${message.request}`
    case 'aboutLease':
      return `${kind}: ${message.message.kind}`
    default:
      return kind
  }
}

function gcsMessage(message: Extract<LeaseEffect, { kind: 'gcs' }>['message']): string {
  switch (message.kind) {
    case 'bundlesReserved':
      return `${message.kind} ${message.group} ${message.ok ? 'ok' : 'refused'}`
    case 'actorNotPlaced':
      return `${message.kind} ${message.actor[1]} ${message.error?.code}: ${message.error?.message}`
    case 'actorWorkerDied': {
      const { reason } = message.exit
      return `${message.kind} ${message.actor[1]}${reason === '' ? '' : ` (${reason})`}`
    }
    case 'actorPlaced':
    case 'actorStarted':
      return `${message.kind} ${message.actor[1]}`
    default:
      return message.kind
  }
}

/** `n2:4:1:2`: node 2 has 4 CPU, of which 1 is free, and 2 are waited for. */
function viewOf(word: string): ClusterNode {
  const [nodeId = '', total = '0', free = total, waiting = '0', group] = word.split(':')
  return {
    nodeId,
    nodeNumber: Number(nodeId.slice(1)),
    alive: true,
    address: nodeId,
    total: { CPU: Number(total) },
    available: { CPU: Number(free) },
    waiting: { CPU: Number(waiting) },
    labels: {},
    ...(group !== undefined && { wantedGroups: [group] }),
  }
}

const amountNames = ['CPU', 'GPU', 'memory']

function resourcesOf(command: Command, otherwise: Resources = {}): Resources {
  const found: Record<string, number> = {}
  for (const name of amountNames) {
    const units = command.options.get(name)
    if (units !== undefined) found[name] = Number(units)
  }
  return Object.keys(found).length === 0 ? otherwise : found
}

function exitOf(command: Command): ProcessExit {
  const signal = command.options.get('signal') ?? null
  const stderr = [command.text('stderr', '')].filter((line) => line !== '')
  const exitCode = signal === null ? command.number('code', 1) : null
  return { pid: 1, exitCode, signal, stderr, reason: '', started: -1 }
}

function actorSpec(command: Command): ActorSpec {
  const nested: readonly [number, number][] = []
  const strategy = { kind: 'default' } as const
  return {
    actor: [1, Number(command.word(0))],
    className: 'Counter',
    classHash: '',
    flags: 1,
    args: new Uint8Array(0),
    nested,
    placement: { CPU: 1 },
    resources: resourcesOf(command),
    strategy,
    environment: '',
    name: '',
    namespace: '',
    detached: false,
    getIfExists: false,
    maxRestarts: 0,
    maxTaskRetries: 0,
    maxConcurrency: 1,
    maxPendingCalls: -1,
    depth: 0,
    methods: [],
  }
}

function gpusOf(gpus: readonly number[]): string {
  return gpus.length === 0 ? '' : ` gpus=${gpus.join(',')}`
}
