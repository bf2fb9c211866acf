// Jobs that run, for the nodes that run their tasks.

import { finishedJobsMax } from '../base/limits.js'
import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'
import type { JobFacts } from '../wire/messages/terms.js'

type JobMessage = Extract<ToGcs, { kind: 'jobStarted' | 'jobFinished' }>

export class JobTable {
  /** Added by `jobStarted`, removed long after `jobFinished`: what is detached needs them. */
  readonly #jobs = new Map<string, JobFacts>()
  readonly #finished = new Set<string>()

  /** Returns what all nodes but that of the driver must hear. */
  handle(message: JobMessage): FromGcs | undefined {
    if (message.kind === 'jobFinished') return this.#finish(message)
    const { jobId, driver, namespace, environment } = message
    if (this.#jobs.has(jobId)) return undefined
    this.#jobs.set(jobId, { jobId, driver, namespace, environment })
    return message
  }

  #finish(message: Extract<JobMessage, { kind: 'jobFinished' }>): FromGcs | undefined {
    const { jobId } = message
    if (!this.#jobs.has(jobId) || this.#finished.has(jobId)) return undefined
    this.#finished.add(jobId)
    const [oldest] = this.#finished
    if (this.#finished.size > finishedJobsMax && oldest !== undefined) {
      this.#finished.delete(oldest)
      this.#jobs.delete(oldest)
    }
    return message
  }

  /** For a node that has joined. */
  all(): JobFacts[] {
    return [...this.#jobs.values()]
  }
}
