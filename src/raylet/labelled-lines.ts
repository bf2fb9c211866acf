// What a worker writes, as lines of the tasks that wrote them.

import { markCode, noLabel, type OutputLabel, readMark } from '../wire/output-mark.js'
import { LineSplitter } from './line-splitter.js'

const lineEnd = 0x0a

export class LabelledLines {
  readonly #splitter = new LineSplitter()
  readonly #emit: (lines: readonly string[], label: OutputLabel) => void
  #label = noLabel
  /** What is left of the last chunk may be the beginning of a mark. */
  #mayBeMarked = false

  constructor(emit: (lines: readonly string[], label: OutputLabel) => void) {
    this.#emit = emit
  }

  push(chunk: Buffer): void {
    const lines = this.#splitter.push(chunk)
    const last = chunk.lastIndexOf(markCode)
    // A search per chunk instead of one per line.
    const isMarked = this.#mayBeMarked || last >= 0
    if (last >= 0) this.#mayBeMarked = last > chunk.lastIndexOf(lineEnd)
    else if (lines.length > 0) this.#mayBeMarked = false
    this.#pass(lines, isMarked)
  }

  end(): void {
    this.#pass(this.#splitter.end(), true)
  }

  #pass(lines: readonly string[], isMarked: boolean): void {
    if (!isMarked) {
      if (lines.length > 0) this.#emit(lines, this.#label)
      return
    }
    let run: string[] = []
    for (const line of lines) {
      const mark = readMark(line)
      if (mark === undefined) {
        run.push(line)
        continue
      }
      if (mark.before !== '') run.push(mark.before)
      if (run.length > 0) this.#emit(run, this.#label)
      run = []
      this.#label = mark.label
    }
    if (run.length > 0) this.#emit(run, this.#label)
  }
}
