// Asks a session questions from outside: without a job, and without a worker being started for it.

import { connect } from 'node:net'
import { SessionError } from '../base/errors.js'
import { newProcessId } from '../base/ids.js'
import { ControlChannel } from '../wire/control-channel.js'
import type { FromRaylet, Query, ToRaylet } from '../wire/messages/raylet.js'
import { checkVersion } from './session-address.js'
import type { SessionFile } from './session-file.js'

export interface Observer {
  query(query: Query): Promise<unknown>
  close(): void
}

interface Waiter {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** Every answer comes within the time, or the question fails. */
export function observe(session: SessionFile, timeoutMs: number): Promise<Observer> {
  return new Promise((resolve, reject) => {
    checkVersion(session)
    const socket = connect(session.rayletAddress.replace('@', '\0'))
    const waiting = new Map<number, Waiter>()
    const fail = (what: string): void => {
      const error = new SessionError(`The session ${session.sessionName} ${what}.`)
      for (const waiter of waiting.values()) waiter.reject(error)
      waiting.clear()
      reject(error)
      socket.destroy()
    }
    socket.setTimeout(timeoutMs, () => fail(`has not answered within ${timeoutMs} ms`))
    socket.on('error', (error) => fail(`cannot be reached: ${error.message}`))
    socket.on('close', () => fail('has ended'))
    const channel = new ControlChannel<ToRaylet, FromRaylet>(socket, (message) => {
      if (message.kind === 'welcome') resolve(observer)
      else if (message.kind === 'answer') {
        const { request, error, value } = message
        const waiter = waiting.get(request)
        waiting.delete(request)
        if (error === undefined) waiter?.resolve(value)
        else waiter?.reject(new SessionError(error.message))
      }
    })
    let count = 0
    const observer: Observer = {
      query: (query) =>
        new Promise((answer, refuse) => {
          const request = ++count
          waiting.set(request, { resolve: answer, reject: refuse })
          channel.send({ kind: 'query', request, query })
        }),
      close: () => socket.end(),
    }
    channel.send({
      kind: 'hello',
      token: session.token,
      role: 'observer',
      process: newProcessId(session.nodeNumber),
      pid: process.pid,
      address: '',
    })
  })
}
