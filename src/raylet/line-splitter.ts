// Cuts what a process writes into lines.

import { StringDecoder } from 'node:string_decoder'
import { outputLineCharsMax } from '../base/limits.js'

export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''

  /** Complete lines, without their ends. A line that is too long comes in pieces. */
  push(chunk: Buffer): string[] {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = lines.pop() ?? ''
    while (this.#rest.length > outputLineCharsMax) {
      lines.push(this.#rest.slice(0, outputLineCharsMax))
      this.#rest = this.#rest.slice(outputLineCharsMax)
    }
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  }

  /** The last line, when it had no end. */
  end(): string[] {
    const rest = this.#rest + this.#decoder.end()
    this.#rest = ''
    return rest === '' ? [] : [rest]
  }
}
