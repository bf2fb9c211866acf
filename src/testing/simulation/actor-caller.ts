// How a simulated process calls actors: the caller's side, in its simplest form. Calls wait until
// the actor is alive, are sent to its worker, and fail when the worker dies, unless they may be
// tried again.

import type { ObjectKey } from '../../wire/messages/terms.js'
import type { ActorState } from '../../wire/messages/raylet.js'
import { actorName } from './checker.js'
import type { SimulatedProcess } from './process.js'
import { processText } from './world.js'

interface Call {
  readonly id: string
  readonly actor: ObjectKey
  readonly mayRetry: boolean
  /** Where it was sent; undefined while it waits. */
  worker: number | undefined
}

export class ActorCaller {
  readonly #process: SimulatedProcess
  readonly #states = new Map<string, ActorState>()
  readonly #calls = new Map<string, Call>()
  /** Workers whose connection was cut: an actor may still be said to live there. */
  readonly #dead = new Set<number>()
  #count = 0

  constructor(process: SimulatedProcess) {
    this.#process = process
  }

  get open(): number {
    return this.#calls.size
  }

  stateOf(actor: ObjectKey): ActorState | undefined {
    return this.#states.get(actorName(actor))
  }

  call(actor: ObjectKey): void {
    const { world, id, name } = this.#process
    const call = `c${processText(id)}.${++this.#count}`
    const mayRetry = world.prng.chance(0.5)
    const errors = ['RAY_ACTOR_DIED', 'RAY_ACTOR_UNAVAILABLE']
    world.checker.submitted(call, { owner: id, isOnce: !mayRetry, errors })
    world.trace.note(`${name} calls ${actorName(actor)} ${call}`)
    this.#calls.set(call, { id: call, actor, mayRetry, worker: undefined })
    this.#push(actor)
  }

  changed(actor: ObjectKey, state: ActorState): void {
    const { world, name } = this.#process
    world.trace.note(`${name} hears ${actorName(actor)} ${state.state}`)
    world.checker.told(name, actor, state)
    this.#states.set(actorName(actor), state)
    this.#push(actor)
  }

  answered(call: string): void {
    if (this.#calls.delete(call)) this.#process.world.checker.settled(call, 'value')
  }

  closed(worker: number): void {
    this.#dead.add(worker)
    for (const call of [...this.#calls.values()]) {
      if (call.worker !== worker) continue
      call.worker = undefined
      // While the actor is still said to live there, the call waits for the news.
      if (call.mayRetry) this.#push(call.actor)
      else this.#fail(call, 'RAY_ACTOR_UNAVAILABLE')
    }
  }

  #push(actor: ObjectKey): void {
    const state = this.stateOf(actor)
    const name = actorName(actor)
    if (state?.state === 'dead') {
      for (const call of [...this.#calls.values()]) {
        if (actorName(call.actor) === name && call.worker === undefined) {
          this.#fail(call, 'RAY_ACTOR_DIED')
        }
      }
    }
    if (state?.state !== 'alive' || this.#dead.has(state.worker)) return
    const { worker } = state
    for (const call of this.#calls.values()) {
      if (actorName(call.actor) !== name || call.worker !== undefined) continue
      call.worker = worker
      this.#process.connect(worker)
      const from = this.#process
      this.#process.toProcess(worker, (host) => host.called(from, call.id))
    }
  }

  #fail(call: Call, code: string): void {
    this.#calls.delete(call.id)
    this.#process.world.checker.settled(call.id, code)
  }
}
