// Placement groups over several nodes: whole or not at all, used from anywhere, and back after the
// death of a node.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withNodes } from './many-nodes.js'

const head = `
  await ray.init()
  const here = ray.getRuntimeContext().nodeId
  const where = ray.remote(async function where(ms = 0) {
    await new Promise((resolve) => setTimeout(resolve, ms))
    return ray.getRuntimeContext().nodeId
  })
  const inGroup = (placementGroup, bundleIndex = -1, more = {}) => ({
    schedulingStrategy: { placementGroup, bundleIndex, ...more },
  })
`

void test('tasks and actors run in bundles on other nodes', () =>
  withNodes(2, async ({ run, sessions }) => {
    const out = await run(
      `${head}
      const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }], 'STRICT_SPREAD')
      // Before it is there: they wait for it.
      const early = [0, 1].map((bundle) => where.options(inGroup(group, bundle)).remote())
      await group.ready()
      const [first, second] = await ray.get(early)
      console.log(first !== second)
      const again = await ray.get([0, 1].map((b) => where.options(inGroup(group, b)).remote()))
      console.log(again[0] === first, again[1] === second)
      const any = await ray.get([1, 2, 3, 4].map(() => where.options(inGroup(group)).remote(200)))
      console.log(any.every((nodeId) => nodeId === first || nodeId === second))

      class Counter {
        constructor() { this.count = 0 }
        add() { return [++this.count, ray.getRuntimeContext().nodeId] }
      }
      const Remote = ray.remote(Counter)
      const actors = [0, 1].map((bundle) => Remote.options(inGroup(group, bundle)).remote())
      for (const actor of actors) await ray.get(actor.add.remote())
      const rows = await ray.get(actors.map((actor) => actor.add.remote()))
      console.log(rows.map(([count]) => count).join(), rows[0][1] === first, rows[1][1] === second)

      const outer = ray.remote(async function outer(where) {
        return ray.get([where.remote(), where.remote()])
      })
      for (const actor of actors) ray.kill(actor)
      const captured = outer.options(inGroup(group, 1, { captureChildTasks: true }))
      await ray.get(captured.remote(where))
      const pending = where.options(inGroup(group, 1)).remote(60_000)
      const queued = where.options(inGroup(group, 1)).remote(60_000)
      ray.removePlacementGroup(group)
      for (const ref of [pending, queued]) {
        const error = await ray.get(ref).catch((error) => error)
        console.log(error.constructor.name)
      }
      const late = await ray.get(where.options(inGroup(group, 0)).remote()).catch((error) => error)
      console.log(late.constructor.name)
      console.log(await ray.get(where.remote()) !== undefined)
    `,
      { on: sessions[1] ?? assert.fail() },
    )
    const removed = 'TaskPlacementGroupRemovedError\n'
    assert.equal(out, `true\ntrue true\ntrue\n2,2 true true\n${removed.repeat(3)}true\n`)
  }))

void test('a group waits until all of it fits', () =>
  withNodes(1, async ({ driver, join }) => {
    const program = driver(`${head}
      const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }], 'STRICT_SPREAD')
      const task = where.options(inGroup(group, 1)).remote()
      console.log('made', await group.wait(100).catch(() => false))
      console.log(typeof await ray.get(task))
    `)
    await program.said('made')
    await join()
    const { stdout, stderr, code } = await program.ended
    assert.equal(code, 0, stdout + stderr)
    assert.equal(stdout, 'made false\nstring\n')
  }))

void test('bundles of a node that dies come back on another, and their tasks with them', () =>
  withNodes(3, async ({ driver, sessions, kill }) => {
    const program = driver(`${head}
      const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }], 'STRICT_SPREAD')
      await group.ready()
      const nodes = await ray.get([0, 1].map((b) => where.options(inGroup(group, b)).remote()))
      const bundle = nodes.findIndex((node) => node !== here)
      const tasks = [1, 2, 3].map(() => where.options(inGroup(group, bundle)).remote(1000))
      console.log('on', nodes[bundle])
      const ran = await ray.get(tasks)
      console.log(ran.every((node) => node !== nodes[bundle]))
      const other = await ray.get(where.options(inGroup(group, bundle)).remote())
      console.log(other !== nodes[bundle], other !== nodes[1 - bundle])
    `)
    await program.said('on ')
    const [, nodeId] = /on (\S+)/.exec(program.stdout) ?? []
    await kill(sessions.find((session) => session.nodeId === nodeId) ?? assert.fail())
    const { stdout, stderr, code } = await program.ended
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /true\ntrue true\n$/)
  }))

void test('what waits for any bundle runs in the one that becomes free, on any node', () =>
  withNodes(3, async ({ run }) => {
    const out = await run(`
      import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
      import { tmpdir } from 'node:os'
      import path from 'node:path'
      ${head}
      const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }, { CPU: 1 }], 'STRICT_SPREAD')
      await group.ready()
      const nodes = await ray.get([0, 1, 2].map((b) => where.options(inGroup(group, b)).remote()))
      const folder = mkdtempSync(path.join(tmpdir(), 'bundles-'))
      const hold = ray.remote(async function hold(file) {
        writeFileSync(file + '.held', '')
        while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20))
      })
      const files = [0, 1, 2].map((bundle) => path.join(folder, String(bundle)))
      const held = files.map((each, b) => hold.options(inGroup(group, b)).remote(each))
      while (!files.every((each) => existsSync(each + '.held'))) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      for (const free of [0, 1, 2].filter((b) => nodes[b] !== here)) {
        // Each is a kind of its own, so that none waits behind another.
        const waiting = [1, 2, 3, 4, 5, 6].map((n) =>
          where.options({ ...inGroup(group), numCpus: 1 - n / 100 }).remote(50),
        )
        const [early] = await ray.wait(waiting, { numReturns: 1, timeoutMs: 500 })
        writeFileSync(files[free], '')
        await held[free]
        const ran = await ray.get(waiting)
        console.log(early.length, ran.every((node) => node === nodes[free]))
        rmSync(files[free])
        rmSync(files[free] + '.held')
        held[free] = hold.options(inGroup(group, free)).remote(files[free])
        while (!existsSync(files[free] + '.held')) {
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
      for (const each of files) writeFileSync(each, '')
      await ray.get(held)
      rmSync(folder, { recursive: true })
    `)
    assert.equal(out, '0 true\n0 true\n')
  }))
