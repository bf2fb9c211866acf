// The raw echo: calls to another process over a Unix socket, or over TCP, with an id map and one
// promise per call. It is what an ordinary, careful RPC in Node reaches: a yardstick, not a limit.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
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

  private constructor(socket: Socket, stop: () => Promise<unknown>) {
    this.#stop = stop
    this.#framed = new FramedSocket(socket, (message) => {
      const [id, value] = message as EchoReply
      const resolve = this.#pending.get(id)
      this.#pending.delete(id)
      resolve?.(value)
    })
  }

  static local(): EchoClient {
    // A pipe beside stdin, stdout and stderr is a Unix socket pair: no name to clean up.
    const server = spawn(process.execPath, [serverMain], { stdio: ['ignore', 2, 2, 'pipe'] })
    const socket = server.stdio[3] as Socket
    const exited = once(server, 'exit')
    return new EchoClient(socket, () => {
      socket.end()
      return exited
    })
  }

  static async tcp(): Promise<EchoClient> {
    const server = spawn(process.execPath, [serverMain, 'tcp'], { stdio: ['ignore', 'pipe', 2] })
    const exited = once(server, 'exit')
    const stdout = server.stdout as NodeJS.ReadableStream
    const [line] = (await once(stdout, 'data')) as [Buffer]
    const socket = connect({ host: '127.0.0.1', port: Number(line.toString()), noDelay: true })
    return new EchoClient(socket, () => {
      socket.end()
      return exited
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

const openSync =
  (open: () => EchoClient | Promise<EchoClient>): OpenProbe =>
  async () => {
    const client = await open()
    await client.call(0)
    return {
      kind: 'rate',
      unitsPerStep: 1,
      step: () => client.call(1),
      close: () => client.close(),
    }
  }

const openPipelined: OpenProbe = async () => {
  const client = EchoClient.local()
  await client.call(0)
  return {
    kind: 'rate',
    unitsPerStep: batchSize,
    step: () => Promise.all(Array.from({ length: batchSize }, (_, i) => client.call(i))),
    close: () => client.close(),
  }
}

export const echoProbes: ProbeTable = {
  'raw echo sync': openSync(() => EchoClient.local()),
  'raw echo sync, TCP': openSync(() => EchoClient.tcp()),
  'raw echo pipelined': openPipelined,
}
