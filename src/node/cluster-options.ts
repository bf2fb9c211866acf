// How a node of `typeray start`, or a program on a machine without one, gets into its cluster.

import { createConnection, isIP } from 'node:net'
import path from 'node:path'
import { SessionError } from '../base/errors.js'
import { newId } from '../base/ids.js'
import { linkHelloMs } from '../base/limits.js'
import { storagePlace } from '../gcs/storage/open-storage.js'
import { hostPortText, parseHostPort } from '../wire/address.js'
import type { TlsFiles } from '../wire/transport.js'
import type { ClusterConfig } from './node-config.js'
import type { SessionFile } from './session-file.js'
import { isTokenNamed, requireToken, userToken } from './token.js'

/** That of Ray. */
const defaultPort = 6379

export interface ClusterOptions {
  /** `host:port` of the head to join. */
  readonly address?: string
  /** The address of this machine at which the others reach it. */
  readonly nodeIpAddress?: string
  readonly port?: number
  readonly tokenFile?: string
  /** Where the GCS of a head keeps its tables: `lmdb`, `redis://host:port/db`, or `memory`. */
  readonly storage?: string
}

/** A head that only this machine can reach needs no token of its user. */
export function headCluster(options: ClusterOptions): ClusterConfig {
  const host = options.nodeIpAddress ?? '127.0.0.1'
  const { port = defaultPort, tokenFile, storage } = options
  // What is wrong with it should be said here, and not by the third process from here.
  if (storage !== undefined) storagePlace(storage, '')
  const isAnyPort = options.port === undefined
  checkIp(host)
  const token = isLoopback(host)
    ? (userToken(tokenFile) ?? newId(32))
    : requireToken(`A cluster at ${host}, which other machines can reach,`, tokenFile)
  return { host, port, isAnyPort, token, ...(storage !== undefined && { storage }), ...tlsOf() }
}

/** `local` are the sessions of this machine, which may know the token. */
export async function joiningCluster(
  options: ClusterOptions & { readonly address: string },
  local: readonly SessionFile[],
): Promise<ClusterConfig> {
  const head = options.address
  if (options.storage !== undefined) {
    throw new SessionError('--storage belongs to the head of a cluster, beside --head.')
  }
  const host = options.nodeIpAddress ?? (await ownAddressTowards(head))
  checkIp(host)
  const token = tokenFor(head, local, options.tokenFile)
  return { head, host, port: options.port ?? 0, token, ...tlsOf() }
}

/** For a program on a machine that has no node: one that runs nothing, and ends with it. */
export function clientCluster(head: string, local: readonly SessionFile[]): ClusterConfig {
  const token = tokenFor(head, local, undefined)
  return { head, host: '127.0.0.1', port: 0, token, isClient: true, ...tlsOf() }
}

/** All three files, or none. */
function tlsOf(): { readonly tls?: TlsFiles } {
  const { TYPERAY_TLS_CERT: cert, TYPERAY_TLS_KEY: key, TYPERAY_TLS_CA: ca } = process.env
  const given = [cert, key, ca].filter((file) => file !== undefined && file !== '')
  if (given.length === 0) return {}
  if (cert !== undefined && key !== undefined && ca !== undefined && given.length === 3) {
    return { tls: { cert: path.resolve(cert), key: path.resolve(key), ca: path.resolve(ca) } }
  }
  throw new SessionError(
    'TLS needs all three of TYPERAY_TLS_CERT, TYPERAY_TLS_KEY and TYPERAY_TLS_CA, or none.',
  )
}

/**
 * One that is named counts, so that a wrong one is refused; one that just lies at home need not.
 */
function tokenFor(head: string, local: readonly SessionFile[], file: string | undefined): string {
  const neighbour = local.find((session) => session.headAddress === head)
  if (neighbour !== undefined && !isTokenNamed(file)) return neighbour.token
  return requireToken(`Joining the cluster at ${head}`, file)
}

/** Of several networks, the one from which the head can be reached. */
function ownAddressTowards(head: string): Promise<string> {
  const target = parseHostPort(head)
  if (target === undefined) {
    throw new SessionError(`${head} is not the address of a head: it must be host:port.`)
  }
  return new Promise((resolve, reject) => {
    const socket = createConnection(target)
    const fail = (why: string): void => {
      socket.destroy()
      const text = hostPortText(target)
      reject(
        new SessionError(
          `The head at ${text} cannot be reached: ${why}. Does 'typeray start --head' run there, ` +
            'with --node-ip-address, and may this machine reach that port?',
        ),
      )
    }
    socket.setTimeout(linkHelloMs, () => fail('it does not answer'))
    socket.on('error', (error) => fail(error.message))
    socket.on('connect', () => {
      resolve(socket.localAddress ?? '127.0.0.1')
      socket.destroy()
    })
  })
}

function checkIp(host: string): void {
  if (isIP(host) !== 0) return
  throw new SessionError(`The address of a node must be an IP address of its machine, not ${host}.`)
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1'
}
