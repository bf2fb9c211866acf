// Counts workers that end before they are ready: a program whose workers cannot even start must not
// try for ever.

import { workerStartFailuresMax, workerStartKillsMax } from '../base/limits.js'
import type { ProcessExit, WireError } from '../wire/messages/terms.js'

export class StartFailures {
  /** Failures in a row, by kind of worker. Cleared when one starts. */
  readonly #counts = new Map<string, number>()

  started(kindKey: string): void {
    this.#counts.delete(kindKey)
  }

  /** Returns what to say to those who wait for such a worker, once there were too many failures. */
  failed(kindKey: string, exit: ProcessExit): WireError | undefined {
    const failures = (this.#counts.get(kindKey) ?? 0) + 1
    this.#counts.set(kindKey, failures)
    // Somebody who kills processes is no sign of a broken environment, unless it goes on and on.
    const most = exit.signal === 'SIGKILL' ? workerStartKillsMax : workerStartFailuresMax
    if (failures < most) return undefined
    this.#counts.delete(kindKey)
    const how = exit.signal ?? `exit code ${exit.exitCode}`
    return {
      code: 'RAY_RUNTIME_ENV_SETUP',
      message:
        `${failures} worker processes in a row ended before they were ready (${how}). ` +
        `The last one wrote:\n${exit.stderr.join('\n') || '(nothing)'}`,
      fields: { exitCode: exit.exitCode, signal: exit.signal },
    }
  }
}
