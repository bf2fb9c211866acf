// Joining a node: hello and welcome.

import { readSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { readU32 } from '../base/bytes.js'
import { LocalRayletDiedError } from '../base/errors.js'
import { nodeStartMs } from '../base/limits.js'
import { connectUnix, pollReadable } from '../store/index.js'
import { parseHostPort } from '../wire/address.js'
import { packMessage, unpackMessage } from '../wire/control-channel.js'
import { controlFrame } from '../wire/frame.js'
import type { FromRaylet, ToRaylet, Welcome } from '../wire/messages/raylet.js'
import { configureTransport } from '../wire/transport.js'
import type { JoinOptions } from './core-worker.js'
import { errorFromWire } from './store-access.js'

export function helloOf(options: JoinOptions): Extract<ToRaylet, { kind: 'hello' }> {
  return {
    kind: 'hello',
    token: options.token,
    role: options.role,
    process: options.process,
    pid: process.pid,
    address: options.address,
    ...(options.environment && { environment: options.environment }),
    ...(options.namespace !== undefined && { namespace: options.namespace }),
    ...(options.start !== undefined && { start: options.start }),
  }
}

/** Says hello over a blocking socket and hands that socket over to the event loop. */
export function helloSync(options: JoinOptions): {
  socket: Socket
  welcome: Welcome
  rest: Uint8Array
} {
  const fd = connectUnix(options.rayletAddress)
  writeSync(fd, controlFrame(packMessage(helloOf(options))))
  let bytes = Buffer.alloc(0)
  const chunk = Buffer.alloc(64 * 1024)
  while (bytes.length < 4 || bytes.length < 4 + readU32(bytes, 0)) {
    if (!pollReadable(fd, nodeStartMs, options.now))
      throw new LocalRayletDiedError('The raylet does not answer.')
    const count = readSync(fd, chunk, 0, chunk.length, null)
    if (count === 0) throw new LocalRayletDiedError('The raylet of this node does not answer.')
    bytes = Buffer.concat([bytes, chunk.subarray(0, count)])
  }
  const end = 4 + readU32(bytes, 0)
  const message = unpackMessage(bytes.subarray(5, end)) as FromRaylet
  if (message.kind === 'refused') throw errorFromWire(message.error)
  if (message.kind !== 'welcome')
    throw new LocalRayletDiedError(`Expected welcome, got ${message.kind}.`)
  return {
    socket: new Socket({ fd, readable: true, writable: true }),
    welcome: message,
    rest: bytes.subarray(end),
  }
}

/** A driver reaches other machines as its node does. Workers are told when they start. */
export function adoptTransport({ tls, tunnel }: Welcome, token: string): void {
  const head = tunnel === undefined ? undefined : parseHostPort(tunnel)
  configureTransport({
    ...(tls !== undefined && { tls }),
    ...(head !== undefined && { tunnel: { head, token } }),
  })
}
