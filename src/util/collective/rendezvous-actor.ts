// Where the ranks of a group meet: one actor per session, started by the first group.
//
// It tells ranks where their shared memory is and is not asked again; what is exchanged never
// passes through it.

import type { SharedMemory } from '../../ray/index.js'

/** A rank that asks to join. */
export interface Joining {
  readonly groupName: string
  readonly rank: number
  readonly worldSize: number
  readonly pid: number
  readonly nodeId: string
  /** Made by rank 0. */
  readonly memory: SharedMemory | undefined
  readonly timeoutMs: number
}

/** What a rank is told: where to find the others, or why the group did not come about. */
export type Joined =
  { readonly memory: SharedMemory; readonly pids: readonly number[] } | { readonly problem: string }

/** A group that the driver has declared; ranks by the ids of their actors. */
export interface Declared {
  readonly worldSize: number
  readonly ranks: Readonly<Record<string, number>>
  readonly timeoutMs: number
}

interface Member {
  readonly joining: Joining
  readonly answer: (joined: Joined) => void
}

export class RendezvousActor {
  /** Groups that are not complete. A member is removed by the answer, and with all others. */
  readonly #pending = new Map<string, Map<number, Member>>()
  readonly #declared = new Map<string, Declared>()

  declare(groupName: string, declared: Declared): boolean {
    if (this.#declared.has(groupName)) return false
    this.#declared.set(groupName, declared)
    return true
  }

  declared(groupName: string): Declared | undefined {
    return this.#declared.get(groupName)
  }

  forget(groupName: string): void {
    this.#declared.delete(groupName)
  }

  join(joining: Joining): Joined | Promise<Joined> {
    const { groupName, rank } = joining
    const members = this.#pending.get(groupName) ?? new Map<number, Member>()
    const problem = problemOf(joining, members)
    if (problem !== undefined) return { problem }
    this.#pending.set(groupName, members)
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#giveUp(joining, members), joining.timeoutMs)
      const answer = (joined: Joined): void => {
        clearTimeout(timer)
        resolve(joined)
      }
      members.set(rank, { joining, answer })
      if (members.size === joining.worldSize) this.#complete(groupName, members)
    })
  }

  #complete(groupName: string, members: Map<number, Member>): void {
    const ranks = [...members.values()].sort((a, b) => a.joining.rank - b.joining.rank)
    const memory = ranks[0]?.joining.memory
    const nodes = new Set(ranks.map(({ joining }) => joining.nodeId))
    if (memory === undefined || nodes.size > 1) {
      const problem = `its ranks are on ${nodes.size} nodes, and the backend 'shm' needs one`
      this.#end(groupName, members, { problem })
      return
    }
    this.#end(groupName, members, { memory, pids: ranks.map(({ joining }) => joining.pid) })
  }

  #giveUp({ groupName, worldSize, timeoutMs }: Joining, members: Map<number, Member>): void {
    const missing = Array.from({ length: worldSize }, (_, rank) => rank).filter(
      (rank) => !members.has(rank),
    )
    const problem = `rank ${missing.join(', ')} did not join within ${timeoutMs} ms`
    this.#end(groupName, members, { problem })
  }

  #end(groupName: string, members: Map<number, Member>, joined: Joined): void {
    this.#pending.delete(groupName)
    for (const { answer } of members.values()) answer(joined)
  }
}

function problemOf(
  { rank, worldSize }: Joining,
  members: ReadonlyMap<number, Member>,
): string | undefined {
  const [first] = members.values()
  if (first !== undefined && first.joining.worldSize !== worldSize) {
    return (
      `rank ${rank} says that there are ${worldSize} ranks, and rank ${first.joining.rank} that ` +
      `there are ${first.joining.worldSize}`
    )
  }
  const same = members.get(rank)
  return same === undefined
    ? undefined
    : `rank ${rank} has joined already, from process ${same.joining.pid}`
}
