// Random graphs of tasks through the public API, against the same graph evaluated one after the
// other in this process, while workers die at random.
//
// RUNS=200 for a long run, SEED=n to repeat one. Who dies follows from the seed and the timing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as ray from '../../src/index.js'
import { Prng } from '../../src/base/prng.js'
import { cpusAreFree, killPid, storeIsEmpty, withSession } from './fault-session.js'

interface Node {
  readonly kind: (typeof kinds)[number]
  readonly salt: number
  /** Earlier nodes, by how far back they are. */
  readonly from: readonly number[]
}

/**
 * small: a number; large: an array in the store; nested: reads its inputs with `get` from a list of
 * refs; parent: has a task of its own do it; several: one of three returns; stream: the last item.
 */
const kinds = ['small', 'small', 'large', 'nested', 'parent', 'several', 'stream', 'put'] as const
const modulus = 1_000_003
const largeLength = 60_000
const killEvery = 40
const killsMax = 8

type Value = number | Float64Array

const combine = (salt: number, inputs: readonly Value[]): number => {
  let sum = salt
  for (const input of inputs) {
    const part = typeof input === 'number' ? input : input[input.length - 1]!
    sum = (sum * 31 + part) % modulus
  }
  return sum
}

const asLarge = (value: number): Float64Array => new Float64Array(largeLength).fill(value)

const small = ray.remote({ maxRetries: -1 }, (salt: number, ...inputs: Value[]) =>
  combine(salt, inputs),
)
const large = ray.remote({ maxRetries: -1 }, (salt: number, ...inputs: Value[]) =>
  asLarge(combine(salt, inputs)),
)
const nested = ray.remote({ maxRetries: -1 }, async (salt: number, refs: ray.ObjectRef<Value>[]) =>
  combine(salt, await ray.get(refs)),
)
const parent = ray.remote({ maxRetries: -1 }, async (salt: number, refs: ray.ObjectRef<Value>[]) =>
  ray.get(small.remote(salt, ...(refs as unknown as Value[]))),
)
const several = ray.remote(
  { maxRetries: -1, numReturns: 3 },
  (salt: number, ...inputs: Value[]): [number, number, Float64Array] => {
    const value = combine(salt, inputs)
    return [value, value + 1, asLarge(value)]
  },
)
const stream = ray.remote(
  { maxRetries: -1, numReturns: 'streaming' },
  function* (salt: number, ...inputs: Value[]) {
    for (let i = 0; i < 3; i++) yield asLarge(i)
    yield combine(salt, inputs)
  },
)

async function lastOf(salt: number, inputs: readonly Value[]): Promise<ray.ObjectRef<Value>> {
  let last: ray.ObjectRef<Value> | undefined
  const items = stream.remote(salt, ...inputs)
  for await (const item of items as AsyncIterable<ray.ObjectRef<Value>>) last = item
  return last!
}

async function submit(node: Node, refs: ray.ObjectRef<Value>[]): Promise<ray.ObjectRef<Value>> {
  const { kind, salt } = node
  // A ref among the arguments stands for its value.
  const inputs = refs as unknown as Value[]
  switch (kind) {
    case 'small':
      return small.remote(salt, ...inputs)
    case 'large':
      return large.remote(salt, ...inputs)
    case 'nested':
      return nested.remote(salt, refs)
    case 'parent':
      return parent.remote(salt, refs)
    case 'several':
      return several.remote(salt, ...inputs)[salt % 3 === 2 ? 2 : 0]
    case 'stream':
      return lastOf(salt, inputs)
    case 'put':
      return ray.put<Value>(salt % 2 === 0 ? salt : asLarge(salt))
  }
}

function expected(graph: readonly Node[]): number[] {
  const values: number[] = []
  for (const [i, node] of graph.entries()) {
    const inputs = inputsOf(node, i).map((from) => values[from]!)
    values.push(node.kind === 'put' ? node.salt : combine(node.salt, inputs))
  }
  return values
}

function inputsOf({ from }: Node, index: number): number[] {
  return index === 0 ? [] : from.map((back) => index - 1 - (back % index))
}

async function actual(graph: readonly Node[], tick: () => void): Promise<number[]> {
  const refs: ray.ObjectRef<Value>[] = []
  for (const [i, node] of graph.entries()) {
    const inputs = inputsOf(node, i).map((from) => refs[from]!)
    refs.push(await submit(node, inputs))
  }
  const numbers = refs.map(async (ref) => {
    const value = await ray.get(ref)
    tick()
    return typeof value === 'number' ? value : value[value.length - 1]!
  })
  return Promise.all(numbers)
}

const node: fc.Arbitrary<Node> = fc.record({
  kind: fc.constantFrom(...kinds),
  salt: fc.nat(1000),
  from: fc.array(fc.nat(20), { maxLength: 3 }),
})

const seed = Number(process.env['SEED'] ?? Date.now() % 0x7fff_ffff)
const numRuns = Number(process.env['RUNS'] ?? 6)

test(`random graphs give what they give one after the other (seed ${seed})`, async () => {
  const graphs = fc.sample(fc.array(node, { minLength: 20, maxLength: 80 }), { seed, numRuns })
  await withSession({ objectStoreMemory: 128 * 1024 * 1024 }, async ({ workerPids }) => {
    const random = new Prng(seed)
    let results = 0
    let kills = 0
    const tick = (): void => {
      const pids = ++results % killEvery === 0 && kills < killsMax * numRuns ? workerPids() : []
      if (pids.length === 0) return
      killPid(random.pick(pids))
      kills++
    }
    for (const graph of graphs) assert.deepEqual(await actual(graph, tick), expected(graph))
    await cpusAreFree()
    await storeIsEmpty()
  })
})
