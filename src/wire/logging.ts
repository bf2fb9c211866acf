// How what workers write is logged: chosen by a driver for its job, known to the raylet, which
// writes the files, and to the workers.

/** In order: a job that logs at one level leaves out those before it. */
export const logLevels = ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const

export type LogLevel = (typeof logLevels)[number]

/** Facts that a line in JSON can be given beside those that each of them has. */
export const logAttributes = ['pid', 'nodeId', 'sessionName', 'hostname'] as const

export type LogAttribute = (typeof logAttributes)[number]

export interface JobLogging {
  readonly encoding: 'TEXT' | 'JSON'
  /** Console calls below it write nothing. */
  readonly logLevel: LogLevel
  readonly additionalAttributes: readonly LogAttribute[]
  /** The driver prints what its workers write. */
  readonly toDriver: boolean
}

export const usualLogging: JobLogging = {
  encoding: 'TEXT',
  logLevel: 'DEBUG',
  additionalAttributes: [],
  toDriver: true,
}

/** The variable in the environment of a worker that holds its job's, when it is not the usual. */
export const loggingVariable = 'TYPERAY_LOGGING'

/** What a line in JSON says beside its time, its level and its text. */
export type LineFacts = Readonly<Record<string, string | number>>

export interface LoggedLine {
  readonly time: string
  readonly level: LogLevel
  readonly facts: LineFacts
  readonly message: string
  /** How many lines like it this one stands for. */
  readonly repeated?: number
}

export function jsonLine({ time, level, facts, message, repeated }: LoggedLine): string {
  return JSON.stringify({
    time,
    level,
    ...facts,
    message,
    ...(repeated !== undefined && { repeated }),
  })
}
