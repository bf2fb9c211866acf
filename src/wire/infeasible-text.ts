// What is said of somebody for whom no node of the cluster is large enough.

import type { InfeasibleDemand } from './messages/terms.js'

/** For the terminal of its job. */
export function infeasibleWarning({ name, count, why }: InfeasibleDemand): string {
  const more = count > 1 ? `, and ${count - 1} more like it,` : ''
  return (
    `Warning: ${name}${more} cannot be scheduled right now: ${why}. It waits for a node that can ` +
    'take it to join the cluster; if none will, cancel it and ask for less.'
  )
}
