// How a job logs: options of ray.init, and the variables that stand for them.

import {
  type JobLogging,
  type LogAttribute,
  logAttributes,
  loggingVariable,
  type LogLevel,
  logLevels,
  usualLogging,
  silencingVariable,
  type WorkerEnvironment,
} from '../worker/index.js'

/**
 * How what workers write is logged. Follows `ray.LoggingConfig`.
 *
 * @example
 * await ray.init({ loggingConfig: { encoding: 'JSON', logLevel: 'WARNING' } })
 */
export interface LoggingConfig {
  /** 'JSON': each line is an object with its time, level, task, worker and text. */
  readonly encoding?: 'TEXT' | 'JSON'
  /** Calls of `console` below it write nothing in workers; 'DEBUG' by default. */
  readonly logLevel?: LogLevel
  /** Facts that each JSON line has in addition. */
  readonly additionalAttributes?: readonly LogAttribute[]
}

/** The options of `ray.init` that say what becomes of what workers write. */
export interface LoggingOptions {
  /** Print what workers write; true by default. It is in the log files in any case. */
  readonly logToDriver?: boolean
  /** Fold lines that several workers write at about the same time into one; true by default. */
  readonly dedupLogs?: boolean
  /** How what workers write is logged; as text by default. */
  readonly loggingConfig?: LoggingConfig
  /** Do not tell on stderr of failures that nobody looked at; false by default. */
  readonly ignoreUnhandledErrors?: boolean
  /** Bytes at which a log file is rotated; 64 MiB by default. */
  readonly logRotateBytes?: number
  /** Rotated files that are kept of each log file; 5 by default. */
  readonly logRotateBackups?: number
}

export const loggingOptionNames: readonly (keyof LoggingOptions)[] = [
  'logToDriver',
  'dedupLogs',
  'loggingConfig',
  'ignoreUnhandledErrors',
  'logRotateBytes',
  'logRotateBackups',
]

type Rotation = Pick<LoggingOptions, 'logRotateBytes' | 'logRotateBackups'>

export function rotationOf({ logRotateBytes, logRotateBackups }: LoggingOptions): Rotation {
  checkCount('logRotateBytes', logRotateBytes, 1)
  checkCount('logRotateBackups', logRotateBackups, 0)
  return {
    ...(logRotateBytes !== undefined && { logRotateBytes }),
    ...(logRotateBackups !== undefined && { logRotateBackups }),
  }
}

function checkCount(option: string, value: unknown, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least)) return
  throw new RangeError(
    `The option '${option}' of ray.init must be a whole number of ${least} or more, not ` +
      `${String(value)}.`,
  )
}

/** The environment of a job with its way of logging, when it is not the usual one. */
export function withLogging(base: WorkerEnvironment, options: LoggingOptions): WorkerEnvironment {
  const isSilent = options.ignoreUnhandledErrors === true
  const environment = isSilent ? { ...base, env: { ...base.env, [silencingVariable]: '1' } } : base
  const { encoding, logLevel, additionalAttributes } = loggingConfigOf(options.loggingConfig)
  const logging: JobLogging = {
    encoding: encoding ?? usualLogging.encoding,
    logLevel: logLevel ?? usualLogging.logLevel,
    additionalAttributes: additionalAttributes ?? usualLogging.additionalAttributes,
    toDriver: options.logToDriver !== false,
  }
  const text = JSON.stringify(logging)
  if (text === JSON.stringify(usualLogging)) return environment
  return { ...environment, env: { ...environment.env, [loggingVariable]: text }, logging }
}

function loggingConfigOf(given: unknown): LoggingConfig {
  if (given === undefined) return {}
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`The option 'loggingConfig' of ray.init must be an object.`)
  }
  const config = given as LoggingConfig
  for (const key of Object.keys(given)) {
    if (key === 'encoding' || key === 'logLevel' || key === 'additionalAttributes') continue
    throw new TypeError(
      `'${key}' is not an option of loggingConfig. Options are: additionalAttributes, encoding, ` +
        'logLevel.',
    )
  }
  oneOf('encoding', config.encoding, ['TEXT', 'JSON'])
  oneOf('logLevel', config.logLevel, logLevels)
  const { additionalAttributes } = config
  if (additionalAttributes !== undefined && !Array.isArray(additionalAttributes)) {
    throw new TypeError(`The option 'additionalAttributes' of loggingConfig must be an array.`)
  }
  for (const each of additionalAttributes ?? []) {
    oneOf('additionalAttributes', each, logAttributes)
  }
  return config
}

function oneOf(option: string, value: unknown, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value as string)) return
  throw new TypeError(
    `The option '${option}' of loggingConfig knows ${allowed.join(', ')}; not ${String(value)}.`,
  )
}

/** Whether lines are folded: the option, else TYPERAY_DEDUP_LOGS, which is '0' for no. */
export function isDeduplicating({ dedupLogs }: LoggingOptions): boolean {
  return dedupLogs ?? process.env['TYPERAY_DEDUP_LOGS'] !== '0'
}
