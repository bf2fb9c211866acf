// What all parts of a simulated cluster share.

import type { Prng } from '../../base/prng.js'
import { nodeNumberOf, type ProcessId, rayletProcess } from '../../base/ids.js'
import type { ObjectKey, SchedulingStrategy } from '../../wire/messages/terms.js'
import type { VirtualClock } from '../virtual-clock.js'
import type { Checker } from './checker.js'
import type { Network } from './network.js'
import type { NodeDirectory } from './node-directory.js'
import type { SimulatedProcess } from './process.js'
import type { Trace } from './trace.js'

/** A task of the workload: what it does is drawn when it runs. */
export interface SimulatedTask {
  readonly id: string
  readonly owner: ProcessId
  readonly cpus: number
  readonly strategy: SchedulingStrategy
  /** It may not run twice. */
  readonly isOnce: boolean
  readonly depth: number
  /** Refs nested in its arguments. */
  readonly nested: readonly ObjectKey[]
}

export interface World {
  readonly clock: VirtualClock
  readonly prng: Prng
  readonly trace: Trace
  readonly network: Network
  readonly checker: Checker
  /** Live and dead, by id. */
  readonly processes: Map<ProcessId, SimulatedProcess>
  readonly tasks: Map<string, SimulatedTask>
  readonly nodes: NodeDirectory
  /** Nodes that there are from the beginning. */
  readonly nodeCount: number
}

/** The node and the count of a process: `2-5`. */
export function processText(process: ProcessId): string {
  return `${nodeNumberOf(process)}-${process - rayletProcess(nodeNumberOf(process))}`
}

export function processName(process: ProcessId): string {
  return `p${processText(process)}`
}
