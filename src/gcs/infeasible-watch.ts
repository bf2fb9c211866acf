// Who waits for nodes to join, because no node that is there could ever host it, and what its
// program is told of that.

import { infeasibleRowsMax } from '../base/limits.js'
import { RepeatedWarnings } from '../base/repeated-warnings.js'
import { infeasibleWarning } from '../wire/infeasible-text.js'
import type { InfeasibleDemand } from '../wire/messages/terms.js'

export interface InfeasibleWaiter {
  readonly jobId: string
  readonly name: string
  /** What it needs, and what there is. */
  readonly why: string
}

type Group = InfeasibleDemand & { readonly jobId: string }

export class InfeasibleWatch {
  readonly #warnings = new RepeatedWarnings()

  /** These wait now. Returns what is to be said, to which jobs. */
  look(waiting: readonly InfeasibleWaiter[], now: number): { jobId: string; text: string }[] {
    const groups = grouped(waiting)
    this.#warnings.keep(new Set(groups.keys()), now)
    return this.#warnings.take(now).flatMap((key) => {
      const group = groups.get(key)
      return group === undefined ? [] : [{ jobId: group.jobId, text: infeasibleWarning(group) }]
    })
  }
}

/** What `typeray status` shows: those that are alike in one row. */
export function infeasibleRows(waiting: readonly InfeasibleWaiter[]): InfeasibleDemand[] {
  const rows = [...grouped(waiting).values()].slice(0, infeasibleRowsMax)
  return rows.map(({ name, count, why }) => ({ name, count, why }))
}

function grouped(waiting: readonly InfeasibleWaiter[]): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (const { jobId, name, why } of waiting) {
    const key = JSON.stringify([jobId, name, why])
    const count = (groups.get(key)?.count ?? 0) + 1
    groups.set(key, { jobId, name, why: why.replace(/\.$/, ''), count })
  }
  return groups
}
