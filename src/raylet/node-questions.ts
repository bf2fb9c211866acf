// Questions that only the raylet of each node can answer: what is in its store, who its workers
// are, which objects it is the home of. The raylet that is asked asks the others, and answers with
// what has come when all have spoken or the time is up; who has not is counted.

import type { Clock } from '../base/clock.js'
import { peerTasksMs } from '../base/limits.js'
import type { PeerMessage } from '../wire/messages/peer.js'
import type { NodeQuestion } from '../wire/messages/query.js'
import type { StateAnswer, StateQuery } from '../wire/messages/state.js'

export interface NodeQuestionPorts {
  readonly clock: Clock
  readonly peers: {
    others(): number[]
    send(to: number, message: PeerMessage): void
  }
}

interface Open {
  readonly waitingFor: Set<number>
  readonly values: unknown[]
  readonly done: () => void
}

/** What nodes have said: this one first. */
export interface NodesSaid<T> {
  readonly values: readonly T[]
  /** Nodes that have not answered in time. */
  readonly silent: number
}

export class NodeQuestions {
  readonly #ports: NodeQuestionPorts
  readonly #open = new Map<number, Open>()
  #count = 0

  constructor(ports: NodeQuestionPorts) {
    this.#ports = ports
  }

  ask<T>(question: NodeQuestion, own: T, then: (said: NodesSaid<T>) => void): void {
    const { clock, peers } = this.#ports
    const request = ++this.#count
    const waitingFor = new Set(peers.others())
    const values: unknown[] = [own]
    const done = (): void => {
      if (!this.#open.delete(request)) return
      cancel()
      then({ values: values as T[], silent: waitingFor.size })
    }
    this.#open.set(request, { waitingFor, values, done })
    const cancel = clock.timer(peerTasksMs, done)
    for (const node of waitingFor) peers.send(node, { kind: 'askNode', request, question })
    if (waitingFor.size === 0) done()
  }

  answered(node: number, { request, value }: Extract<PeerMessage, { kind: 'nodeAnswered' }>): void {
    const open = this.#open.get(request)
    if (open?.waitingFor.delete(node) !== true) return
    open.values.push(value)
    if (open.waitingFor.size === 0) open.done()
  }

  nodeDied(node: number): void {
    for (const { waitingFor, done } of this.#open.values()) {
      if (waitingFor.delete(node) && waitingFor.size === 0) done()
    }
  }
}

/** One answer out of those of all nodes. */
export function joinedState(
  { values, silent }: NodesSaid<StateAnswer>,
  { limit }: StateQuery,
): StateAnswer {
  const sum = (of: (answer: StateAnswer) => number): number =>
    values.reduce((all, answer) => all + of(answer), 0)
  const missing =
    silent === 0 ? [] : [`Nodes that have not answered: ${silent}. What they know is missing.`]
  return {
    total: sum(({ total }) => total),
    numFiltered: sum(({ numFiltered }) => numFiltered),
    rows: values.flatMap(({ rows }) => rows).slice(0, limit),
    warnings: [...values.flatMap(({ warnings }) => warnings), ...missing],
  }
}
