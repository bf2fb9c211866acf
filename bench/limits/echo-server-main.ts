// The other side of the raw echo: answers every call with its number plus one, until the caller
// goes. With `tcp` it listens on loopback and says on which port.
import { createServer, Socket } from 'node:net'
import type { EchoCall } from './echo.js'
import { FramedSocket } from './framed-socket.js'

function serve(socket: Socket): void {
  socket.on('error', () => process.exit())
  socket.on('end', () => process.exit())
  const framed = new FramedSocket(socket, (message) => {
    const [id, , [number]] = message as EchoCall
    framed.send([id, number + 1])
  })
}

if (process.argv[2] === 'tcp') {
  const server = createServer({ noDelay: true }, serve)
  server.listen(0, '127.0.0.1', () => {
    const bound = server.address()
    process.stdout.write(`${typeof bound === 'object' ? (bound?.port ?? 0) : 0}\n`)
  })
} else serve(new Socket({ fd: 3 }))
