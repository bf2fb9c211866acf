// Kills workers, nodes and the GCS of a cluster, and remembers whom and when.

import type { Prng } from '../../src/base/prng.js'
import { isAlive } from '../../src/node/session-file.js'
import { gcsOf, killProcess, workersOf } from '../integration/node-processes.js'
import type { Nodes } from '../integration/many-nodes.js'

type Victim = 'worker' | 'node' | 'gcs'

/** A head gives its GCS up when that dies too often in a row. */
const gcsDeathsMax = 4
const nodesAlive = 3

export class Strikes {
  readonly counts: Record<Victim, number> = { worker: 0, node: 0, gcs: 0 }
  /** What was done, one line each. */
  readonly history: string[] = []
  readonly #nodes: Nodes
  readonly #random: Prng
  readonly #startedAt = performance.now()

  constructor(nodes: Nodes, random: Prng) {
    this.#nodes = nodes
    this.#random = random
  }

  /** Strikes somebody. The first strikes have one victim of each kind. */
  async next(): Promise<void> {
    const chance = this.#random.integer(0, 99)
    const { gcs, node } = this.counts
    const isFirst = this.counts.worker > 1
    if (gcs < gcsDeathsMax && (chance < 8 || (isFirst && gcs === 0))) this.#gcs()
    else if (chance < 25 || (isFirst && node === 0)) await this.#node()
    else this.#worker()
  }

  #gcs(): void {
    const [head] = this.#nodes.sessions
    const pid = head && gcsOf(head)
    if (pid === undefined) return
    killProcess(pid)
    this.#struck('gcs', pid)
  }

  /** Another one joins in its place. */
  async #node(): Promise<void> {
    const alive = this.#nodes.sessions.slice(1).filter(isAlive)
    // One that was given up for its silence has ended by itself, and only has to be replaced.
    if (alive.length + 1 >= nodesAlive) {
      const victim = this.#random.pick(alive)
      this.#struck('node', victim.pid)
      await this.#nodes.kill(victim)
    }
    const { pid } = await this.#nodes.join()
    this.#say(`node ${pid} has joined`)
  }

  #worker(): void {
    const workers = this.#nodes.sessions.filter(isAlive).flatMap(workersOf)
    if (workers.length === 0) return
    const pid = this.#random.pick(workers)
    killProcess(pid)
    this.#struck('worker', pid)
  }

  #struck(victim: Victim, pid: number): void {
    this.counts[victim]++
    this.#say(`killed ${victim} ${pid}`)
  }

  #say(text: string): void {
    this.history.push(`${Math.round(performance.now() - this.#startedAt)} ms: ${text}`)
  }
}
