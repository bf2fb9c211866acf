// Who waits beside a flood of tasks gets its turn, on any node, and so does the flood.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/testing/index.js'
import { withNodes } from './many-nodes.js'

/** Keeps tasks of 5 ms waiting on every node until it is told to stop. */
const flood = `
  await ray.init()
  const busy = ray.remote(function busy() {
    const end = performance.now() + 5
    while (performance.now() < end);
    return 1
  })
  let stopped = false
  process.once('SIGUSR2', () => { stopped = true })
  let done = 0
  const refs = new Set()
  const submit = () => {
    const ref = busy.remote()
    refs.add(ref)
    void ray.get(ref).then((n) => {
      done += n
      refs.delete(ref)
      if (!stopped) submit()
      if (done === 200) console.log('flooded')
    })
  }
  for (let n = 0; n < 200; n++) submit()
  while (!stopped || refs.size > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  console.log('all done')
`

void test('an actor and a group are placed beside tasks that flood two nodes', () =>
  withNodes(2, async ({ driver, run, sessions }) => {
    const floods = sessions.map((on) => driver(flood, { on }))
    for (const each of floods) await each.said('flooded')
    const waits = `
      await ray.init()
      class Counter {
        count = 0
        add() { return ++this.count }
      }
      const counter = ray.remote({ numCpus: 1 }, Counter).remote()
      console.log('actor', await ray.get(counter.add.remote()))
      ray.kill(counter)
      const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }], 'STRICT_SPREAD')
      await ray.get(group.ready())
      const where = ray.remote(() => ray.getRuntimeContext().nodeId)
      const inGroup = (bundle) => ({
        schedulingStrategy: { placementGroup: group, bundleIndex: bundle },
      })
      const refs = [0, 1].map((n) => where.options(inGroup(n)).remote())
      const nodes = await ray.get(refs)
      console.log('group on', new Set(nodes).size)
    `
    assert.equal(await run(waits), 'actor 1\ngroup on 2\n')
    // What waited has ended with its job: the flood goes on.
    for (const each of floods) each.kill('SIGUSR2')
    for (const each of floods) {
      const { code, stdout, stderr } = await each.ended
      assert.equal(code, 0, stderr)
      assert.match(stdout, /all done\n$/)
    }
  }))

void test('an actor and a group that wait for other actors to end are told of, once', () =>
  withNodes(2, async ({ driver }) => {
    const program = driver(`
      await ray.init()
      class Counter { add() { return 1 } }
      class Late { add() { return 2 } }
      const cpus = (await ray.clusterResources()).CPU
      const one = (cls) => ray.remote({ numCpus: 1 }, cls).remote()
      const counters = Array.from({ length: cpus }, () => one(Counter))
      await ray.get(counters.map((each) => each.add.remote()))
      const late = [1, 2].map(() => one(Late))
      const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }], 'SPREAD')
      const ready = group.ready()
      let goesOn = false
      process.once('SIGUSR2', () => { goesOn = true })
      console.log('waits')
      while (!goesOn) await new Promise((resolve) => setTimeout(resolve, 20))
      for (const each of counters) ray.kill(each)
      console.log(await ray.get(late.map((each) => each.add.remote())))
      for (const each of late) ray.kill(each)
      await ray.get(ready)
      console.log('ready')
    `)
    await program.said('waits')
    const free = 'Free in the cluster are 0 of \\d+ CPU on 2 nodes; held by actor Counter'
    const what = 'Warning: Actor Late, and 1 more like it, cannot be scheduled right now'
    const warning = new RegExp(`${what}: it needs 1 CPU, and no node .*${free}`)
    await until(() => warning.test(program.stderr))
    await until(() => /Warning: Placement group \w+ cannot be scheduled/.test(program.stderr))
    program.kill('SIGUSR2')
    const { code, stdout, stderr } = await program.ended
    assert.equal(code, 0, stderr)
    assert.match(stdout, /\[ 2, 2 \]\nready\n$/)
    assert.equal(stderr.match(/Actor Late/g)?.length, 1, stderr)
  }))
