// A node of a cluster that can have several: the head, which has the GCS, or one that joins.

import type { Socket } from 'node:net'
import { systemClock } from '../base/clock.js'
import { SessionError } from '../base/errors.js'
import { firstNodeNumber, newId } from '../base/ids.js'
import { nodeDeadlineMs, nodeJoinMs } from '../base/limits.js'
import { GcsHub } from '../gcs/gcs-hub.js'
import { GcsServer } from '../gcs/gcs-server.js'
import type { Raylet } from '../raylet/raylet.js'
import { hostPortText, parseHostPort } from '../wire/address.js'
import { DialedLink } from '../wire/link/dialed-link.js'
import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'
import { configureTransport, dial, type Tunnel } from '../wire/transport.js'
import { Gateway, type Guest } from './gateway.js'
import type { Membership } from './membership.js'
import type { ClusterConfig, NodeConfig } from './node-config.js'
import { turns } from './turns.js'

/** Lets guests wait until the raylet is there to receive them. */
class Reception {
  readonly gateway: Gateway
  #raylet: Raylet | undefined
  #waiting: { readonly socket: Socket; readonly guest: Guest }[] = []
  readonly #hub: GcsHub | undefined

  constructor(token: string, hub: GcsHub | undefined) {
    this.#hub = hub
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
    else if (role === 'gcs' && this.#hub !== undefined) this.#hub.accept(socket, guest)
    else if (this.#raylet === undefined) this.#waiting.push({ socket, guest })
    else if (role === 'peer') this.#raylet.peers.accept(socket, guest)
    else if (role === 'bulk') this.#raylet.objects.puller.links.accept(socket, guest)
    else socket.destroy()
  }
}

/** The head: the GCS of the cluster runs beside its raylet. */
export async function openCluster(cluster: ClusterConfig): Promise<Membership> {
  const nodeId = newId()
  const inTurn = turns()
  const early: FromGcs[] = []
  const gcs: GcsServer = new GcsServer(
    systemClock,
    (to, message) => {
      if (to !== nodeId) hub.send(to, message)
      else inTurn(() => (membership.receive ?? ((each) => early.push(each)))(message))
    },
    { nodeDeadlineMs },
  )
  const hub = new GcsHub({
    clock: systemClock,
    receive: (message) => inTurn(() => gcs.receive(message)),
    nodeLost: (lost) => inTurn(() => gcs.nodeLost(lost)),
  })
  configureTransport(cluster)
  const reception = new Reception(cluster.token, hub)
  const clusterAddress = hostPortText(await reception.gateway.listen(cluster))
  const membership: Membership = {
    token: cluster.token,
    nodeId,
    nodeNumber: firstNodeNumber,
    nodeIp: cluster.host,
    clusterAddress,
    isRegistered: false,
    toGcs: (message) => inTurn(() => gcs.receive(message)),
    receive: undefined,
    attach: (raylet) => {
      for (const message of early.splice(0)) raylet.fromGcs(message)
      reception.attach(raylet)
    },
    close: () => {
      reception.gateway.close()
      hub.close()
      gcs.close()
    },
  }
  return membership
}

/** A node that joins. Settles when the GCS has given it a number. */
export async function joinCluster(cluster: ClusterConfig, config: NodeConfig): Promise<Membership> {
  const nodeId = newId()
  const tunnel = tunnelOf(cluster)
  configureTransport({ ...cluster, ...(tunnel !== undefined && { tunnel }) })
  const reception = new Reception(cluster.token, undefined)
  const isClient = cluster.isClient === true
  const clusterAddress = isClient ? '' : hostPortText(await reception.gateway.listen(cluster))
  const early: FromGcs[] = []
  let nodeNumber = 0
  const { link, registered } = dialGcs(cluster, {
    caller: () => ({ token: cluster.token, role: 'gcs', nodeId, nodeNumber }),
    message: (message) => (membership?.receive ?? ((each) => early.push(each)))(message),
  })
  let membership: Membership | undefined
  link.send({
    kind: 'registerNode',
    nodeId,
    address: clusterAddress,
    resources: config.resources,
    labels: { ...config.labels, 'ray.io/node-id': nodeId },
    isHead: false,
    isClient,
  })
  nodeNumber = await registered
  membership = {
    token: cluster.token,
    nodeId,
    nodeNumber,
    nodeIp: cluster.host,
    clusterAddress,
    isRegistered: true,
    toGcs: (message) => link.send(message),
    receive: undefined,
    attach: (raylet) => {
      for (const message of early.splice(0)) raylet.fromGcs(message)
      reception.attach(raylet)
    },
    close: () => {
      reception.gateway.close()
      link.close()
    },
  }
  return membership
}

/** Whoever is let in at the head may reach all nodes through it. */
function openTunnel(socket: Socket, { hello, rest }: Guest): void {
  const [host = '', port = ''] = (hello.target ?? '').split(' ')
  const target = dial({ host, port: Number(port) })
  const end = (): void => {
    socket.destroy()
    target.destroy()
  }
  for (const side of [socket, target]) {
    side.on('error', end)
    side.on('close', end)
  }
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

interface GcsCaller {
  readonly caller: () => { token: string; role: 'gcs'; nodeId: string; nodeNumber: number }
  readonly message: (message: FromGcs) => void
}

function dialGcs(
  { head = '' }: ClusterConfig,
  { caller, message }: GcsCaller,
): { link: DialedLink<ToGcs, FromGcs>; registered: Promise<number> } {
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
  const link = new DialedLink<ToGcs, FromGcs>(
    { clock: systemClock, address: head, caller },
    {
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
    },
  )
  return { link, registered }
}
