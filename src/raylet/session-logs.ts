// The log files of a session: two for each worker that writes something, and the raylet's own.
//
// `worker-<worker id>-<pid>.out` and `.err` hold the lines as they were written, and before the
// first line of each task `:task:<task id>:<name>`; or, if the job says so, one JSON object per
// line. A file is opened when there is something to put into it.

import { renameSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type ProcessId, workerIdHex } from '../base/ids.js'
import { jsonLine, type JobLogging, type LineFacts } from '../wire/logging.js'
import type { OutputLabel } from '../wire/output-mark.js'
import { LogFile } from './log-file.js'

export interface LogsOptions {
  readonly nodeId: string
  readonly sessionName: string
  /** '' for none: nothing is written then. */
  readonly sessionDir: string
  readonly rotateBytes: number
  readonly backups: number
}

export interface LabelledOutput {
  readonly start: string
  readonly pid: number
  readonly stream: 'stdout' | 'stderr'
  readonly lines: readonly string[]
  readonly label: OutputLabel
}

/** Whose output it is, as far as the label does not say. */
export interface OutputOrigin {
  readonly jobId: string
  /** Of the lease or actor. */
  readonly name: string
  /** Undefined until the worker has said hello. */
  readonly process: ProcessId | undefined
}

interface WorkerLog {
  readonly file: LogFile
  readonly path: string
  lastTask: string
}

const unknownId = '0'.repeat(12)

export class SessionLogs {
  readonly #options: LogsOptions
  readonly #folder: string
  /** By start and stream. */
  readonly #workers = new Map<string, WorkerLog>()
  readonly #raylet: LogFile
  #closing: Promise<void>[] = []
  #lostLines = 0

  constructor(options: LogsOptions) {
    this.#options = options
    this.#folder = options.sessionDir === '' ? '' : path.join(options.sessionDir, 'logs')
    this.#raylet = this.#open(path.join(this.#folder, 'raylet.log'))
  }

  #open(file: string): LogFile {
    const { rotateBytes, backups } = this.#options
    return new LogFile(file, { rotateBytes, backups, lost: (lines, why) => this.#lost(lines, why) })
  }

  // The terminal is where it is seen; once is enough, as every file says how much it lacks.
  #lost(lines: number, why: Error): void {
    if (this.#lostLines === 0) {
      process.stderr.write(
        `typeray: log files in ${this.#folder} cannot be written (${why.message}). ` +
          'The session goes on, and lines that are lost are counted.\n',
      )
    }
    this.#lostLines += lines
  }

  /** An event in the life of the node, for its own log. */
  note(text: string): void {
    if (this.#folder === '') return
    this.#raylet.write([`${new Date().toISOString()} ${text}`])
  }

  /**
   * Writes lines of a worker. When it returns a function there is enough for now: it takes what is
   * to be called when there is room again.
   */
  write(
    output: LabelledOutput,
    origin: OutputOrigin,
    logging: JobLogging,
  ): ((call: () => void) => void) | undefined {
    if (this.#folder === '') return undefined
    const log = this.#logOf(output, origin)
    const lines =
      logging.encoding === 'JSON'
        ? this.#records(output, origin, logging)
        : headed(log, output.label, output.lines)
    return log.file.write(lines) ? undefined : (call) => log.file.whenDrained(call)
  }

  #records(output: LabelledOutput, origin: OutputOrigin, logging: JobLogging): string[] {
    const facts = this.factsOf(output, origin, logging)
    const time = new Date().toISOString()
    const { level } = output.label
    return output.lines.map((message) => jsonLine({ time, level, facts, message }))
  }

  /** What each of the lines says of itself in JSON. */
  factsOf(output: LabelledOutput, origin: OutputOrigin, logging: JobLogging): LineFacts {
    const { label, stream, pid } = output
    const { nodeId, sessionName } = this.#options
    const more = { pid, nodeId, sessionName, hostname: os.hostname() }
    return {
      jobId: origin.jobId,
      workerId: workerIdOf(origin.process),
      taskId: label.taskId,
      actorId: label.actorId,
      name: nameOf(label, origin),
      stream,
      ...Object.fromEntries(logging.additionalAttributes.map((name) => [name, more[name]])),
    }
  }

  #logOf({ start, pid, stream }: LabelledOutput, { process: id }: OutputOrigin): WorkerLog {
    const key = `${start} ${stream}`
    let log = this.#workers.get(key)
    if (log === undefined) {
      const file = this.#pathOf(id, pid, stream)
      log = { file: this.#open(file), path: file, lastTask: '' }
      this.#workers.set(key, log)
    }
    return log
  }

  #pathOf(id: ProcessId | undefined, pid: number, stream: 'stdout' | 'stderr'): string {
    const end = stream === 'stdout' ? 'out' : 'err'
    return path.join(this.#folder, `worker-${workerIdOf(id)}-${pid}.${end}`)
  }

  /** What a worker wrote before it had an id gets the name that it should have. */
  joined(start: string, id: ProcessId, pid: number): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const log = this.#workers.get(`${start} ${stream}`)
      if (log === undefined) continue
      const file = this.#pathOf(id, pid, stream)
      try {
        renameSync(log.path, file)
      } catch {
        // It is not there yet, and will be made under its new name.
      }
      log.file.movedTo(file)
    }
  }

  /** The worker has ended, and all that it wrote was read. */
  ended(start: string): void {
    for (const stream of ['stdout', 'stderr']) {
      const key = `${start} ${stream}`
      const log = this.#workers.get(key)
      if (log === undefined) continue
      this.#workers.delete(key)
      const closing = log.file.close()
      this.#closing.push(closing)
      void closing.then(() => {
        this.#closing = this.#closing.filter((each) => each !== closing)
      })
    }
  }

  async close(): Promise<void> {
    for (const { file } of this.#workers.values()) this.#closing.push(file.close())
    this.#workers.clear()
    await Promise.all([...this.#closing, this.#raylet.close()])
    if (this.#lostLines === 0) return
    process.stderr.write(`typeray: ${this.#lostLines} lines are missing in ${this.#folder}.\n`)
  }
}

/** An actor is known by its class, whichever of its methods runs; a task by its function. */
export function nameOf({ name, actorId }: OutputLabel, origin: OutputOrigin): string {
  return name === '' || (actorId !== '' && origin.name !== '') ? origin.name : name
}

export function workerIdOf(id: ProcessId | undefined): string {
  return id === undefined ? unknownId : workerIdHex(id)
}

function headed(log: WorkerLog, label: OutputLabel, lines: readonly string[]): readonly string[] {
  if (label.taskId === log.lastTask) return lines
  log.lastTask = label.taskId
  return [`:task:${label.taskId}:${label.name}`, ...lines]
}
