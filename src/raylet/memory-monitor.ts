// Watches the memory of the node and ends a worker before the kernel ends something worse.
//
// Two limits: a share of what the machine has, or its control group if that allows less; and, when
// the user set one, an amount for all workers together. Page cache that can be dropped is no use of
// memory. One worker ends at a time: what it had must be seen to be free before the next one is
// chosen.

import { readFileSync } from 'node:fs'
import type { Clock } from '../base/clock.js'
import { chooseVictim, memoryReport } from './memory-policy.js'
import type { MemoryShortage, MemoryUser } from './memory-policy.js'

export interface MemoryMonitorOptions {
  /** Bytes that all workers of the node may use together; undefined: no limit of its own. */
  readonly limitBytes: number | undefined
  /** The share of the node's memory that may be in use. */
  readonly threshold: number
  /** Time between two looks; 0: it never looks. */
  readonly refreshMs: number
}

export interface MemoryMonitorPorts {
  readonly clock: Clock
  /** The workers, without what they use; undefined while one that was ended has not gone yet. */
  readonly workers: () => readonly Omit<MemoryUser, 'usedBytes'>[] | undefined
  readonly end: (victim: MemoryUser, report: string) => void
}

const pageBytes = 4096

export class MemoryMonitor {
  readonly #options: MemoryMonitorOptions
  readonly #ports: MemoryMonitorPorts
  #cancel: (() => void) | undefined

  constructor(options: MemoryMonitorOptions, ports: MemoryMonitorPorts) {
    this.#options = options
    this.#ports = ports
    if (options.refreshMs > 0) this.#lookLater()
  }

  close(): void {
    this.#cancel?.()
  }

  #lookLater(): void {
    this.#cancel = this.#ports.clock.timer(this.#options.refreshMs, () => {
      this.#look()
      this.#lookLater()
    })
  }

  #look(): void {
    const { limitBytes, threshold } = this.#options
    const node = nodeShortage(threshold)
    if (node === undefined && limitBytes === undefined) return
    const workers = this.#ports.workers()
    if (workers === undefined) return
    const users = workers.map((worker) => ({ ...worker, usedBytes: ownBytes(worker.pid) }))
    const shortage = node ?? workerShortage(users, limitBytes ?? Infinity)
    if (shortage === undefined) return
    const victim = chooseVictim(users)
    if (victim !== undefined) this.#ports.end(victim, memoryReport(shortage, users))
  }
}

function workerShortage(
  users: readonly MemoryUser[],
  limitBytes: number,
): MemoryShortage | undefined {
  const usedBytes = users.reduce((sum, user) => sum + user.usedBytes, 0)
  if (usedBytes <= limitBytes) return undefined
  return { what: 'the memoryLimit of the workers', usedBytes, limitBytes }
}

/** Set when the machine, or the control group of this process, has less left than it should. */
function nodeShortage(threshold: number): MemoryShortage | undefined {
  const both = [machineUse(), groupUse()]
  for (const use of both) {
    if (use === undefined || use.usedBytes <= use.totalBytes * threshold) continue
    const { usedBytes, totalBytes } = use
    const what = `the memory of this node (memoryUsageThreshold ${threshold})`
    return { what, usedBytes, limitBytes: totalBytes * threshold }
  }
  return undefined
}

interface Use {
  readonly usedBytes: number
  readonly totalBytes: number
}

function machineUse(): Use | undefined {
  const text = read('/proc/meminfo')
  const total = kilobytes(text, /^MemTotal:\s+(\d+)/m)
  const available = kilobytes(text, /^MemAvailable:\s+(\d+)/m)
  if (total === undefined || available === undefined) return undefined
  return { usedBytes: total - available, totalBytes: total }
}

function kilobytes(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? undefined : Number(found) * 1024
}

let groupFolder: string | undefined

/** Of the control group (version 2) that this process is in, if that has a limit. */
function groupUse(): Use | undefined {
  groupFolder ??= `/sys/fs/cgroup${/^0::(.*)$/m.exec(read('/proc/self/cgroup'))?.[1] ?? ''}`
  const limit = read(`${groupFolder}/memory.max`).trim()
  if (!/^\d+$/.test(limit)) return undefined
  const current = Number(read(`${groupFolder}/memory.current`))
  const cached = /^inactive_file (\d+)/m.exec(read(`${groupFolder}/memory.stat`))?.[1] ?? '0'
  return { usedBytes: current - Number(cached), totalBytes: Number(limit) }
}

/** What a process has for itself: resident pages that it does not share. 0 when it is gone. */
function ownBytes(pid: number): number {
  const [, resident = '0', shared = '0'] = read(`/proc/${pid}/statm`).split(' ')
  return (Number(resident) - Number(shared)) * pageBytes
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Not this kernel, not this container, or a process that has just ended.
    return ''
  }
}
