// Marks what this worker writes with the task that writes it (see wire/output-mark), and leaves out
// what is below the level that the job logs at.
//
// Streams are made by Node when they are first asked for, and that stays so: the getter is replaced
// by one that patches what it gives. Only a write looks which task runs.

import { type JobLogging, type LogLevel, logLevels, usualLogging } from '../wire/logging.js'
import { noLabel, outputMark } from '../wire/output-mark.js'
import { currentTask, type TaskContext } from './task-context.js'

type StreamName = 'stdout' | 'stderr'
type Write = (this: unknown, chunk: unknown, ...rest: unknown[]) => boolean

/** The level of the console call under way; INFO outside of one. */
let level: LogLevel = 'INFO'

class MarkedStream {
  readonly #write: (chunk: unknown, ...rest: unknown[]) => boolean
  /**
   * Whose mark was the last. Null: nobody's, the lease's name is used. Weak, because a context has
   * the tasks that were submitted in it, and a worker may print nothing for long.
   */
  #task: WeakRef<TaskContext> | null = null
  #level: LogLevel = 'INFO'
  #isMidLine = false

  constructor(stream: NodeJS.WriteStream) {
    const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean
    this.#write = write
    const patched: Write = (chunk, ...rest) => {
      const mark = this.#markFor(currentTask())
      this.#note(chunk)
      if (mark === '') return write(chunk, ...rest)
      const isText = typeof chunk === 'string' && typeof rest[0] !== 'string'
      if (isText) return write(mark + chunk, ...rest)
      write(mark)
      return write(chunk, ...rest)
    }
    stream.write = patched as typeof stream.write
  }

  #markFor(task: TaskContext | null): string {
    const isSame = task === null ? this.#task === null : this.#task?.deref() === task
    if (isSame && level === this.#level) return ''
    this.#task = task === null ? null : new WeakRef(task)
    this.#level = level
    const label =
      task === null
        ? { ...noLabel, level }
        : { taskId: task.taskId, name: task.functionName, actorId: task.actorId ?? '', level }
    const end = this.#isMidLine ? '\n' : ''
    this.#isMidLine = false
    return end + outputMark(label)
  }

  #note(chunk: unknown): void {
    if (typeof chunk === 'string') this.#isMidLine = chunk !== '' && !chunk.endsWith('\n')
    else if (chunk instanceof Uint8Array) this.#isMidLine = chunk.at(-1) !== 0x0a
  }

  /** What native code writes from now on is no longer the last task's. */
  reset(): void {
    if (this.#task === null) return
    const mark = this.#markFor(null)
    if (mark !== '') this.#write(mark)
  }
}

const streams: MarkedStream[] = []

/** Marks what is written to the streams of this process from now on. */
export function installOutputLabels(logging: JobLogging = usualLogging): void {
  for (const name of ['stdout', 'stderr'] as const) markStream(name)
  if (logging.encoding === 'JSON' || logging.logLevel !== usualLogging.logLevel) {
    levelConsole(logging.logLevel)
  }
}

function markStream(name: StreamName): void {
  const { get } = Object.getOwnPropertyDescriptor(process, name) ?? {}
  if (get === undefined) return
  let made: NodeJS.WriteStream | null = null
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get: () => {
      if (made === null) {
        made = get.call(process) as NodeJS.WriteStream
        streams.push(new MarkedStream(made))
      }
      return made
    },
  })
}

const consoleLevels = {
  debug: 'DEBUG',
  trace: 'ERROR',
  log: 'INFO',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
} as const satisfies Partial<Record<keyof Console, LogLevel>>

function levelConsole(lowest: LogLevel): void {
  const least = logLevels.indexOf(lowest)
  for (const [name, own] of Object.entries(consoleLevels)) {
    const key = name as keyof typeof consoleLevels
    const original = console[key].bind(console) as (...args: unknown[]) => void
    const isWanted = logLevels.indexOf(own) >= least
    console[key] = (...args: unknown[]): void => {
      if (!isWanted) return
      const before = level
      level = own
      try {
        original(...args)
      } finally {
        level = before
      }
    }
  }
}

/** The worker has another lease: what it writes outside of tasks has another name. */
export function resetOutputLabels(): void {
  for (const stream of streams) stream.reset()
}
