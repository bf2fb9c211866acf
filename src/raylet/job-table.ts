// The jobs whose tasks this node may run: those of its own drivers, and those of other nodes, of
// which the GCS tells.

import { finishedJobsMax } from '../base/limits.js'
import type { ProcessId } from '../base/ids.js'
import type { JobFacts, WorkerEnvironment } from '../wire/messages/terms.js'

export interface JobDefaults {
  /** Of the driver that starts the node; workers are started before it says hello. */
  readonly environment: WorkerEnvironment
  readonly namespace: string
}

export class JobTable {
  readonly #nodeNumber: number
  readonly #defaults: JobDefaults
  /** Added when a driver says hello or the GCS tells of a job; removed long after its end. */
  readonly #jobs = new Map<string, JobFacts>()
  readonly #finished: string[] = []
  /** Nodes that were told of a job, by `node job`. Emptied of a job when it is forgotten. */
  readonly #introduced = new Map<string, Set<number>>()
  #count = 0

  constructor(nodeNumber: number, defaults: JobDefaults) {
    this.#nodeNumber = nodeNumber
    this.#defaults = defaults
  }

  /** Of the first driver of this node, for which workers are started before it has come. */
  get firstId(): string {
    return this.#idOf(1)
  }

  /** Drivers that have come so far. */
  get count(): number {
    return this.#count
  }

  /** A driver of this node begins a job. */
  begin(driver: ProcessId, own: Partial<JobDefaults>): JobFacts {
    const jobId = this.#idOf(++this.#count)
    const { environment = this.#defaults.environment, namespace = '' } = own
    const job = { jobId, driver, namespace, environment }
    this.#jobs.set(jobId, job)
    return job
  }

  /** A job of another node. */
  add({ jobId, driver, namespace, environment }: JobFacts): void {
    this.#jobs.set(jobId, { jobId, driver, namespace, environment })
  }

  /** What another node must know of a job of which it is told something for the first time. */
  introduce(jobId: string, nodeNumber: number): { readonly job?: JobFacts } {
    const job = this.#jobs.get(jobId)
    if (job === undefined) return {}
    const told = this.#introduced.get(jobId) ?? new Set<number>()
    this.#introduced.set(jobId, told)
    if (told.has(nodeNumber)) return {}
    told.add(nodeNumber)
    return { job }
  }

  /** What it has detached may be started again much later; not everything is kept for ever. */
  finish(jobId: string): void {
    if (!this.#jobs.has(jobId)) return
    this.#finished.push(jobId)
    if (this.#finished.length <= finishedJobsMax) return
    const oldest = this.#finished.shift() ?? ''
    this.#jobs.delete(oldest)
    this.#introduced.delete(oldest)
  }

  environmentOf(jobId: string): WorkerEnvironment {
    return this.#jobs.get(jobId)?.environment ?? this.#defaults.environment
  }

  namespaceOf(jobId: string): string {
    return this.#jobs.get(jobId)?.namespace ?? this.#defaults.namespace
  }

  driverOf(jobId: string): ProcessId | undefined {
    return this.#jobs.get(jobId)?.driver
  }

  /** Jobs of all nodes are told apart by the number of the node. */
  #idOf(count: number): string {
    return String((this.#nodeNumber - 1) * 1_000_000 + count).padStart(8, '0')
  }
}
