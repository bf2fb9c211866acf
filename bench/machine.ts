// The machine a run was made on, and how busy it was before.
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'

export interface Machine {
  readonly cpuModel: string
  readonly cpuCount: number
  readonly memoryGb: number
  readonly kernel: string
  readonly node: string
  readonly loadBefore: string
}

export function describeMachine(): Machine {
  return {
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    cpuCount: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: release(),
    node: process.version,
    loadBefore: readFileSync('/proc/loadavg', 'utf8').trim().split(' ').slice(0, 3).join(' '),
  }
}
