// A process of a node as the raylet sees it, for tests: a socket that says and hears control
// messages.

import { connect, type Socket } from 'node:net'
import { Packr } from 'msgpackr'
import { newProcessId, type ProcessId } from '../../src/base/ids.js'
import { controlFrame, FrameReader } from '../../src/wire/frame.js'
import type { FromRaylet, ToRaylet } from '../../src/wire/messages/raylet.js'

const packr = new Packr({ useRecords: false, moreTypes: true, copyBuffers: true })
const waitMs = 40_000

export class RayletPeer {
  readonly process: ProcessId = newProcessId()
  readonly received: FromRaylet[] = []
  readonly closed: Promise<void>
  readonly socket: Socket
  #listeners = new Set<() => void>()

  constructor(address: string, onMessage?: (message: FromRaylet) => void) {
    this.socket = connect(address)
    const reader = new FrameReader((buffer, start, end) => {
      const message = packr.unpack(buffer.subarray(start + 1, end)) as FromRaylet
      this.received.push(message)
      onMessage?.(message)
      for (const listener of [...this.#listeners]) listener()
    })
    this.socket.on('data', (chunk: Uint8Array) => reader.push(chunk))
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
  }

  send(message: ToRaylet): void {
    this.socket.write(controlFrame(packr.pack(message)))
  }

  /** The first message, received already or yet to come, that matches. */
  async until<Kind extends FromRaylet['kind']>(
    kind: Kind,
    matches: (message: Extract<FromRaylet, { kind: Kind }>) => boolean = () => true,
  ): Promise<Extract<FromRaylet, { kind: Kind }>> {
    const deadline = AbortSignal.timeout(waitMs)
    for (;;) {
      for (const message of this.received) {
        if (message.kind !== kind) continue
        const candidate = message as Extract<FromRaylet, { kind: Kind }>
        if (matches(candidate)) return candidate
      }
      await new Promise<void>((resolve, reject) => {
        const done = (): void => {
          this.#listeners.delete(done)
          resolve()
        }
        this.#listeners.add(done)
        deadline.onabort = (): void =>
          reject(new Error(`no ${kind} came; ${JSON.stringify(this.received.slice(-5))}`))
      })
    }
  }
}
