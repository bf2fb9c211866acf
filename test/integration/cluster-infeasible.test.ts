// What no node of a cluster can run waits for one that can, and is told of and shown meanwhile.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/testing/index.js'
import { runCli } from './head-cluster.js'
import { type Nodes, withNodes } from './many-nodes.js'

async function statusOf({ sessions }: Nodes): Promise<string> {
  const { stdout } = await runCli(['status'], { TYPERAY_ADDRESS: sessions[0]?.sessionDir ?? '' })
  return stdout
}

test('a task, an actor and a placement group wait for a node that is large enough', () =>
  withNodes(1, async (nodes) => {
    const program = nodes.driver(`
      await ray.init()
      const f = ray.remote(function special() { return ray.getRuntimeContext().nodeId })
      class Special { where() { return ray.getRuntimeContext().nodeId } }
      const resources = { resources: { special: 1 } }
      const here = ray.getRuntimeContext().nodeId
      const refs = [1, 2, 3].map(() => f.options(resources).remote())
      const actor = ray.remote(Special).options(resources).remote()
      const group = ray.placementGroup([{ special: 1 }], 'PACK')
      const ready = group.ready()
      const labelled = f.options({ labelSelector: { zone: 'eu' } }).remote()
      const gone = f.options({ schedulingStrategy: { nodeId: 'f'.repeat(24), soft: false } })
      console.log(await ray.get(gone.remote()).catch((error) => error.name))
      // What is small enough runs meanwhile, beside all that waits.
      console.log(await ray.get(f.remote()) === here)
      const [there] = await ray.get(refs)
      console.log(there !== here, await ray.get(actor.where.remote()) === there)
      await ray.get(ready)
      console.log('ready', await ray.get(labelled) === there)
    `)
    const lack = 'it needs 1 special, and no node has that \\(this node has '
    const warnings = [
      `Task special, and 2 more like it, cannot be scheduled right now: ${lack}`,
      'Actor Special cannot be scheduled right now: it needs 1 CPU, 1 special, and no node has',
      'Placement group \\w+ cannot be scheduled right now: it asks for the bundles {1 special}',
      'Task special cannot be scheduled right now: it needs a node with labels { zone: eu }',
    ]
    for (const text of warnings) await until(() => new RegExp(text).test(program.stderr))
    const status = await statusOf(nodes)
    assert.match(status, /Infeasible, waits for nodes to join\n/)
    assert.match(status, new RegExp(`  Task special \\(3\\): ${lack}`))
    assert.match(status, / {2}Actor Special: it needs 1 CPU, 1 special/)
    assert.match(status, / {2}Placement group \w+: it asks for/)
    await nodes.join({ resources: { special: 3 }, labels: { zone: 'eu' } })
    const { code, stdout, stderr } = await program.ended
    assert.equal(code, 0, stderr)
    assert.equal(stdout, 'TaskUnschedulableError\ntrue\ntrue true\nready true\n')
    await until(async () => !(await statusOf(nodes)).includes('Infeasible'))
  }))

test('an actor whose node died is restarted on a node that joins later', () =>
  withNodes(1, async (nodes) => {
    const first = await nodes.join({ resources: { special: 1 } })
    const program = nodes.driver(`
      await ray.init()
      class Special {
        count = 0
        add() { return [++this.count, ray.getRuntimeContext().nodeId].join(' ') }
      }
      const forever = { maxRestarts: -1, maxTaskRetries: -1, resources: { special: 1 } }
      const actor = ray.remote(Special).options(forever).remote()
      console.log(await ray.get(actor.add.remote()))
      while ((await ray.nodes()).filter((node) => node.alive).length > 1) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      console.log(await ray.get(actor.add.remote()))
    `)
    await program.said(`1 ${first.nodeId}`)
    await nodes.kill(first)
    await until(() => /Actor Special cannot be scheduled right now/.test(program.stderr))
    const second = await nodes.join({ resources: { special: 1 } })
    const { code, stdout, stderr } = await program.ended
    assert.equal(code, 0, stderr)
    assert.equal(stdout, `1 ${first.nodeId}\n1 ${second.nodeId}\n`)
  }))
