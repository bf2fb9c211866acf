// Where a process listens.
//
// Inside a node that is an abstract Unix socket, written with the NUL that it begins with. From
// other machines it is `host:port`. A worker of a cluster that can have several nodes listens on
// both, and its address names both, one after the other with a space between.

import { connect, type Socket } from 'node:net'
import { SessionError } from '../base/errors.js'
import { nodeNumberOf, type ProcessId } from '../base/ids.js'
import { dial, type ReadInto } from './transport.js'

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** `host:port`, with brackets around an IPv6 address. Undefined when it is something else. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host === undefined || port > 65535 ? undefined : { host, port }
}

export function hostPortText({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Connects to one address; the socket may be written to at once. */
export function connectTo(address: string, into?: ReadInto): Socket {
  if (address.startsWith('\0')) return connect(address)
  const target = parseHostPort(address)
  if (target === undefined)
    throw new SessionError(`${address} is no address: it must be host:port.`)
  return dial(target, into)
}

/** Both ways to reach a worker; `tcp` undefined when other machines cannot. */
export function workerAddress(local: string, tcp: string | undefined): string {
  return tcp === undefined ? local : `${local} ${tcp}`
}

/** The one of a worker's addresses by which `from` reaches it. */
export function addressFrom(from: ProcessId, worker: ProcessId, address: string): string {
  const [local = '', tcp] = address.split(' ')
  if (nodeNumberOf(from) === nodeNumberOf(worker)) return local
  if (tcp !== undefined) return tcp
  throw new SessionError('A worker of another node listens on its own machine only.')
}
