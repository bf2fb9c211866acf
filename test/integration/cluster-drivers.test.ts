// A program is killed, and what it has on other nodes ends with it, but for what is detached.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { observe } from '../../src/node/observer.js'
import type { SessionFile } from '../../src/node/session-file.js'
import * as state from '../../src/state/index.js'
import { type Driver, until } from '../../src/testing/index.js'
import { type Nodes, withNodes } from './many-nodes.js'
import { workersOf } from './node-processes.js'

/** Leaves something of each kind on another node, and says so. */
const program = ({ nodeId }: SessionFile): string => `
  await ray.init()
  const nodeId = '${nodeId}'
  const there = { schedulingStrategy: { nodeId, soft: false }, numCpus: 0 }
  class Counter {
    count = 0
    add() { return ++this.count }
    never() { return new Promise(() => undefined) }
  }
  const Remote = ray.remote(Counter).options(there)
  const stays = Remote.options({ lifetime: 'detached', name: 'stays' }).remote()
  const goes = Remote.options({ name: 'goes' }).remote()
  const bundles = [{ there: 1 }]
  const group = ray.placementGroup(bundles, 'PACK', { name: 'group that goes' })
  const staying = { name: 'group that stays', lifetime: 'detached' }
  const kept = ray.placementGroup(bundles, 'PACK', staying)
  const inGroup = ray.remote(Counter).options({
    numCpus: 0,
    schedulingStrategy: { placementGroup: group },
  }).remote()
  const make = ray.remote(() => new Uint8Array(5e6)).options(there)
  const nest = ray.remote(() => [ray.put(new Uint8Array(5e6))]).options(there)
  const refs = [make.remote(), make.remote(), nest.remote(), ray.put(new Uint8Array(5e6))]
  await ray.get([stays.add.remote(), goes.add.remote(), inGroup.add.remote(), kept.ready()])
  const [inner] = await ray.get(refs[2])
  await ray.wait(refs, { numReturns: refs.length, fetchLocal: false })
  const spins = ray.remote(() => { console.log('it spins'); for (;;); }).options(there)
  const waits = ray.remote(async (ref) => ray.get(ref)).options(there)
  const open = [spins.remote(), waits.remote(goes.never.remote())]
  console.log('ready', ray.getRuntimeContext().namespace)
  await ray.get([...open, inner])
`

interface Left {
  readonly workers: number
  readonly objects: number
  readonly actors: string
  readonly groups: string
  readonly nodes: number
}

async function storedObjects(head: SessionFile): Promise<number> {
  const observer = await observe(head, 20_000)
  try {
    const answer = await observer.query({ what: 'everyNode', question: 'storeStatistics' })
    const { values } = answer as { readonly values: readonly { readonly objects: number }[] }
    return values.reduce((sum, { objects }) => sum + objects, 0)
  } finally {
    observer.close()
  }
}

/** What there is in the whole cluster. */
async function leftIn({ sessions }: Nodes): Promise<Left> {
  const head = sessions[0] ?? assert.fail()
  const where = { address: head.sessionDir }
  const actors = await state.listActors(where)
  const groups = await state.listPlacementGroups(where)
  const nodes = await state.listNodes(where)
  return {
    workers: sessions.flatMap(workersOf).length,
    objects: await storedObjects(head),
    actors: namesOf(actors.filter((actor) => actor.state !== 'DEAD')),
    groups: namesOf(groups.filter((group) => group.state !== 'REMOVED')),
    nodes: nodes.filter((node) => node.state === 'ALIVE').length,
  }
}

const namesOf = (rows: readonly { readonly name: string }[]): string =>
  rows
    .map(({ name }) => name)
    .sort()
    .join()

const atEnd: Left = {
  workers: 1,
  objects: 0,
  actors: 'stays',
  groups: 'group that stays',
  nodes: 3,
}

async function killedLeaves(nodes: Nodes, driver: Driver): Promise<void> {
  await driver.said('it spins')
  await driver.said('ready')
  const before = await leftIn(nodes)
  assert.equal(before.actors, ',goes,stays')
  assert.ok(before.objects > 0 && before.workers > 3, JSON.stringify(before))
  driver.kill('SIGKILL')
  await driver.ended
  let left = before
  const isOver = async (): Promise<boolean> =>
    isDeepStrictEqual((left = await leftIn(nodes)), atEnd)
  await until(isOver, { timeoutMs: 60_000 }).catch(() => assert.deepEqual(left, atEnd))
  const namespace = /ready (\S+)/.exec(driver.stdout)?.[1] ?? ''
  const out = await nodes.run(`
    await ray.init()
    const stays = await ray.getActor('stays', { namespace: '${namespace}' })
    console.log(await ray.get(stays.add.remote()))
  `)
  assert.equal(out, '2\n')
}

const resources = { resources: { there: 3 } }

void test('a program that is killed takes with it what it has on other nodes', () =>
  withNodes(1, async (nodes) => {
    const own = await nodes.join()
    const other = await nodes.join(resources)
    await killedLeaves(nodes, nodes.driver(program(other), { on: own }))
  }))

void test('a program without a node that is killed takes with it what it has in the cluster', () =>
  withNodes(1, async (nodes) => {
    await nodes.join()
    const other = await nodes.join(resources)
    const { sessions, token } = nodes
    const env = { TYPERAY_ADDRESS: sessions[0]?.clusterAddress ?? '', TYPERAY_TOKEN: token }
    await killedLeaves(nodes, nodes.driver(program(other), { env }))
  }))
