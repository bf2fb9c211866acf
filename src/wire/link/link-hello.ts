// The first frame of a connection between nodes, in both directions.

import { SessionError } from '../../base/errors.js'
import { isSameSecret } from '../../base/secret.js'
import { isCompatible, packageVersion, wireVersion } from '../../base/version.js'
import { unpackMessage } from '../control-channel.js'
import type { WireError } from '../messages/terms.js'

/** Who comes: a raylet to another raylet, or a raylet to the GCS. */
export type LinkRole = 'peer' | 'gcs' | 'bulk' | 'tunnel'

export interface LinkHello {
  readonly kind: 'linkHello'
  readonly token: string
  readonly version: string
  readonly wireVersion: number
  readonly role: LinkRole
  readonly nodeId: string
  /** 0 while the node has none. */
  readonly nodeNumber: number
  /** Names the link over all its connections. */
  readonly link: string
  /** Messages of the other side that have arrived over all connections. */
  readonly received: number
  /** Where a tunnel leads. */
  readonly target?: string
}

export type LinkAnswer =
  | {
      readonly kind: 'linkWelcome'
      readonly received: number
      /** The other side has never heard of the link: it began anew. */
      readonly isNew: boolean
    }
  | { readonly kind: 'linkRefused'; readonly error: WireError }

/** Undefined when it is none. Whoever is not one of ours may send anything at all. */
export function readLinkHello(payload: Uint8Array): LinkHello | undefined {
  try {
    const hello = unpackMessage(payload) as Partial<LinkHello> | null
    const isHello =
      hello?.kind === 'linkHello' &&
      typeof hello.token === 'string' &&
      typeof hello.nodeId === 'string' &&
      typeof hello.link === 'string' &&
      Number.isSafeInteger(hello.received) &&
      Number.isSafeInteger(hello.nodeNumber)
    return isHello ? (hello as LinkHello) : undefined
  } catch {
    return undefined
  }
}

/** Why whoever says this may not come in; undefined when it may. */
export function helloProblem(hello: LinkHello, token: string): WireError | undefined {
  if (!isSameSecret(hello.token, token)) {
    const message =
      'The token is not that of the cluster. Give the one that its head was started with ' +
      '(--token-file, or TYPERAY_TOKEN).'
    return { code: new SessionError('').code, message }
  }
  const theirs = { version: String(hello.version), wireVersion: Number(hello.wireVersion) }
  if (isCompatible({ version: packageVersion, wireVersion }, theirs)) return undefined
  const message =
    `The cluster runs typeray ${packageVersion} (wire version ${wireVersion}), and whoever joins ` +
    `uses typeray ${theirs.version} (wire version ${theirs.wireVersion}). Use the same for both.`
  return { code: new SessionError('').code, message }
}
