// Lease requests that no node of the cluster could ever grant, and that wait for a node to join.
//
// They are kept apart from the queue of the node: what they need must not make this node look
// busy, to itself and to others, nor keep anything from those who can run.

import type { ProcessId } from '../base/ids.js'
import { infeasibleRowsMax } from '../base/limits.js'
import { RepeatedWarnings } from '../base/repeated-warnings.js'
import { infeasibleWarning } from '../wire/infeasible-text.js'
import type { InfeasibleDemand } from '../wire/messages/terms.js'
import type { PendingRequest } from './lease-queue.js'

interface Line {
  readonly requests: PendingRequest[]
  /** What they need and nobody has. */
  readonly why: string
}

export class InfeasibleQueue {
  /** By shape, each in order of arrival. A line is removed when it is empty. */
  readonly #lines = new Map<string, Line>()
  readonly #warnings = new RepeatedWarnings()

  /** When the next warning is due; Infinity when nothing waits. */
  get deadline(): number {
    return this.#warnings.deadline
  }

  add(request: PendingRequest, { why, now }: { why: string; now: number }): void {
    const line = this.#lines.get(request.shape)
    if (line === undefined) this.#lines.set(request.shape, { requests: [request], why })
    else line.requests.push(request)
    this.#warnings.begin(request.shape, now)
  }

  find(owner: ProcessId, request: number): { readonly why: string } | undefined {
    for (const line of this.#lines.values()) {
      if (line.requests.some((each) => each.owner === owner && each.request === request)) {
        return line
      }
    }
    return undefined
  }

  /** Removes and returns all that match. */
  take(matches: (request: PendingRequest) => boolean): PendingRequest[] {
    const taken: PendingRequest[] = []
    for (const [shape, { requests, why }] of this.#lines) {
      const rest = requests.filter((request) => !matches(request))
      if (rest.length === requests.length) continue
      taken.push(...requests.filter((request) => matches(request)))
      if (rest.length > 0) this.#lines.set(shape, { requests: rest, why })
      else this.#drop(shape)
    }
    return taken
  }

  /** Removes and returns the lines of which one may be granted now: all of a line are alike. */
  takeLines(isPossible: (request: PendingRequest) => boolean): PendingRequest[] {
    const taken: PendingRequest[] = []
    for (const [shape, { requests }] of this.#lines) {
      const [first] = requests
      if (first === undefined || !isPossible(first)) continue
      taken.push(...requests)
      this.#drop(shape)
    }
    return taken
  }

  /** What `typeray status` shows. */
  rows(): InfeasibleDemand[] {
    return [...this.#lines.values()].slice(0, infeasibleRowsMax).flatMap(demandOf)
  }

  /** For the programs whose requests wait. */
  warnings(now: number): { readonly jobId: string; readonly text: string }[] {
    return this.#warnings.take(now).flatMap((shape) => {
      const line = this.#lines.get(shape)
      if (line === undefined) return []
      const jobs = new Set(line.requests.map(({ jobId }) => jobId))
      return [...jobs].flatMap((jobId) => {
        const requests = line.requests.filter((request) => request.jobId === jobId)
        const texts = demandOf({ ...line, requests }).map(infeasibleWarning)
        return texts.map((text) => ({ jobId, text }))
      })
    })
  }

  #drop(shape: string): void {
    this.#lines.delete(shape)
    this.#warnings.end(shape)
  }
}

function demandOf({ requests, why }: Line): InfeasibleDemand[] {
  const [first] = requests
  return first === undefined ? [] : [{ name: `Task ${first.name}`, count: requests.length, why }]
}
