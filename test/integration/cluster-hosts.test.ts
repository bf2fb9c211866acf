// Nodes on hosts of their own, which know each other by address only.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/testing/index.js'
import { type Host, noHosts, withHosts } from './network-hosts.js'

const skip = noHosts() ?? false
const node = ['--num-cpus', '1', '--object-store-memory', '64000000']

async function start(host: Host, ...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await host.cli('start', ...node, ...args)
  assert.equal(code, 0, stdout + stderr)
}

async function startAll([head, ...others]: readonly Host[]): Promise<void> {
  assert.ok(head)
  await start(head, '--head', '--node-ip-address', head.ip)
  for (const other of others) await start(other, '--address', `${head.ip}:6379`)
}

const alive = `
  await ray.init()
  console.log((await ray.nodes()).filter((node) => node.alive).length)
`

/** An actor on each node says on which host it is. */
const whoIsThere = `
  import { networkInterfaces } from 'node:os'
  await ray.init()
  class Here {
    ip() { return networkInterfaces().eth0[0].address }
  }
  const nodes = (await ray.nodes()).filter((node) => node.alive && node.resources.CPU > 0)
  const addresses = await Promise.all(nodes.map(async ({ nodeId }) => {
    const actor = ray.remote(Here).options({ schedulingStrategy: { nodeId }, numCpus: 1 }).remote()
    return ray.get(actor.ip.remote())
  }))
  console.log(addresses.sort().join(' '))
`

void test('hosts join with the commands that the start of the head prints', { skip }, () =>
  withHosts({ count: 3 }, async (hosts) => {
    await startAll(hosts)
    const expected = hosts.map((each) => each.ip).join(' ')
    for (const host of hosts) assert.equal(await host.run(whoIsThere), `${expected}\n`)
  }),
)

void test('a host that reaches only the head runs programs through its port', { skip }, () =>
  withHosts({ count: 3, isRemote: true }, async (hosts) => {
    const [head, node, far] = hosts
    assert.ok(head && node && far)
    await startAll([head, node])
    const env = { TYPERAY_ADDRESS: `${head.ip}:6379` }
    assert.equal(await far.run(whoIsThere, { env }), `${head.ip} ${node.ip}\n`)
    await until(async () => (await head.run(alive)) === '2\n')
  }),
)

void test('a host that is cut off is given up, and told so when it comes back', { skip }, () =>
  withHosts({ count: 2 }, async (hosts) => {
    const [head, node] = hosts
    assert.ok(head && node)
    await startAll(hosts)
    assert.equal(await head.run(alive), '2\n')
    node.cut()
    await until(async () => (await head.run(alive)) === '1\n', { timeoutMs: 60_000 })
    node.heal()
    await until(() => node.log().includes('the node has ended'), { timeoutMs: 60_000 })
    assert.equal(await head.run(alive), '1\n')
  }),
)
