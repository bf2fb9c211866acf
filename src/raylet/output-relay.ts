// What is said on the terminal of a job's driver: lines of its workers, and warnings of the raylet.
//
// A driver that does not read holds up its own workers, which wait in console.log, and nobody
// else's.

import type { JobLogging } from '../wire/logging.js'
import { outputBytesMax } from '../base/limits.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import { nameOf, type OutputOrigin, type SessionLogs } from './session-logs.js'
import type { WorkerOutput } from './worker-pool.js'

export interface OutputReader {
  readonly bufferedBytes: number
  send(message: FromRaylet): void
}

export interface OutputRelayPorts {
  readonly logs: SessionLogs
  readonly loggingOf: (jobId: string) => JobLogging
  readonly driverOf: (jobId: string) => OutputReader | undefined
  /** Stops reading what the workers of a job write. */
  readonly pause: (jobId: string) => void
}

type Said = Omit<Extract<FromRaylet, { kind: 'output' }>, 'kind'>

export class OutputRelay {
  readonly #ports: OutputRelayPorts

  constructor(ports: OutputRelayPorts) {
    this.#ports = ports
  }

  /**
   * Passes lines on. When it returns a function the log has enough for now: it takes what is to be
   * called when there is room again.
   */
  lines(output: WorkerOutput, worker: OutputOrigin): ((call: () => void) => void) | undefined {
    const { logs } = this.#ports
    const { stream, pid, lines, label } = output
    const logging = this.#ports.loggingOf(worker.jobId)
    this.#tell(worker.jobId, () => ({
      stream,
      name: nameOf(label, worker),
      pid,
      lines,
      ...(logging.encoding === 'JSON' && {
        json: { level: label.level, facts: logs.factsOf(output, worker, logging) },
      }),
    }))
    return logs.write(output, worker, logging)
  }

  /** The raylet has something to say to a job. */
  warn(jobId: string, text: string): void {
    this.#ports.logs.note(text)
    const { encoding } = this.#ports.loggingOf(jobId)
    this.#tell(jobId, () => ({
      stream: 'stderr',
      name: 'raylet',
      pid: process.pid,
      lines: [text],
      ...(encoding === 'JSON' && { json: { level: 'WARNING', facts: { jobId, name: 'raylet' } } }),
    }))
  }

  #tell(jobId: string, said: () => Said): void {
    if (!this.#ports.loggingOf(jobId).toDriver) return
    const driver = this.#ports.driverOf(jobId)
    if (driver === undefined) return
    driver.send({ kind: 'output', ...said() })
    if (driver.bufferedBytes > outputBytesMax) this.#ports.pause(jobId)
  }
}
