// How this process reaches other machines, and how they reach it.
//
// A process belongs to one cluster, so this is said once, before the first connection: whether
// connections are encrypted (mutual TLS: both sides show a certificate of the cluster's authority),
// and whether they all go through the one port of the head, for a machine that reaches nothing
// else. Names in certificates are not compared with addresses: whoever has a certificate of the
// cluster's authority and its token belongs to it, on whichever machine.

import { readFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { SessionError } from '../base/errors.js'
import { newId } from '../base/ids.js'
import { packageVersion, wireVersion } from '../base/version.js'
import type { HostPort } from './address.js'
import { packMessage } from './control-channel.js'
import { controlFrame } from './frame.js'
import type { LinkHello } from './link/link-hello.js'

/** Files in PEM form. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

export interface Tunnel {
  readonly head: HostPort
  readonly token: string
}

export interface TransportConfig {
  readonly tls?: TlsFiles
  readonly tunnel?: Tunnel
}

interface TlsContents {
  readonly cert: Buffer
  readonly key: Buffer
  readonly ca: Buffer
}

/** Idle connections of a machine that vanished are noticed by the kernel after about this long. */
const keepAliveMs = 10_000

let tls: TlsContents | undefined
let tunnel: Tunnel | undefined

/** @throws SessionError when a file cannot be read. */
export function configureTransport(config: TransportConfig): void {
  tls = config.tls === undefined ? undefined : read(config.tls)
  tunnel = config.tunnel
}

function read(files: TlsFiles): TlsContents {
  const contents = (what: keyof TlsFiles): Buffer => {
    try {
      return readFileSync(files[what])
    } catch (cause) {
      throw new SessionError(
        `The ${what} file of TLS cannot be read: ${String(cause)}. Name it in TYPERAY_TLS_CERT, ` +
          'TYPERAY_TLS_KEY and TYPERAY_TLS_CA.',
        { cause },
      )
    }
  }
  return { cert: contents('cert'), key: contents('key'), ca: contents('ca') }
}

/**
 * Where the bytes of a socket go that is not encrypted; without it, and with encryption, the socket
 * makes buffers of its own and emits them.
 */
export interface ReadInto {
  readonly buffer: () => Uint8Array
  readonly callback: (byteCount: number) => boolean
}

/** Connects to another machine; the socket may be written to at once. */
export function dial(target: HostPort, into?: ReadInto): Socket {
  if (tunnel === undefined || isSame(tunnel.head, target)) return dialDirectly(target, into)
  const socket = dialDirectly(tunnel.head, into)
  const hello: LinkHello = {
    kind: 'linkHello',
    token: tunnel.token,
    version: packageVersion,
    wireVersion,
    role: 'tunnel',
    nodeId: '',
    nodeNumber: 0,
    link: newId(),
    received: 0,
    target: `${target.host} ${target.port}`,
  }
  socket.write(controlFrame(packMessage(hello)))
  return socket
}

function isSame(a: HostPort, b: HostPort): boolean {
  return a.host === b.host && a.port === b.port
}

function dialDirectly(target: HostPort, into?: ReadInto): Socket {
  // The module takes some milliseconds to load.
  const socket =
    tls === undefined
      ? connect({ ...target, noDelay: true, ...(into && { onread: into }) })
      : process.getBuiltinModule('node:tls').connect({
          ...target,
          ...tls,
          rejectUnauthorized: true,
          checkServerIdentity: () => undefined,
        })
  if (tls !== undefined) socket.setNoDelay(true)
  socket.setKeepAlive(true, keepAliveMs)
  return socket
}

/** A server for connections from other machines. Whoever has no certificate never gets here. */
export function serve(accept: (socket: Socket) => void): Server {
  if (tls === undefined) return createServer({ noDelay: true }, accept)
  const options = { ...tls, requestCert: true, rejectUnauthorized: true }
  return process.getBuiltinModule('node:tls').createServer(options, (socket) => {
    socket.setNoDelay(true)
    accept(socket)
  })
}
