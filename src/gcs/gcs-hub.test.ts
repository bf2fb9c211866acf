// Nodes whose links break, some of whose processes are dead.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { systemClock } from '../base/clock.js'
import { newId } from '../base/ids.js'
import { nodeProbeMs } from '../base/limits.js'
import { until } from '../testing/until.js'
import { packageVersion, wireVersion } from '../base/version.js'
import { GcsHub, type NodePlace } from './gcs-hub.js'

/** Timers that end when the test says so; those of probes go by themselves. */
class HandClock {
  readonly #due: (() => void)[] = []

  readonly now = systemClock.now

  timer(ms: number, done: () => void): () => void {
    if (ms === nodeProbeMs) return systemClock.timer(ms, done)
    this.#due.push(done)
    return () => {
      const at = this.#due.indexOf(done)
      if (at >= 0) this.#due.splice(at, 1)
    }
  }

  get waiting(): number {
    return this.#due.length
  }

  end(): void {
    for (const done of this.#due.splice(0)) done()
  }
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

void describe('a node whose connection to the GCS is closed', () => {
  const servers = new Set<Server>()
  afterEach(() => {
    for (const server of servers) server.close()
    servers.clear()
  })

  /** A hub whose only node has just lost its connection. */
  async function disconnected(
    node: Omit<NodePlace, 'address'>,
    raylet: Server,
  ): Promise<{ clock: HandClock; lost: string[]; hub: GcsHub }> {
    servers.add(raylet)
    const address = `127.0.0.1:${await listening(raylet)}`
    const clock = new HandClock()
    const lost: string[] = []
    const hub = new GcsHub({
      clock,
      receive: () => undefined,
      nodeLost: (nodeId) => lost.push(nodeId),
      node: () => ({ ...node, address }),
    })
    const gcs = createServer((socket) => {
      const hello = {
        kind: 'linkHello', token: '', version: packageVersion, wireVersion, role: 'gcs',
        nodeId: 'n2', nodeNumber: 2, link: newId(), received: 0,
      } as const // prettier-ignore
      hub.accept(socket, { hello, rest: new Uint8Array(0) })
      socket.destroy()
    })
    servers.add(gcs)
    const end = connect(await listening(gcs), '127.0.0.1')
    await once(end.resume(), 'close')
    await until(() => clock.waiting === 1)
    return { clock, lost, hub }
  }

  const plain = { isHead: false, isClient: false }

  void it('is waited for while its process listens, and dead when it does not', async () => {
    const probes: Socket[] = []
    const raylet = createServer((socket) => probes.push(socket.on('error', () => undefined)))
    const { clock, lost, hub } = await disconnected(plain, raylet)
    for (const round of [1, 2, 3]) {
      clock.end()
      await until(() => probes.length === round && clock.waiting === 1)
    }
    assert.deepEqual(lost, [])
    raylet.close()
    for (const probe of probes) probe.destroy()
    await once(raylet, 'close')
    clock.end()
    await until(() => lost.length > 0)
    assert.deepEqual([lost, clock.waiting], [['n2'], 0])
    hub.close()
  })

  void it('is not dead as long as the GCS runs if it is the head', async () => {
    const { clock, lost, hub } = await disconnected({ ...plain, isHead: true }, createServer())
    clock.end()
    await until(() => clock.waiting === 1)
    assert.deepEqual(lost, [])
    hub.close()
    assert.equal(clock.waiting, 0)
  })

  void it('is dead when its time is over if it listens nowhere', async () => {
    const { clock, lost } = await disconnected({ ...plain, isClient: true }, createServer())
    clock.end()
    await until(() => lost.length > 0)
    assert.equal(clock.waiting, 0)
  })
})
