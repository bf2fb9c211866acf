// A node of a cluster that can have several: the head, which has the GCS in a process of its own,
// or one that joins.
//
// The head is a node like any other to the GCS. Others reach the GCS through the port of the head,
// which looks at their token and passes on their bytes.

import { connect, type Socket } from 'node:net'
import path from 'node:path'
import { SessionError } from '../base/errors.js'
import { newId } from '../base/ids.js'
import { nodeJoinMs } from '../base/limits.js'
import { type StoragePlace, storagePlace } from '../gcs/storage/open-storage.js'
import { nodeHoldings } from '../raylet/node-holdings.js'
import type { Raylet } from '../raylet/raylet.js'
import { hostPortText, parseHostPort } from '../wire/address.js'
import type { Caller } from '../wire/link/dialed-link.js'
import type { FromGcs, NodeHoldings } from '../wire/messages/gcs.js'
import type { Resources } from '../wire/messages/terms.js'
import { configureTransport, dial, type Tunnel } from '../wire/transport.js'
import { Gateway, type Guest } from './gateway.js'
import { GcsLink, type GcsLinkEvents } from './gcs-link.js'
import { GcsProcess } from './gcs-process.js'
import type { Membership } from './membership.js'
import type { ClusterConfig, NodeConfig } from './node-config.js'

/** Lets guests wait until the raylet is there to receive them. */
class Reception {
  readonly gateway: Gateway
  #raylet: Raylet | undefined
  #waiting: { readonly socket: Socket; readonly guest: Guest }[] = []
  /** Of the GCS, on the head. */
  readonly #gcsAddress: string | undefined

  constructor(token: string, gcsAddress: string | undefined) {
    this.#gcsAddress = gcsAddress
    this.gateway = new Gateway({
      token,
      accept: (socket, guest) => this.#accept(socket, guest),
      note: (text) => this.#raylet?.note(text),
    })
  }

  attach(raylet: Raylet): void {
    this.#raylet = raylet
    for (const { socket, guest } of this.#waiting.splice(0)) this.#accept(socket, guest)
  }

  #accept(socket: Socket, guest: Guest): void {
    const { role } = guest.hello
    if (role === 'tunnel') openTunnel(socket, guest)
    else if (role === 'gcs' && this.#gcsAddress !== undefined) {
      pipe({ socket, guest, target: connect(this.#gcsAddress), isHelloFor: true })
    } else if (this.#raylet === undefined) this.#waiting.push({ socket, guest })
    else if (role === 'peer') this.#raylet.peers.accept(socket, guest)
    else if (role === 'bulk') this.#raylet.objects.puller.links.accept(socket, guest)
    else socket.destroy()
  }
}

/** The session of a head, which begins before its GCS does. */
export interface HeadSession {
  readonly sessionName: string
  /** '' when it has none. */
  readonly sessionDir: string
}

/** The head: it starts the GCS. Settles when that has given the node its number. */
export async function openCluster(
  cluster: ClusterConfig,
  config: NodeConfig,
  session: HeadSession,
): Promise<Membership> {
  const { token } = cluster
  configureTransport(cluster)
  const address = `@typeray-gcs-${newId(16)}`
  const storage = storageOf(cluster, session)
  const { sessionName } = session
  const { validate } = config
  const notes: string[] = []
  let raylet: Raylet | undefined
  let node: JoinedNode | undefined
  const gcs = new GcsProcess(
    { address, token, sessionName, storage, validate },
    {
      note: (text) => (raylet === undefined ? void notes.push(text) : raylet.note(text)),
      gaveUp: (reason) => node?.receive({ kind: 'nodeIsDead', reason }),
    },
  )
  const gcsAddress = address.replace('@', '\0')
  const reception = new Reception(token, gcsAddress)
  const [hostPort] = await Promise.all([reception.gateway.listen(cluster), gcs.start()])
  const clusterAddress = hostPortText(hostPort)
  node = await enter({ gcsAddress, clusterAddress, isHead: true, cluster, config })
  return membershipOf(node, {
    reception,
    attached: (there) => {
      raylet = there
      for (const text of notes.splice(0)) there.note(text)
    },
    close: () => gcs.close(),
  })
}

/** A full disk must not keep anybody from working. */
function storageOf({ storage }: ClusterConfig, { sessionDir }: HeadSession): StoragePlace {
  const isNowhere = storage === undefined && sessionDir === ''
  return storagePlace(isNowhere ? 'memory' : storage, path.join(sessionDir, 'gcs'))
}

/** A node that joins. Settles when the GCS has given it a number. */
export async function joinCluster(cluster: ClusterConfig, config: NodeConfig): Promise<Membership> {
  const tunnel = tunnelOf(cluster)
  configureTransport({ ...cluster, ...(tunnel !== undefined && { tunnel }) })
  const reception = new Reception(cluster.token, undefined)
  const isClient = cluster.isClient === true
  const clusterAddress = isClient ? '' : hostPortText(await reception.gateway.listen(cluster))
  const gcsAddress = cluster.head ?? ''
  const node = await enter({ gcsAddress, clusterAddress, isHead: false, cluster, config })
  return membershipOf(node, { reception, attached: () => undefined, close: () => undefined })
}

interface Entrance {
  readonly gcsAddress: string
  /** Where others reach the node. */
  readonly clusterAddress: string
  readonly isHead: boolean
  readonly cluster: ClusterConfig
  readonly config: NodeConfig
}

/** A node with a number and a link to the GCS, that has no raylet yet. */
interface JoinedNode {
  readonly entrance: Entrance
  readonly nodeId: string
  readonly nodeNumber: number
  readonly link: GcsLink
  readonly receive: (message: FromGcs) => void
  attach(raylet: Raylet): void
}

async function enter(entrance: Entrance): Promise<JoinedNode> {
  const { gcsAddress, clusterAddress, isHead, cluster, config } = entrance
  const nodeId = newId()
  const early: FromGcs[] = []
  let raylet: Raylet | undefined
  let nodeNumber = 0
  const receive = (message: FromGcs): void => {
    if (raylet === undefined) early.push(message)
    else raylet.fromGcs(message)
  }
  const { resources } = config
  const { link, registered } = dialGcs(gcsAddress, {
    caller: () => ({ token: cluster.token, role: 'gcs', nodeId, nodeNumber }),
    message: receive,
    holdings: () =>
      raylet === undefined ? nothingHeld(resources) : nodeHoldings(raylet.leases.tables),
  })
  link.send({
    kind: 'registerNode',
    nodeId,
    address: clusterAddress,
    resources,
    labels: { ...config.labels, 'ray.io/node-id': nodeId },
    isHead,
    isClient: cluster.isClient === true,
  })
  nodeNumber = await registered
  const attach = (there: Raylet): void => {
    raylet = there
    for (const message of early.splice(0)) there.fromGcs(message)
  }
  return { entrance, nodeId, nodeNumber, link, receive, attach }
}

function membershipOf(
  { entrance, nodeId, nodeNumber, link, attach }: JoinedNode,
  more: {
    readonly reception: Reception
    readonly attached: (raylet: Raylet) => void
    readonly close: () => Promise<void> | undefined
  },
): Membership {
  const { cluster, clusterAddress } = entrance
  return {
    token: cluster.token,
    nodeId,
    nodeNumber,
    nodeIp: cluster.host,
    clusterAddress,
    isRegistered: true,
    toGcs: (message) => link.send(message),
    receive: undefined,
    attach: (raylet) => {
      attach(raylet)
      more.attached(raylet)
      more.reception.attach(raylet)
    },
    close: () => {
      more.reception.gateway.close()
      link.close()
      return more.close()
    },
  }
}

/** Whoever is let in at the head may reach all nodes through it. */
function openTunnel(socket: Socket, guest: Guest): void {
  const [host = '', port = ''] = (guest.hello.target ?? '').split(' ')
  pipe({ socket, guest, target: dial({ host, port: Number(port) }), isHelloFor: false })
}

interface Pipe {
  readonly socket: Socket
  readonly guest: Guest
  readonly target: Socket
  /** The target is to read the hello itself. */
  readonly isHelloFor: boolean
}

function pipe({ socket, guest, target, isHelloFor }: Pipe): void {
  const { frame, rest } = guest
  const end = (): void => {
    socket.destroy()
    target.destroy()
  }
  for (const side of [socket, target]) {
    side.on('error', end)
    side.on('close', end)
  }
  if (isHelloFor) target.write(frame)
  if (rest.length > 0) target.write(rest)
  socket.pipe(target)
  target.pipe(socket)
}

/** A client reaches nothing but the port of the head. */
function tunnelOf({ head = '', token, isClient }: ClusterConfig): Tunnel | undefined {
  const target = parseHostPort(head)
  return isClient === true && target !== undefined ? { head: target, token } : undefined
}

function problemOf({ lastProblem }: { readonly lastProblem: string }): string {
  return lastProblem === '' ? '' : ` (${lastProblem})`
}

function nothingHeld(resources: Resources): NodeHoldings {
  return { available: resources, total: resources, actors: [], bundles: [], awaited: [] }
}

interface GcsCaller extends Pick<GcsLinkEvents, 'message' | 'holdings'> {
  readonly caller: () => Caller
}

function dialGcs(
  head: string,
  { caller, message, holdings }: GcsCaller,
): { link: GcsLink; registered: Promise<number> } {
  let isRegistered = false
  let fail!: (error: Error) => void
  let succeed!: (nodeNumber: number) => void
  const registered = new Promise<number>((resolve, reject) => {
    succeed = resolve
    fail = reject
  })
  const timer = setTimeout(() => {
    link.close()
    fail(
      new SessionError(
        `The head at ${head} does not answer${problemOf(link)}. Does 'typeray start --head' run ` +
          'there, and may this machine reach that port?',
      ),
    )
  }, nodeJoinMs)
  const link = new GcsLink(head, caller, {
    holdings,
    message: (each) => {
      if (each.kind === 'nodeRegistered' && !isRegistered) {
        isRegistered = true
        clearTimeout(timer)
        succeed(each.nodeNumber)
      } else message(each)
    },
    refused: ({ message: why }) => {
      clearTimeout(timer)
      if (isRegistered) message({ kind: 'nodeIsDead', reason: why })
      else fail(new SessionError(`The head at ${head} refuses this node: ${why}`))
    },
  })
  return { link, registered }
}
