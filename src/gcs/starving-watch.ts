// Actors and placement groups that would fit nowhere even if no task ran, because of what others
// of their kind hold.
//
// They may be placed yet, when an actor ends, so it is no error. But a program that hangs for that
// reason hangs without a word, so it is told once for each shape. Where there is only one node it
// does this itself, and knows better who holds what (`raylet/starvation-watch`).

import { starvingMs, starvingToldMax } from '../base/limits.js'
import { addAmounts, formatAmounts } from '../scheduling/resource-amounts.js'
import type { NodeView } from '../scheduling/node-view.js'
import type { Resources } from '../wire/messages/terms.js'

export interface StarvingWaiter {
  readonly key: string
  readonly jobId: string
  readonly shape: string
  readonly name: string
  readonly need: Resources
}

export interface StarvingHolder {
  readonly name: string
  readonly resources: Resources
}

/** What is known of who holds what the waiters lack. */
export interface StarvingFacts {
  readonly nodes: readonly NodeView[]
  /** Actors that run. */
  readonly actors: () => Iterable<StarvingHolder>
  readonly isHeldByGroups: (resource: string) => boolean
}

interface Line {
  first: StarvingWaiter
  count: number
}

const holdersMax = 3

export class StarvingWatch {
  /** Who is first in each line, and since when. Removed when nobody of the line starves. */
  readonly #waiting = new Map<string, { readonly key: string; readonly since: number }>()
  /** Lines that were told of, by job. Removed with the job. */
  readonly #told = new Map<string, Set<string>>()

  jobFinished(jobId: string): void {
    this.#told.delete(jobId)
  }

  /** These starve now. Returns what is to be said, to which jobs. */
  look(
    starving: Iterable<StarvingWaiter>,
    facts: StarvingFacts,
    now: number,
  ): { jobId: string; text: string }[] {
    const lines = linesOf(starving)
    for (const id of this.#waiting.keys()) if (!lines.has(id)) this.#waiting.delete(id)
    const said: { jobId: string; text: string }[] = []
    for (const [id, line] of lines) {
      const { key, jobId, shape } = line.first
      const told = this.#told.get(jobId) ?? new Set<string>()
      if (told.has(shape) || told.size >= starvingToldMax) continue
      const waiting = this.#waiting.get(id)
      // Another one at the head of the line means that the line moves.
      if (waiting?.key !== key) this.#waiting.set(id, { key, since: now })
      else if (now - waiting.since >= starvingMs) {
        this.#waiting.delete(id)
        this.#told.set(jobId, told.add(shape))
        said.push({ jobId, text: textOf(line, facts) })
      }
    }
    return said
  }
}

function linesOf(starving: Iterable<StarvingWaiter>): Map<string, Line> {
  const lines = new Map<string, Line>()
  for (const each of starving) {
    const id = `${each.jobId} ${each.shape}`
    const line = lines.get(id)
    if (line === undefined) lines.set(id, { first: each, count: 1 })
    else line.count++
  }
  return lines
}

function textOf({ first, count }: Line, facts: StarvingFacts): string {
  const { name, need } = first
  const more = count > 1 ? `, and ${count - 1} more like it,` : ''
  const wanted = Object.keys(need).filter((resource) => (need[resource] ?? 0) > 0)
  const of = (all: (node: NodeView) => Resources): Resources =>
    facts.nodes.reduce<Resources>((sum, node) => addAmounts(sum, all(node)), {})
  const total = of((node) => node.total)
  const free = of((node) => node.available)
  const has = wanted.map(
    (resource) => `${Math.max(0, free[resource] ?? 0)} of ${total[resource] ?? 0} ${resource}`,
  )
  const holders = holdersOf(wanted, facts)
  const held = holders === '' ? '' : `; held by ${holders}`
  return (
    `Warning: ${name}${more} cannot be scheduled right now: it needs ${formatAmounts(need)}, and ` +
    `no node will have that when its tasks have ended. Free in the cluster are ` +
    `${has.join(', ')} on ${facts.nodes.length} nodes${held}. It starts as soon as there is ` +
    'room. If there never is: end actors that are not needed, let them hold less, or add a node.'
  )
}

/** `actor Counter (2), placement groups`, the most numerous first. */
function holdersOf(wanted: readonly string[], facts: StarvingFacts): string {
  const counts = new Map<string, number>()
  for (const { name, resources } of facts.actors()) {
    if (!wanted.some((resource) => (resources[resource] ?? 0) > 0)) continue
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const list = [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, holdersMax)
    .map(([name, count]) => (count === 1 ? `actor ${name}` : `actor ${name} (${count})`))
  if (counts.size > holdersMax) list.push('others')
  if (wanted.some((resource) => facts.isHeldByGroups(resource))) list.push('placement groups')
  return list.join(', ')
}
