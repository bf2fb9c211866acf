// What workers print, in the driver's terminal: `(name pid=123) text`.

import { jsonLine, type LineFacts, type LogLevel } from '../worker/index.js'
import { LineDeduplicator, type ShownLine } from './line-deduplicator.js'

export interface Output {
  readonly stream: 'stdout' | 'stderr'
  readonly name: string
  readonly pid: number
  readonly lines: readonly string[]
  readonly json?: { readonly level: LogLevel; readonly facts: LineFacts }
}

export class OutputMonitor {
  readonly #now: () => number
  readonly #repeats: LineDeduplicator<Output> | null
  #timer: NodeJS.Timeout | null = null

  constructor(now: () => number, isDeduplicating: boolean) {
    this.#now = now
    this.#repeats = isDeduplicating ? new LineDeduplicator() : null
  }

  print(output: Output): void {
    if (this.#repeats === null) {
      write(
        output,
        output.lines.map((line) => ({ source: output, line })),
      )
      return
    }
    write(output, this.#repeats.add(output, output.lines, this.#now()))
    this.#wait()
  }

  /** Lines that are held back are shown in time, but keep no program alive. */
  #wait(): void {
    if (this.#timer !== null || this.#repeats === null) return
    const at = this.#repeats.deadline
    if (at === Infinity) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      writeEach(this.#repeats?.due(this.#now()) ?? [])
      this.#wait()
    }, at - this.#now())
    this.#timer.unref()
  }

  /** Shows what was held back; the session is over. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    writeEach(this.#repeats?.flush() ?? [])
  }
}

function writeEach(shown: readonly ShownLine<Output>[]): void {
  for (const each of shown) write(each.source, [each])
}

function write(source: Output, shown: readonly ShownLine<Output>[]): void {
  if (shown.length === 0) return
  const to = source.stream === 'stdout' ? process.stdout : process.stderr
  const format = source.json === undefined ? plain(source, to.isTTY) : asJson(source.json)
  to.write(shown.map(format).join(''))
}

type Format = (shown: ShownLine<Output>) => string

function plain({ name, pid }: Output, isTerminal: boolean): Format {
  const prefix = isTerminal ? `\u001b[36m(${name} pid=${pid})\u001b[0m` : `(${name} pid=${pid})`
  return ({ line, repeated }) => {
    const times = repeated === undefined ? '' : ` [repeated ${repeated}x across cluster]`
    return `${prefix} ${line}${times}\n`
  }
}

function asJson({ level, facts }: NonNullable<Output['json']>): Format {
  const time = new Date().toISOString()
  return ({ line, repeated }) => {
    const logged = { time, level, facts, message: line }
    return `${jsonLine(repeated === undefined ? logged : { ...logged, repeated })}\n`
  }
}
