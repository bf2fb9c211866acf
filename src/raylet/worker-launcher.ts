// Starts worker processes in the environment of their job, wherever its program is.

import os from 'node:os'
import path from 'node:path'
import type { Clock } from '../base/clock.js'
import { nodeNumberOf } from '../base/ids.js'
import type { ToGcs } from '../wire/messages/gcs.js'
import type { ProcessExit, WorkerEnvironment } from '../wire/messages/terms.js'
import type { JobTable } from './job-table.js'
import { PackageCache } from './package-cache.js'
import type { WorkerPool } from './worker-pool.js'
import { environmentHere } from './worker-place.js'

export interface LauncherOptions {
  readonly clock: Clock
  readonly nodeId: string
  readonly nodeNumber: number
  readonly sessionDir: string
  readonly jobs: JobTable
  readonly pool: WorkerPool
  readonly toGcs: (message: ToGcs) => void
  /** Whether the worker is still wanted. */
  readonly isWanted: (start: string) => boolean
  /** Its process is gone, or could not even be started. */
  readonly ended: (start: string, exit: ProcessExit) => void
}

export class WorkerLauncher {
  readonly packages: PackageCache
  readonly #options: LauncherOptions
  /** Packages in which workers run, by start. */
  readonly #packageOf = new Map<string, string>()

  constructor(options: LauncherOptions) {
    const { clock, nodeId, sessionDir, toGcs } = options
    this.#options = options
    this.packages = new PackageCache({
      clock,
      folder: path.join(sessionDir || os.tmpdir(), `packages-${nodeId}`),
      fetch: (hash) => toGcs({ kind: 'fetchPackage', nodeId, hash }),
    })
  }

  start(start: string, jobId: string, environment: WorkerEnvironment): void {
    const { nodeNumber, sessionDir, jobs, pool, isWanted } = this.#options
    const driver = jobs.driverOf(jobId)
    if (driver === undefined || nodeNumberOf(driver) === nodeNumber) {
      return pool.start(start, jobId, environment)
    }
    const begin = (unpacked?: string): void => {
      if (!isWanted(start)) return this.#release(start)
      pool.start(start, jobId, environmentHere(environment, unpacked, sessionDir || '/'))
    }
    if (environment.folder === undefined) return begin()
    const { hash } = environment.folder
    this.#packageOf.set(start, hash)
    this.packages.acquire(hash).then(begin, (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      this.ended(start, { ...notStarted, stderr: [why], reason: why })
    })
  }

  /** The process of the worker is gone. */
  ended(start: string, exit: ProcessExit): void {
    this.#release(start)
    this.#options.ended(start, exit)
  }

  #release(start: string): void {
    const hash = this.#packageOf.get(start)
    if (hash === undefined) return
    this.#packageOf.delete(start)
    this.packages.release(hash)
  }
}

const notStarted = { pid: 0, exitCode: 1, signal: null, started: 0 }
