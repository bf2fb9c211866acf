// Whether somebody listens at an address, however busy they are.

import { connect } from 'node:net'
import { probeMs } from '../base/limits.js'
import { parseHostPort } from '../wire/address.js'

/**
 * Connects, says nothing and leaves. The kernel accepts for a process that gets no time of the CPU,
 * and refuses for one that is dead.
 */
export function isListening(address: string): Promise<boolean> {
  const target = parseHostPort(address)
  if (target === undefined) return Promise.resolve(false)
  return new Promise((resolve) => {
    const socket = connect(target)
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
    // An answer that has come while this process had no time is read first.
    socket.setTimeout(probeMs, () => setImmediate(() => end(false)))
  })
}
