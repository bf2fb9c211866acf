// A cluster of three nodes whose workers and nodes are killed on a seeded clock, and whose links
// break, while task graphs, actors with state and large objects are at work: every result must be
// right, and nothing may be left behind.
//
// SECONDS=600 for a long run, SEED=n to repeat one. Who dies follows from the seed and the timing.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { Prng } from '../../src/base/prng.js'
import type { SessionFile } from '../../src/node/session-file.js'
import { type Nodes, withNodes } from '../integration/many-nodes.js'

const seed = Number(process.env['SEED'] ?? Date.now() % 0x7fff_ffff)
const seconds = Number(process.env['SECONDS'] ?? 30)
const modulus = 1_000_003
const largeLength = 40_000

type Value = number | Float64Array

const combine = (salt: number, inputs: readonly Value[]): number => {
  let sum = salt
  for (const input of inputs) {
    const part = typeof input === 'number' ? input : input[input.length - 1]!
    sum = (sum * 31 + part) % modulus
  }
  return sum
}

const forever = { maxRetries: -1, schedulingStrategy: 'SPREAD' as const }
const small = ray.remote(forever, (salt: number, ...inputs: Value[]) => combine(salt, inputs))
const large = ray.remote(forever, (salt: number, ...inputs: Value[]) =>
  new Float64Array(largeLength).fill(combine(salt, inputs)),
)
const parent = ray.remote(forever, async (salt: number, refs: ray.ObjectRef<Value>[]) =>
  ray.get(small.remote(salt, ...(refs as unknown as Value[]))),
)
const nested = ray.remote(forever, async (salt: number, refs: ray.ObjectRef<Value>[]) =>
  combine(salt, await ray.get(refs)),
)

class Tally {
  readonly incarnation = Math.random()
  count = 0
  add(array: Float64Array): [incarnation: number, count: number, sum: number] {
    return [this.incarnation, ++this.count, array[0]! + array[array.length - 1]!]
  }
}

/** One graph of tasks; resolves to what is wrong with it. */
async function graph(random: Prng): Promise<string[]> {
  const refs: ray.ObjectRef<Value>[] = []
  const expected: number[] = []
  const size = random.integer(10, 40)
  for (let n = 0; n < size; n++) {
    const salt = random.integer(0, 1000)
    const from = n === 0 ? [] : [0, 1, 2].map(() => random.integer(0, n - 1))
    const inputs = from.map((each) => refs[each]!)
    const values = inputs as unknown as Value[]
    const kind = random.integer(0, 4)
    expected.push(combine(salt, kind === 4 ? [] : from.map((each) => expected[each]!)))
    if (kind === 0) refs.push(small.remote(salt, ...values))
    else if (kind === 1) refs.push(large.remote(salt, ...values))
    else if (kind === 2) refs.push(parent.remote(salt, inputs))
    else if (kind === 3) refs.push(nested.remote(salt, inputs))
    else refs.push(ray.put<Value>(new Float64Array(largeLength).fill(combine(salt, []))))
  }
  const values = await ray.get(refs)
  return values.flatMap((value, n) => {
    const number = typeof value === 'number' ? value : value[value.length - 1]!
    return number === expected[n] ? [] : [`task ${n} gave ${number}, not ${expected[n]}`]
  })
}

/** Calls an actor again and again; resolves to what is wrong with its answers. */
async function tally(isOver: () => boolean): Promise<string[]> {
  const options = { maxRestarts: -1, maxTaskRetries: -1, numCpus: 0, ...spread }
  const actor = ray.remote(Tally).options(options).remote()
  const counts = new Map<number, number>()
  const problems: string[] = []
  for (let n = 0; !isOver(); n++) {
    const array = new Float64Array(largeLength).fill(n)
    const [incarnation, count, sum] = await ray.get(actor.add.remote(array))
    if (sum !== 2 * n) problems.push(`call ${n} summed ${sum}`)
    const before = counts.get(incarnation) ?? 0
    if (count <= before) problems.push(`call ${n} counted ${count} after ${before}`)
    counts.set(incarnation, count)
  }
  return problems
}
const spread = { schedulingStrategy: 'SPREAD' as const }

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((each) => Number.isInteger(each) && each > 0 && parentOf(each) === pid)
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** Kills a worker of any node, or sometimes a node, which another replaces. */
async function strike(nodes: Nodes, random: Prng): Promise<string> {
  const [head, ...others] = nodes.sessions
  if (random.chance(0.2)) {
    const alive = others.filter(({ pid }) => parentOf(pid) !== undefined)
    if (alive.length > 1) {
      const victim: SessionFile = random.pick(alive)
      await nodes.kill(victim)
      await nodes.join()
      return 'node'
    }
  }
  const workers = [head!, ...others].flatMap(({ pid }) => childrenOf(pid))
  if (workers.length === 0) return 'nobody'
  kill(random.pick(workers))
  return 'worker'
}

void test(`every result is right while all is breaking (seed ${seed})`, () =>
  withNodes(
    3,
    async (nodes) => {
      const random = new Prng(seed)
      const session = await ray.init({ address: nodes.sessions[0]!.sessionDir })
      const struck = new Map<string, number>()
      const until = performance.now() + seconds * 1000
      const isOver = (): boolean => performance.now() > until
      let graphs = 0
      const work = async (): Promise<string[]> => {
        const problems: string[] = []
        while (!isOver()) {
          problems.push(...(await graph(random)))
          graphs++
        }
        return problems
      }
      const breaking = async (): Promise<string[]> => {
        while (!isOver()) {
          const what = await strike(nodes, random)
          struck.set(what, (struck.get(what) ?? 0) + 1)
          const pauseMs = random.integer(100, 900)
          await new Promise((resolve) => setTimeout(resolve, pauseMs))
        }
        return []
      }
      try {
        const all = [work(), work(), tally(isOver), tally(isOver), breaking()]
        const problems = (await Promise.all(all)).flat()
        assert.deepEqual(problems, [])
        assert.ok(graphs > 0 && (struck.get('worker') ?? 0) > 0)
        console.log(`${session.sessionName}: ${graphs} graphs; struck`, Object.fromEntries(struck))
      } finally {
        await ray.shutdown()
      }
    },
    { numCpus: 2, validate: false },
    { variables: { TYPERAY_LINK_FAULTS: `${seed % 1000}:500` } },
  ))
