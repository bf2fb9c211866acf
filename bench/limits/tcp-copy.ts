// A raw copy over TCP on loopback from one process into shared memory of another, in which all
// pages exist: what an object that goes from node to node cannot be faster than.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { OpenProbe, ProbeTable } from '../probe.js'

const receiverMain = fileURLToPath(new URL('./tcp-copy-main.js', import.meta.url))
const length = 1024 ** 3
const chunkBytes = 4 * 1024 * 1024

const open: OpenProbe = async () => {
  const server = createServer({ noDelay: true })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const args = [receiverMain, String(port), String(length)]
  const receiver = spawn(process.execPath, args, { stdio: ['ignore', 2, 2] })
  const exited = once(receiver, 'exit')
  const [socket] = await accepted
  const chunk = new Uint8Array(chunkBytes).fill(7)
  const copy = async (): Promise<number> => {
    const startedMs = performance.now()
    const done = once(socket, 'data')
    for (let sent = 0; sent < length; sent += chunkBytes) {
      if (!socket.write(chunk)) await once(socket, 'drain')
    }
    // The receiver says one byte when it has them all.
    await done
    return length / 1e6 / (performance.now() - startedMs)
  }
  await copy()
  return {
    kind: 'sample',
    sample: copy,
    close: async () => {
      socket.end()
      await exited
      server.close()
    },
  }
}

export const tcpCopyProbes: ProbeTable = { 'TCP into shared memory 1 GiB': open }
