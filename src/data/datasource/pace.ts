// Watches a server that answers: one that falls silent, or sends byte by byte for ever, is given
// up.
//
// A timer that every byte sets anew bounds silence and nothing else. Here it is set anew by so many
// bytes as a server must send in that time at least.

import { serverBytesPerSecondMin } from '../../base/limits.js'

export class Pace {
  readonly #timer: NodeJS.Timeout
  /** Bytes that set the timer anew. */
  readonly #enough: number
  /** Bytes since that was done last. */
  #bytes = 0

  /** Calls `stop` with the reason if the server takes too long, from now on. */
  constructor(silentMsMax: number, stop: (reason: Error) => void) {
    this.#enough = Math.max(1, (serverBytesPerSecondMin * silentMsMax) / 1000)
    this.#timer = setTimeout(() => {
      const sent = this.#bytes === 0 ? 'nothing for' : `only ${this.#bytes} bytes in`
      stop(new Error(`it sent ${sent} ${silentMsMax} ms`))
    }, silentMsMax)
  }

  /** The bytes of a body, once all are there. */
  async collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
    this.#timer.refresh()
    const parts: Uint8Array[] = []
    for await (const part of body) {
      parts.push(part)
      this.#bytes += part.length
      if (this.#bytes < this.#enough) continue
      this.#bytes = 0
      this.#timer.refresh()
    }
    return Buffer.concat(parts)
  }

  /** The server has nothing more to send. */
  end(): void {
    clearTimeout(this.#timer)
  }
}
