// Jobs that run, for the nodes that run their tasks.

import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'
import type { JobFacts } from '../wire/messages/terms.js'

type JobMessage = Extract<ToGcs, { kind: 'jobStarted' | 'jobFinished' }>

export class JobTable {
  /** Added by `jobStarted`, removed by `jobFinished`. */
  readonly #jobs = new Map<string, JobFacts>()

  /** Returns what all nodes but that of the driver must hear. */
  handle(message: JobMessage): FromGcs | undefined {
    if (message.kind === 'jobFinished') {
      return this.#jobs.delete(message.jobId) ? message : undefined
    }
    const { jobId, driver, namespace, environment } = message
    if (this.#jobs.has(jobId)) return undefined
    this.#jobs.set(jobId, { jobId, driver, namespace, environment })
    return message
  }

  /** For a node that has joined. */
  all(): JobFacts[] {
    return [...this.#jobs.values()]
  }

  has(jobId: string): boolean {
    return this.#jobs.has(jobId)
  }
}
