// Objects of one node that are read, held and lost on others.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withNodes } from './many-nodes.js'

/** Actors that run on the node with this number, in the order in which nodes joined. */
const helpers = `
  const nodes = async () => {
    const all = (await ray.nodes()).filter((node) => node.alive)
    return all.sort((a, b) => a.nodeNumber - b.nodeNumber).map((node) => node.nodeId)
  }
  class Peer {
    constructor() { this.kept = [] }
    where() { return ray.getRuntimeContext().nodeId }
    make(mb, value) { return new Uint8Array(mb * 1e6).fill(value) }
    put(mb, value) { return [ray.put(new Uint8Array(mb * 1e6).fill(value))] }
    sum(array) { return [array.length, array[0], array.at(-1)] }
    async sumOf([ref]) { return this.sum(await ray.get(ref)) }
    keep(value) { this.kept.push(value) }
    async read() { return this.sum(await ray.get(this.kept.at(-1)[0])) }
    drop() { this.kept = []; globalThis.gc?.() }
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
    schedulingStrategy: { kind: 'nodeAffinity', nodeId, soft: false },
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
