// Oracles: what must hold in a cluster, told from what is seen at its edges and without asking the
// machines under test.

import type { Resources, ObjectKey } from '../../wire/messages/terms.js'
import type { ActorState } from '../../wire/messages/raylet.js'
import { addAmounts, amountsFit, formatAmounts } from '../../scheduling/resource-amounts.js'
import type { Trace } from './trace.js'
import { processText } from './world.js'

/** A broken promise of the cluster, with the last events of those concerned. */
class SimulationFailure extends Error {
  override name = 'SimulationFailure'
}

/** What a task may come to, beside its value. */
export interface TaskPromise {
  readonly owner: number
  /** It may not run twice. */
  readonly isOnce: boolean
  /** Codes of the errors that it may end with. */
  readonly errors: readonly string[]
}

interface TaskFact extends TaskPromise {
  runs: number
  outcome: string | undefined
}

interface Host {
  readonly process: string
  readonly node: string
}

export const actorName = ([owner, sequence]: ObjectKey): string =>
  `a${processText(owner)}.${sequence}`

export class Checker {
  readonly #trace: Trace
  readonly #tasks = new Map<string, TaskFact>()
  /** What is in use on each node, by user: a lease, an actor, a bundle. */
  readonly #inUse = new Map<string, Map<string, Resources>>()
  readonly #totals = new Map<string, Resources>()
  /** Last state that each subscriber was told of each actor. */
  readonly #told = new Map<string, ActorState>()
  /** Processes in which each actor runs. */
  readonly #hosts = new Map<string, Host[]>()
  /** Questions for values, and how often each was answered. */
  readonly #gets = new Map<string, { readonly process: number; answered: boolean }>()
  counts = { tasks: 0, runs: 0, values: 0, errors: 0, gets: 0, actors: 0, restarts: 0, groups: 0 }

  constructor(trace: Trace) {
    this.#trace = trace
  }

  fail(what: string, ids: readonly string[]): never {
    const story = this.#trace.story(ids).join('\n  ')
    throw new SimulationFailure(`${what}\n  story of ${ids.join(', ')}:\n  ${story}`)
  }

  expect(condition: boolean, what: string, ids: readonly string[]): void {
    if (!condition) this.fail(what, ids)
  }

  submitted(task: string, promise: TaskPromise): void {
    this.expect(!this.#tasks.has(task), 'a task is submitted once', [task])
    this.#tasks.set(task, { ...promise, runs: 0, outcome: undefined })
    this.counts.tasks++
  }

  ran(task: string): void {
    const fact = this.#tasks.get(task)
    if (fact === undefined) return this.fail('only what was submitted runs', [task])
    fact.runs++
    this.counts.runs++
    this.expect(!fact.isOnce || fact.runs === 1, 'what may run once runs once', [task])
  }

  settled(task: string, outcome: string): void {
    const fact = this.#tasks.get(task)
    if (fact === undefined) return this.fail('only what was submitted settles', [task])
    this.expect(fact.outcome === undefined, 'a task settles once', [task])
    fact.outcome = outcome
    if (outcome === 'value') {
      this.expect(fact.runs > 0, 'a value comes from a run', [task])
      this.counts.values++
      return
    }
    this.counts.errors++
    this.expect(fact.errors.includes(outcome), `a task may not end with ${outcome}`, [task])
  }

  unsettled(isAlive: (owner: number) => boolean): string[] {
    const open: string[] = []
    for (const [task, fact] of this.#tasks) {
      if (fact.outcome === undefined && isAlive(fact.owner)) open.push(task)
    }
    return open
  }

  nodeHas(node: string, total: Resources): void {
    this.#totals.set(node, total)
    this.#inUse.set(node, new Map())
  }

  take(node: string, user: string, resources: Resources): void {
    const users = this.#inUse.get(node)
    if (users === undefined) return
    users.set(user, resources)
    let sum: Resources = {}
    for (const each of users.values()) sum = addAmounts(sum, each)
    const total = this.#totals.get(node) ?? {}
    if (amountsFit(sum, total)) return
    const what = `${node} has ${formatAmounts(total)} and gave out ${formatAmounts(sum)}`
    this.fail(what, [node, ...users.keys()])
  }

  /**
   * A task that waits lends its CPUs. They are counted again with the next grant after it goes on.
   */
  giveBack(node: string, user: string): void {
    this.#inUse.get(node)?.delete(user)
  }

  /** Whether the node cannot be reached, or could not be a moment ago. */
  isCutOff: (nodeId: string) => boolean = () => false

  told(process: string, actor: ObjectKey, state: ActorState): void {
    const name = actorName(actor)
    const key = `${process} ${name}`
    const before = this.#told.get(key)
    this.#told.set(key, state)
    const ids = [name, process]
    if (before === undefined) return
    this.expect(before.state !== 'dead', `${name} comes back from the dead`, ids)
    const isRepeated = before.state === state.state && numberOf(before) === numberOf(state)
    this.expect(!isRepeated, `${name} is told to be ${state.state} twice`, ids)
    if (state.state === 'pending') this.fail(`${name} goes back to pending`, ids)
    const goesOn = state.state === 'dead' || numberOf(state) >= numberOf(before)
    this.expect(goesOn, `${name} goes back to an older incarnation`, ids)
    if (state.state === 'restarting') this.counts.restarts++
  }

  hosted(actor: ObjectKey, host: Host): void {
    const name = actorName(actor)
    const hosts = this.#hosts.get(name) ?? []
    hosts.push(host)
    this.#hosts.set(name, hosts)
    // A node that was given up goes on, and begins what it was asked to, until it is told: nobody
    // can help that.
    const [one, two] = hosts.filter(({ node }) => !this.isCutOff(node))
    if (one === undefined || two === undefined) return
    this.fail(`${name} runs in two processes`, [name, one.process, two.process])
  }

  hostGone(actor: ObjectKey, process: string): void {
    const name = actorName(actor)
    const rest = this.#hosts.get(name)?.filter((host) => host.process !== process) ?? []
    if (rest.length > 0) this.#hosts.set(name, rest)
    else this.#hosts.delete(name)
  }

  hosts(): string[] {
    return [...this.#hosts.keys()]
  }

  asked(get: string, process: number): void {
    this.#gets.set(get, { process, answered: false })
    this.counts.gets++
  }

  answered(get: string): void {
    const fact = this.#gets.get(get)
    if (fact === undefined) return this.fail('only questions are answered', [get])
    this.expect(!fact.answered, 'a question is answered once', [get])
    fact.answered = true
  }

  unanswered(isAlive: (process: number) => boolean): string[] {
    const open: string[] = []
    for (const [get, fact] of this.#gets) {
      if (!fact.answered && isAlive(fact.process)) open.push(get)
    }
    return open
  }
}

/** Orders the states of an actor: a restart comes before the life that it leads to. */
function numberOf(state: ActorState): number {
  if (state.state === 'alive') return state.incarnation * 2 + 1
  if (state.state === 'restarting') return state.incarnation * 2
  return -1
}
