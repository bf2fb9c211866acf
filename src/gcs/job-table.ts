// Jobs that run, for the nodes that run their tasks.

import { finishedJobsMax } from '../base/limits.js'
import { nodeNumberOf, type ProcessId } from '../base/ids.js'
import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'
import type { JobFacts } from '../wire/messages/terms.js'
import { ChangedRows } from './changed-rows.js'
import type { StorageChange } from './storage/gcs-storage.js'

type JobMessage = Extract<ToGcs, { kind: 'jobStarted' | 'jobFinished' }>

/** What all nodes but that of the driver must hear. */
export interface JobNews {
  readonly driver: ProcessId
  readonly message: FromGcs
}

export type StoredJob = JobFacts & { readonly isFinished: boolean }

export class JobTable {
  /** Added by `jobStarted`, removed long after `jobFinished`: what is detached needs them. */
  readonly #jobs = new Map<string, JobFacts>()
  readonly #finished = new Set<string>()
  readonly #changed = new ChangedRows('jobs')

  /** Returns what all nodes but that of the driver must hear. */
  handle(message: JobMessage): JobNews | undefined {
    if (message.kind === 'jobFinished') return this.#finish(message)
    const { jobId, driver, namespace, environment } = message
    if (this.#jobs.has(jobId)) return undefined
    this.#jobs.set(jobId, { jobId, driver, namespace, environment })
    this.#changed.mark(jobId)
    return { driver, message }
  }

  #finish(message: Extract<JobMessage, { kind: 'jobFinished' }>): JobNews | undefined {
    const { jobId } = message
    const job = this.#jobs.get(jobId)
    if (job === undefined || this.#finished.has(jobId)) return undefined
    this.#finished.add(jobId)
    this.#changed.mark(jobId)
    const [oldest] = this.#finished
    if (this.#finished.size > finishedJobsMax && oldest !== undefined) {
      this.#finished.delete(oldest)
      this.#jobs.delete(oldest)
      this.#changed.mark(oldest)
    }
    return { driver: job.driver, message }
  }

  /** Begins with what an earlier GCS has stored. Returns the jobs that are over. */
  load(rows: readonly StoredJob[]): string[] {
    for (const { isFinished, ...job } of rows) {
      this.#jobs.set(job.jobId, job)
      if (isFinished) this.#finished.add(job.jobId)
    }
    return [...this.#finished]
  }

  /** What is to be stored since the last call. */
  takeChanges(): StorageChange[] {
    return this.#changed.take((jobId): StoredJob | undefined => {
      const job = this.#jobs.get(jobId)
      return job === undefined ? undefined : { ...job, isFinished: this.#finished.has(jobId) }
    })
  }

  forgetChanges(): void {
    this.#changed.forget()
  }

  /** Jobs that run, whose drivers are on the node. */
  ofNode(nodeNumber: number): string[] {
    return [...this.#jobs.values()]
      .filter(({ jobId, driver }) => {
        return nodeNumberOf(driver) === nodeNumber && !this.#finished.has(jobId)
      })
      .map(({ jobId }) => jobId)
  }

  /** The process that runs the job; undefined when it is over, or not known. */
  driverOf(jobId: string): ProcessId | undefined {
    return this.#finished.has(jobId) ? undefined : this.#jobs.get(jobId)?.driver
  }

  finished(): string[] {
    return [...this.#finished]
  }

  /** For a node that has joined. */
  all(): JobFacts[] {
    return [...this.#jobs.values()]
  }
}
