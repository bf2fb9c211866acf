// Which jobs use which functions, or packages, by hash: what no job uses any more can go.

import { finishedJobsMax } from '../base/limits.js'
import { BoundedMap } from './bounded-map.js'

export class JobUses {
  /** Jobs by hash. Added by `add`, removed with the last of them by `over`. */
  readonly #jobs = new Map<string, Set<string>>()
  readonly #over = new BoundedMap<string, true>(finishedJobsMax)

  /** True: that is news. Of a job that is over nothing is. */
  add(hash: string, jobId: string): boolean {
    if (this.#over.has(jobId)) return false
    const jobs = this.#jobs.get(hash) ?? new Set()
    this.#jobs.set(hash, jobs)
    if (jobs.has(jobId)) return false
    jobs.add(jobId)
    return true
  }

  isOver(jobId: string): boolean {
    return this.#over.has(jobId)
  }

  jobsOf(hash: string): readonly string[] {
    return [...(this.#jobs.get(hash) ?? [])]
  }

  /** Returns what no job uses from now on. */
  over(jobId: string): string[] {
    this.#over.set(jobId, true)
    const unused: string[] = []
    for (const [hash, jobs] of this.#jobs) {
      if (!jobs.delete(jobId) || jobs.size > 0) continue
      this.#jobs.delete(hash)
      unused.push(hash)
    }
    return unused
  }
}
