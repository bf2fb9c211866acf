// What all parts of a simulated cluster share.

import type { Prng } from '../../base/prng.js'
import type { ProcessId } from '../../base/ids.js'
import type { ObjectKey } from '../../wire/messages/terms.js'
import type { VirtualClock } from '../virtual-clock.js'
import type { Checker } from './checker.js'
import type { Network } from './network.js'
import type { SimulatedProcess } from './process.js'
import type { Trace } from './trace.js'

/** A task of the workload: what it does is drawn when it runs. */
export interface SimulatedTask {
  readonly id: string
  readonly owner: ProcessId
  readonly cpus: number
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
  newProcessId(): ProcessId
}

export function processName(process: ProcessId): string {
  return `p${process}`
}
