// Functions, classes and working folders of jobs. They go when their job is over, and nothing that
// it has detached may need them any more: a detached actor is started again from them, and runs
// what its job has defined.

import type { ToGcs } from '../wire/messages/gcs.js'
import { FunctionStore } from './function-store.js'
import { PackageStore } from './package-store.js'

/** What is said of it. */
export type CodeMessage = Extract<
  ToGcs,
  {
    readonly kind:
      'exportFunction' | 'useFunction' | 'fetchFunction' | 'exportPackage' | 'fetchPackage'
  }
>

export class JobCode {
  readonly functions = new FunctionStore()
  readonly packages = new PackageStore()
  /** Jobs that are over while something that they have detached lives. */
  readonly #finished = new Set<string>()

  finished(jobId: string): void {
    this.#finished.add(jobId)
  }

  /** Drops what is not needed any more; returns the functions among it, by hash. */
  settle(isNeeded: (jobId: string) => boolean): readonly string[] {
    const dropped: string[] = []
    for (const jobId of this.#finished) {
      if (isNeeded(jobId)) continue
      this.#finished.delete(jobId)
      dropped.push(...this.functions.jobOver(jobId))
      this.packages.jobOver(jobId)
    }
    return dropped
  }
}
