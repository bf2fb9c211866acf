// The other side of the raw echo: answers every call with its number plus one, until the caller
// goes.
import { Socket } from 'node:net'
import type { EchoCall } from './echo.js'
import { FramedSocket } from './framed-socket.js'

const socket = new Socket({ fd: 3 })
socket.on('error', () => process.exit())
const framed = new FramedSocket(socket, (message) => {
  const [id, , [number]] = message as EchoCall
  framed.send([id, number + 1])
})
