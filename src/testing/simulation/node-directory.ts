// The simulated nodes by their numbers. What is sent to one that has joined and does not know its
// number yet waits for it.

import type { SimulatedNode } from './node.js'

export class NodeDirectory {
  readonly #nodes = new Map<number, SimulatedNode>()
  readonly #waiting = new Map<number, ((node: SimulatedNode) => void)[]>()

  add(node: SimulatedNode): void {
    this.#nodes.set(node.nodeNumber, node)
    const waiting = this.#waiting.get(node.nodeNumber) ?? []
    this.#waiting.delete(node.nodeNumber)
    for (const run of waiting) run(node)
  }

  whenThere(nodeNumber: number, run: (node: SimulatedNode) => void): void {
    const node = this.#nodes.get(nodeNumber)
    const waiting = this.#waiting.get(nodeNumber)
    if (node !== undefined) run(node)
    else if (waiting !== undefined) waiting.push(run)
    else this.#waiting.set(nodeNumber, [run])
  }
}
