// Workers, drivers and their jobs, those that have ended too, as far back as there is room.

import { workerIdHex, type ProcessId } from '../base/ids.js'
import { endedProcessesMax } from '../base/limits.js'
import type { ProcessExit } from '../wire/messages/terms.js'
import type { ProcessNews, StateRow } from '../wire/messages/state.js'
import { ChangedRows } from './changed-rows.js'
import type { StorageChange } from './storage/gcs-storage.js'

type Started = Extract<ProcessNews, { kind: 'processStarted' }>
type Ended = Extract<ProcessNews, { kind: 'processEnded' }>

interface ProcessRecord {
  readonly started: Started
  /** Set when it is gone. */
  ended: Ended | undefined
}

/** Drivers are jobs, and are stored; workers are announced again by their raylets. */
export type StoredDriver = Readonly<ProcessRecord>

export class ProcessTable {
  /** By process, in the order in which they came. */
  readonly #processes = new Map<ProcessId, ProcessRecord>()
  /** Those that are gone, in the order in which they went. */
  readonly #ended = new Set<ProcessId>()
  readonly #changed = new ChangedRows('drivers')

  /** Begins with what an earlier GCS has stored. */
  load(rows: readonly StoredDriver[]): void {
    for (const { started, ended } of [...rows].sort((a, b) => a.started.atMs - b.started.atMs)) {
      this.#processes.set(started.process, { started, ended })
      if (ended !== undefined) this.#ended.add(started.process)
    }
  }

  /** What is to be stored since the last call. */
  takeChanges(): StorageChange[] {
    return this.#changed.take((key): StoredDriver | undefined => this.#processes.get(Number(key)))
  }

  forgetChanges(): void {
    this.#changed.forget()
  }

  handle(news: ProcessNews): void {
    if (news.kind === 'processStarted') {
      if (this.#processes.has(news.process)) return
      this.#processes.set(news.process, { started: news, ended: undefined })
      if (news.role === 'driver') this.#changed.mark(String(news.process))
      return
    }
    const record = this.#processes.get(news.process)
    if (record === undefined || record.ended !== undefined) return
    record.ended = news
    if (record.started.role === 'driver') this.#changed.mark(String(news.process))
    this.#ended.add(news.process)
    for (const oldest of this.#ended) {
      if (this.#ended.size <= endedProcessesMax) break
      this.#ended.delete(oldest)
      const isDriver = this.#processes.get(oldest)?.started.role === 'driver'
      if (isDriver) this.#changed.mark(String(oldest))
      this.#processes.delete(oldest)
    }
  }

  pidOf(process: ProcessId): number | undefined {
    return this.#processes.get(process)?.started.pid
  }

  *workers(): IterableIterator<StateRow> {
    for (const { started, ended } of this.#processes.values()) {
      yield {
        workerId: workerIdHex(started.process),
        isAlive: ended === undefined,
        workerType: started.role === 'driver' ? 'DRIVER' : 'WORKER',
        exitType: ended === undefined ? null : exitType(started, ended),
        nodeId: started.nodeId,
        pid: started.pid,
        jobId: started.jobId,
        exitDetail: exitDetail(ended?.exit),
        startTimeMs: started.atMs,
        endTimeMs: ended?.atMs ?? null,
      }
    }
  }

  *jobs(): IterableIterator<StateRow> {
    for (const { started, ended } of this.#processes.values()) {
      if (started.role !== 'driver') continue
      yield {
        jobId: started.jobId,
        submissionId: null,
        entrypoint: started.entrypoint,
        type: 'DRIVER',
        status: jobStatus(ended),
        message: ended?.isOrderly === false ? 'The driver ended without a goodbye.' : '',
        driverPid: started.pid,
        namespace: started.namespace,
        startTimeMs: started.atMs,
        endTimeMs: ended?.atMs ?? null,
      }
    }
  }
}

function jobStatus(ended: Ended | undefined): string {
  if (ended === undefined) return 'RUNNING'
  return ended.isOrderly ? 'SUCCEEDED' : 'FAILED'
}

function exitType({ role }: Started, { exit, isOrderly }: Ended): string {
  if (role === 'driver') return isOrderly ? 'INTENDED_USER_EXIT' : 'SYSTEM_ERROR'
  const reason = exit?.reason ?? ''
  if (/out of memory/i.test(reason)) return 'NODE_OUT_OF_MEMORY'
  if (/^kill$|ray\.kill|exitActor/.test(reason)) return 'INTENDED_USER_EXIT'
  if (reason !== '' || exit?.exitCode === 0) return 'INTENDED_SYSTEM_EXIT'
  return exit?.signal === null ? 'USER_ERROR' : 'SYSTEM_ERROR'
}

function exitDetail(exit: ProcessExit | undefined): string | null {
  if (exit === undefined) return null
  const how = exit.signal ?? `exit code ${exit.exitCode ?? 'unknown'}`
  return exit.reason === '' ? how : `${how}: ${exit.reason}`
}
