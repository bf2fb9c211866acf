// The raw echo: calls to another process over a Unix socket with an id map and one promise per
// call. It is what an ordinary, careful RPC in Node reaches: a yardstick, not a limit.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { OpenProbe, ProbeTable } from '../probe.js'
import { FramedSocket } from './framed-socket.js'

export type EchoCall = readonly [
  id: number,
  method: string,
  args: readonly [number: number, options: object],
]
type EchoReply = readonly [id: number, value: number]

const serverMain = fileURLToPath(new URL('./echo-server-main.js', import.meta.url))
const batchSize = 1000

class EchoClient {
  readonly #framed: FramedSocket
  readonly #pending = new Map<number, (value: number) => void>()
  readonly #stop: () => Promise<unknown>
  #lastId = 0

  constructor() {
    // A pipe beside stdin, stdout and stderr is a Unix socket pair: no name to clean up.
    const server = spawn(process.execPath, [serverMain], { stdio: ['ignore', 2, 2, 'pipe'] })
    const socket = server.stdio[3] as Socket
    const exited = once(server, 'exit')
    this.#stop = () => {
      socket.end()
      return exited
    }
    this.#framed = new FramedSocket(socket, (message) => {
      const [id, value] = message as EchoReply
      const resolve = this.#pending.get(id)
      this.#pending.delete(id)
      resolve?.(value)
    })
  }

  call(number: number): Promise<number> {
    return new Promise((resolve) => {
      const id = ++this.#lastId
      this.#pending.set(id, resolve)
      this.#framed.send([id, 'inc', [number, { a: 1 }]] satisfies EchoCall)
    })
  }

  async close(): Promise<void> {
    await this.#stop()
  }
}

const openSync: OpenProbe = async () => {
  const client = new EchoClient()
  await client.call(0)
  return {
    kind: 'rate',
    unitsPerStep: 1,
    step: () => client.call(1),
    close: () => client.close(),
  }
}

const openPipelined: OpenProbe = async () => {
  const client = new EchoClient()
  await client.call(0)
  return {
    kind: 'rate',
    unitsPerStep: batchSize,
    step: () => Promise.all(Array.from({ length: batchSize }, (_, i) => client.call(i))),
    close: () => client.close(),
  }
}

export const echoProbes: ProbeTable = {
  'raw echo sync': openSync,
  'raw echo pipelined': openPipelined,
}
