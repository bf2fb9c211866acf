// Reads what a process said before it died.
//
// A write to a socket whose other end is gone fails, and Node then destroys the socket, together with everything that has
// arrived on it and was not read yet: the results of a worker that died a moment ago, for example. So destruction by a
// failed write waits for one more turn of the event loop, in which libuv reads whatever there is.

import type { Socket } from 'node:net'

export function hearLastWords(socket: Socket): void {
  const destroy = socket.destroy.bind(socket)
  let isDying = false
  socket.destroy = (error?: Error): Socket => {
    const isWriteError = error !== undefined && 'syscall' in error && error.syscall === 'write'
    if (!isWriteError) return destroy(error)
    if (isDying) return socket
    isDying = true
    // The first runs before the next poll for events, the second after it.
    setImmediate(() => setImmediate(() => destroy(error)))
    return socket
  }
}
