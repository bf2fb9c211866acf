import assert from 'node:assert/strict'
import { connect, createServer, type Socket } from 'node:net'
import { after, it } from 'node:test'
import { nodeReconnectMs } from '../base/limits.js'
import { packageVersion, wireVersion } from '../base/version.js'
import { until } from '../testing/until.js'
import { VirtualClock } from '../testing/virtual-clock.js'
import { GcsHub } from './gcs-hub.js'

const hello = {
  kind: 'linkHello',
  token: '',
  version: packageVersion,
  wireVersion,
  role: 'gcs',
  nodeId: 'node',
  nodeNumber: 2,
  link: 'link',
  received: 0,
} as const

/** Both ends of a connection. */
async function connection(): Promise<[there: Socket, here: Socket]> {
  const address = `\0gcs-hub-test-${process.pid}-${Math.random()}`
  return new Promise((resolve) => {
    const server = createServer((here) => {
      server.close()
      resolve([there, here])
    })
    let there: Socket
    server.listen(address, () => {
      there = connect(address)
    })
  })
}

void it('gives a node up that is not back in time, unless it still listens', async () => {
  const clock = new VirtualClock()
  const lost: string[] = []
  const asked: string[] = []
  let isThere = true
  const hub = new GcsHub({
    clock,
    receive: () => undefined,
    nodeLost: (nodeId) => lost.push(nodeId),
    isListening: (nodeId) => {
      asked.push(nodeId)
      return Promise.resolve(isThere)
    },
  })
  after(() => hub.close())
  const [there, here] = await connection()
  hub.accept(here, { hello, rest: new Uint8Array(0) })
  there.destroy()
  await new Promise((resolve) => here.once('close', resolve))
  // It gets no time of the CPU: it listens and does not come.
  for (let times = 1; times <= 3; times++) {
    clock.advance(nodeReconnectMs)
    await until(() => asked.length === times)
  }
  assert.deepEqual(lost, [])
  const [again, accepted] = await connection()
  hub.accept(accepted, { hello, rest: new Uint8Array(0) })
  clock.advance(10 * nodeReconnectMs)
  assert.equal(asked.length, 3, 'nobody is asked about a node that is back')
  again.destroy()
  await new Promise((resolve) => accepted.once('close', resolve))
  isThere = false
  clock.advance(nodeReconnectMs)
  await until(() => lost.length > 0)
  assert.deepEqual(lost, ['node'])
})
