// Actors on other nodes: placed, called from everywhere, restarted elsewhere when their node dies.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/testing/index.js'
import { withNodes } from './many-nodes.js'

const head = `
  await ray.init()
  const here = ray.getRuntimeContext().nodeId
  class Counter {
    constructor() { this.count = 0 }
    add() { return ++this.count }
    where() { return ray.getRuntimeContext().nodeId }
    crash() { process.exit(1) }
    wait(ms) { return new Promise((resolve) => setTimeout(resolve, ms)) }
  }
  const Remote = ray.remote(Counter)
  const others = (await ray.nodes()).map((node) => node.nodeId).filter((id) => id !== here)
  const on = (nodeId, soft = false) => ({ schedulingStrategy: { nodeId, soft } })
`

void test('an actor on one node is called from tasks on others', () =>
  withNodes(3, async ({ run }) => {
    const out = await run(`${head}
      const actor = Remote.options(on(others[0])).remote()
      console.log(await ray.get(actor.where.remote()) === others[0])
      const calls = ray.remote(async function calls(actor, times) {
        let last = 0
        for (let i = 0; i < times; i++) last = await ray.get(actor.add.remote())
        return [last, ray.getRuntimeContext().nodeId]
      })
      const [, node] = await ray.get(calls.options(on(others[1])).remote(actor, 50))
      console.log(node === others[1])
      await ray.get(calls.remote(actor, 50))
      console.log(await ray.get(actor.add.remote()))

      const named = Remote.options({ ...on(others[1]), name: 'there' }).remote()
      await ray.get(named.add.remote())
      console.log(await ray.get((await ray.getActor('there')).add.remote()))

      const fails = Remote.options({ ...on(others[0]), maxRestarts: 1 }).remote()
      await ray.get(fails.add.remote())
      const error = await ray.get(fails.crash.remote()).catch((error) => error)
      console.log(error.constructor.name, await ray.get(fails.add.remote()))
      ray.kill(fails)
      const dead = await ray.get(fails.add.remote()).catch((error) => error)
      console.log(dead.constructor.name)
    `)
    const errors = 'ActorUnavailableError 1\nActorDiedError\n'
    assert.equal(out, `true\ntrue\n101\n2\n${errors}`)
  }))

void test('an actor restarts on another node when its own dies, if it may', () =>
  withNodes(2, async ({ driver, join, kill, sessions }) => {
    const victim = sessions[1] ?? assert.fail()
    const program = driver(`${head}
      const lives = Remote.options({ ...on(others[0], true), maxRestarts: 1, maxTaskRetries: 1 })
        .remote()
      const dies = Remote.options(on(others[0])).remote()
      console.log(await ray.get([lives.add.remote(), dies.add.remote()]))
      const waiting = lives.wait.remote(2000)
      const cut = dies.wait.remote(60_000)
      console.log('ready')
      const error = await ray.get(cut).catch((error) => error)
      console.log(error.constructor.name, error.message)
      await ray.get(waiting)
      console.log(await ray.get(lives.add.remote()), await ray.get(lives.where.remote()) === here)
    `)
    await program.said('ready')
    await kill(victim)
    await join()
    const { stdout, stderr, code } = await program.ended
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, new RegExp(`ActorDiedError .*node ${victim.nodeId}`))
    assert.match(stdout, /\n1 (true|false)\n$/)
  }))

void test('what a program has on other nodes ends with its node, but for what is detached', () =>
  withNodes(3, async ({ driver, run, kill, sessions }) => {
    const [, on] = sessions
    const program = driver(
      `${head}
      const stays = Remote.options({ ...on(others[0]), lifetime: 'detached', name: 'stays' })
        .remote()
      const goes = Remote.options({ ...on(others[0]), name: 'goes' }).remote()
      await ray.get([stays.add.remote(), goes.add.remote()])
      console.log('ready', ray.getRuntimeContext().namespace)
      await ray.get(goes.wait.remote(60_000))
    `,
      { on: on ?? assert.fail() },
    )
    await program.said('ready')
    const namespace = program.stdout.trim().split(' ')[1] ?? ''
    await kill(on ?? assert.fail())
    await program.ended
    const names = (): Promise<string> =>
      run(`
        await ray.init()
        const namespace = '${namespace}'
        const actor = await ray.getActor('stays', { namespace })
        console.log(await ray.get(actor.add.remote()))
        const goes = ray.getActor('goes', { namespace })
        console.log(await goes.then(() => 'there', () => 'gone'))
      `)
    await until(async () => (await names()).endsWith('gone\n'))
  }))

void test('a node is filled to half before the next, and then both are filled evenly', () =>
  withNodes(
    1,
    async ({ run, join }) => {
      for (let n = 0; n < 2; n++) await join({ numCpus: 4 })
      const out = await run(`${head}
        const free = async () => (await ray.availableResources()).CPU ?? 0
        const actors = []
        const nodes = []
        for (let n = 1; n <= 8; n++) {
          const actor = Remote.options({ numCpus: 1 }).remote()
          actors.push(actor)
          nodes.push(await ray.get(actor.where.remote()))
          // The next one is placed by what the nodes have said of this one.
          while ((await free()) !== 8 - n) await new Promise((resolve) => setTimeout(resolve, 20))
        }
        const [first] = nodes
        console.log(nodes.map((node) => (node === first ? 'a' : 'b')).join(''))
      `)
      assert.match(out, /^aabb(ab|ba){2}\n$/)
    },
    { numCpus: 0 },
  ))
