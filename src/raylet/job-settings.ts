// What the drivers have said of their jobs, for the workers that run them.
//
// An actor may outlive its job, and be started again in its environment when the job is long over.
// So the settings of ended jobs stay for a while, and for as long as a worker of theirs lives.

import { endedJobSettingsMax } from '../base/limits.js'
import type { WorkerEnvironment } from '../wire/messages/terms.js'

interface Settings {
  environment?: WorkerEnvironment
  /** Where the names of its actors live. */
  namespace?: string
}

export class JobSettings {
  readonly #jobs = new Map<string, Settings>()
  /** In order of their ends. Removed with their settings. */
  readonly #ended = new Set<string>()

  get size(): number {
    return this.#jobs.size
  }

  set(jobId: string, settings: Settings): void {
    this.#jobs.set(jobId, { ...this.#jobs.get(jobId), ...settings })
  }

  environmentOf(jobId: string): WorkerEnvironment | undefined {
    return this.#jobs.get(jobId)?.environment
  }

  namespaceOf(jobId: string): string | undefined {
    return this.#jobs.get(jobId)?.namespace
  }

  /** `isInUse` tells whether a job has a worker. */
  ended(jobId: string, isInUse: (jobId: string) => boolean): void {
    this.#ended.add(jobId)
    for (const old of this.#ended) {
      if (this.#ended.size <= endedJobSettingsMax) return
      if (isInUse(old)) continue
      this.#ended.delete(old)
      this.#jobs.delete(old)
    }
  }
}
