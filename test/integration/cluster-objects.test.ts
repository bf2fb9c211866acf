// Objects of one node that are read, held and lost on others.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Driver, until } from '../../src/testing/index.js'
import { type Nodes, withNodes } from './many-nodes.js'
import { objectCounts, storeOf } from './store-rows.js'

/** After its last line the program collects garbage, in `holders` too, until it is killed. */
function startHolding({ driver }: Nodes, source: string, env: Record<string, string> = {}): Driver {
  const rest = `
    console.log('said all')
    for (;;) {
      globalThis.gc()
      await ray.get(holders.map((peer) => peer.collect.remote()))
    }
  `
  return driver(`${source}\n${rest}`, { execArgv: ['--expose-gc'], env })
}

async function end(driver: Driver): Promise<void> {
  driver.kill('SIGKILL')
  await driver.ended
}

/** Actors that run on the node with this number, in the order in which nodes joined. */
const helpers = `
  const nodes = async () => {
    const all = (await ray.nodes()).filter((node) => node.alive)
    return all.sort((a, b) => a.nodeNumber - b.nodeNumber).map((node) => node.nodeId)
  }
  class Peer {
    where() { return ray.getRuntimeContext().nodeId }
    make(mb, value) { return new Uint8Array(mb * 1e6).fill(value) }
    put(mb, value) { return [ray.put(new Uint8Array(mb * 1e6).fill(value))] }
    sum(array) { return [array.length, array[0], array.at(-1)] }
    async sumOf([ref]) { return this.sum(await ray.get(ref)) }
    async collect() {
      const [v8, vm] = await Promise.all([import('node:v8'), import('node:vm')])
      v8.setFlagsFromString('--expose-gc')
      vm.runInNewContext('gc')()
    }
    wrap(value) { return [ray.put({ inner: value })] }
    async unwrap([ref], depth) {
      let value = await ray.get(ref)
      for (let n = 0; n < depth; n++) value = await ray.get(value.inner[0])
      return value
    }
  }
  const RemotePeer = ray.remote(Peer)
  const peerOn = (nodeId) => RemotePeer.options({ 
    numCpus: 0, 
    schedulingStrategy: { nodeId, soft: false },
  }).remote()
`

void test('arrays travel both ways between nodes, as arguments, results and refs', () =>
  withNodes(2, async ({ run }) => {
    const out = await run(`
      await ray.init()
      ${helpers}
      const [here, there] = await nodes()
      const peer = peerOn(there)
      console.log(await ray.get(peer.where.remote()) === there)
      console.log(await ray.get(peer.sum.remote(new Uint8Array(20e6).fill(3))))
      const result = await ray.get(peer.make.remote(20, 4))
      console.log(result.length, result[0], result.at(-1))
      console.log(await ray.get(peer.sum.remote(ray.put(new Uint8Array(20e6).fill(5)))))
      console.log(await ray.get(peer.sumOf.remote([ray.put(new Uint8Array(20e6).fill(6))])))
      const [ref] = await ray.get(peer.put.remote(20, 7))
      const got = await ray.get(ref)
      console.log(got.length, got[0], got.at(-1))
    `)
    const expected = ['[ 20000000, 3, 3 ]', '20000000 4 4', '[ 20000000, 5, 5 ]']
    expected.push('[ 20000000, 6, 6 ]', '20000000 7 7')
    assert.deepEqual(out.trim().split('\n'), ['true', ...expected])
  }))

void test('refs in refs over three nodes keep their objects alive, and then free them', () =>
  withNodes(3, async (cluster) => {
    const driver = startHolding(
      cluster,
      `
      await ray.init()
      ${helpers}
      const holders = (await nodes()).map(peerOn)
      const [a, b, c] = holders
      const use = async () => {
        // Made on c, wrapped on b, on a and on c, each only held by the next.
        let value = await ray.get(c.put.remote(5, 1))
        for (const peer of [b, a, c]) value = await ray.get(peer.wrap.remote(value))
        globalThis.gc()
        const got = await ray.get(b.unwrap.remote(value, 3))
        console.log(got.length, got[0])
      }
      await use()
    `,
    )
    await driver.said('5000000 1')
    await until(async () => (await objectCounts(cluster.sessions)).every((count) => count === 0))
    await end(driver)
  }))

void test('an object that is released or freed leaves the memory of all nodes', () =>
  withNodes(3, async (cluster) => {
    const driver = startHolding(
      cluster,
      `
      await ray.init()
      ${helpers}
      const holders = (await nodes()).map(peerOn)
      const peers = holders
      let refs = [ray.put(new Uint8Array(5e6)), peers[1].make.remote(5, 2)]
      const sums = refs.flatMap((ref) => peers.map((peer) => peer.sum.remote(ref)))
      // Heard before anything is said: the signal would end the program otherwise.
      const told = new Promise((resolve) => process.once('SIGUSR2', resolve))
      const ticks = setInterval(() => undefined, 1000)
      console.log((await ray.get(sums)).length)
      await told
      clearInterval(ticks)
      ray.free([refs[0]])
      const read = () => ray.get(peers[2].sumOf.remote([refs[0]]))
      // The call may reach the other node before the word that the value is free.
      let error
      while (error === undefined) error = await read().then(() => undefined, (error) => error)
      console.log(error.cause?.name ?? error)
      refs = undefined
    `,
    )
    await driver.said('6')
    const counts = await objectCounts(cluster.sessions)
    assert.ok(
      counts.every((count) => count > 0 && count <= 2),
      String(counts),
    )
    driver.kill('SIGUSR2')
    await driver.said('ObjectFreedError')
    await until(async () => (await objectCounts(cluster.sessions)).every((count) => count === 0))
    await end(driver)
  }))

void test('many readers of one node share one pull, and copies make room for others', () =>
  withNodes(2, async ({ run, sessions }) => {
    const out = await run(`
      await ray.init()
      ${helpers}
      const [, there] = await nodes()
      const peers = [1, 2, 3, 4].map(() => peerOn(there))
      for (let n = 0; n < 8; n++) {
        const ref = ray.put(new Uint8Array(16e6).fill(n))
        const sums = await ray.get(peers.map((peer) => peer.sum.remote(ref)))
        for (const [length, first, last] of sums) {
          if (length !== 16e6 || first !== n || last !== n) throw new Error('wrong')
        }
      }
      console.log('well')
    `)
    assert.equal(out, 'well\n')
    const [, there = assert.fail()] = sessions
    // Eight copies do not fit; if each reader had one, nor would one round.
    assert.equal((await storeOf(there)).spilledBytesTotal, 0)
  }))

void test('an object that was spilled is read from another node, and comes into a full store', () =>
  withNodes(
    2,
    async ({ run, sessions }) => {
      const out = await run(`
        await ray.init()
        ${helpers}
        const [here, there] = (await nodes()).map(peerOn)
        const refs = Array.from({ length: 12 }, (_, n) => ray.put(new Uint8Array(8e6).fill(n)))
        const puts = Array.from({ length: 12 }, (_, n) => there.put.remote(8, 100 + n))
        const far = await ray.get(puts)
        for (let n = 0; n < 12; n++) {
          const [length, , last] = await ray.get(there.sum.remote(refs[n]))
          const got = await ray.get(far[n][0])
          if (length !== 8e6 || last !== n || got.length !== 8e6 || got.at(-1) !== 100 + n)
            throw new Error('wrong')
        }
        console.log('well')
      `)
      assert.equal(out, 'well\n')
      for (const session of sessions) assert.ok((await storeOf(session)).spilledBytesTotal > 0)
    },
    { objectStoreMemory: 40_000_000 },
  ))

void test('when the node of the first copy dies the next one serves, and is kept', () =>
  withNodes(3, async ({ run, sessions }) => {
    const out = await run(
      `
      await ray.init()
      ${helpers}
      const [, second, third] = (await nodes()).map(peerOn)
      const made = second.make.remote(5, 3)
      console.log(await ray.get(third.sumOf.remote([made])))
      process.kill(Number(process.env.SECOND), 'SIGKILL')
      console.log((await ray.get(made)).length)
      console.log(await ray.get(third.sumOf.remote([made])))
    `,
      { env: { SECOND: String(sessions[1]?.pid) } },
    )
    assert.equal(out, '[ 5000000, 3, 3 ]\n5000000\n[ 5000000, 3, 3 ]\n')
  }))

void test('with the last copy an object that no task made is lost, and with its owner any', () =>
  withNodes(3, async ({ run, sessions }) => {
    const out = await run(
      `
      await ray.init()
      ${helpers}
      const [, second, third] = (await nodes()).map(peerOn)
      const made = second.make.remote(5, 3)
      await ray.wait([made], { fetchLocal: false })
      const [owned] = await ray.get(second.put.remote(5, 3))
      const [inner] = await ray.get(third.wrap.remote([owned]))
      process.kill(Number(process.env.SECOND), 'SIGKILL')
      const errors = await Promise.all(
        [ray.get(made), ray.get(owned), ray.get(third.unwrap.remote([inner], 1))].map((each) =>
          each.catch((error) => error.cause?.name ?? error.name),
        ),
      )
      console.log(errors.join(' '))
    `,
      { env: { SECOND: String(sessions[1]?.pid) } },
    )
    assert.match(out, /^Object\w*Error OwnerDiedError OwnerDiedError\n$/)
  }))
