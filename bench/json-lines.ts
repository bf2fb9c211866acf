// One JSON value per line over a socket: how the bench and its probes talk, in Node as in Python.
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'

export class JsonLines {
  readonly #socket: Socket

  constructor(socket: Socket, onValue: (value: unknown) => void) {
    this.#socket = socket
    // Without a listener, a write to a process that just died would end this one too.
    socket.on('error', () => socket.destroy())
    const lines = createInterface({ input: socket, crlfDelay: Infinity })
    lines.on('line', (line) => onValue(JSON.parse(line)))
  }

  send(value: unknown): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(value)}\n`)
  }

  end(): void {
    this.#socket.end()
  }
}
