// Does anybody listen at the address of a node?
//
// When a process ends, whatever way, its kernel closes what it listened on, and refuses whoever
// comes next. A process that is only slow, or stopped, still gets connections from its kernel. So a
// refusal is the fastest certain news of a death; anything else says nothing.

import { connect } from 'node:net'
import type { Clock } from '../base/clock.js'
import { nodeProbeMs } from '../base/limits.js'
import type { HostPort } from '../wire/address.js'

/** Resolves with whether the connection was refused. Never rejects. */
export function isDeserted(target: HostPort, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(target)
    const end = (isRefused: boolean): void => {
      cancel()
      socket.destroy()
      resolve(isRefused)
    }
    const cancel = clock.timer(nodeProbeMs, () => end(false))
    socket.on('connect', () => end(false))
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED'))
  })
}
