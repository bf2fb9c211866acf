// What is at work while all is breaking: graphs of tasks, streams, and actors with state. Each
// knows what must come out.

import type { Prng } from '../../src/base/prng.js'
import * as ray from '../../src/index.js'

const modulus = 1_000_003
const largeLength = 40_000

type Value = number | Float64Array
type Refs = ray.ObjectRef<Value>[]

const numberOf = (value: Value): number =>
  typeof value === 'number' ? value : value[value.length - 1]!

const combine = (salt: number, inputs: readonly Value[]): number => {
  let sum = salt
  for (const input of inputs) sum = (sum * 31 + numberOf(input)) % modulus
  return sum
}

const arrayOf = (value: number): Float64Array => new Float64Array(largeLength).fill(value)

const spread = { schedulingStrategy: 'SPREAD' as const }
const forever = { maxRetries: -1, ...spread }

const small = ray.remote(forever, (salt: number, ...inputs: Value[]) => combine(salt, inputs))

const large = ray.remote(forever, (salt: number, ...inputs: Value[]) =>
  arrayOf(combine(salt, inputs)),
)

const parent = ray.remote(forever, async (salt: number, refs: Refs) =>
  ray.get(small.remote(salt, ...(refs as unknown as Value[]))),
)

const nested = ray.remote(forever, async (salt: number, refs: Refs) =>
  combine(salt, await ray.get(refs)),
)

// An item belongs to the worker that made it, and a put object to the one that put it: with that
// they are lost for good, and whoever needs them has to run again.
const again = { ...forever, retryExceptions: [ray.RayError] }

const putting = ray.remote(again, async (salt: number, refs: Refs) => {
  const put = ray.put<Value>(arrayOf(combine(salt, await ray.get(refs))))
  return ray.get(nested.remote(0, [put]))
})

const items = ray.remote(spread, function* (salt: number, count: number) {
  for (let n = 0; n < count; n++) yield n % 2 === 0 ? salt + n : arrayOf(salt + n)
})

const streaming = ray.remote(again, async (salt: number, refs: Refs) => {
  const first = combine(salt, await ray.get(refs))
  const got: Value[] = []
  const stream = items.options({ numReturns: 'streaming' }).remote(first, 4)
  for await (const item of stream) got.push(await item.get())
  return combine(0, got)
})

interface Kind {
  readonly name: string
  readonly submit: (salt: number, inputs: Refs) => ray.ObjectRef<Value>
  readonly expect: (salt: number, inputs: readonly number[]) => number
}

const spreadOut = (inputs: Refs): Value[] => inputs as unknown as Value[]

const kinds: readonly Kind[] = [
  {
    name: 'small',
    submit: (salt, refs) => small.remote(salt, ...spreadOut(refs)),
    expect: combine,
  },
  {
    name: 'large',
    submit: (salt, refs) => large.remote(salt, ...spreadOut(refs)),
    expect: combine,
  },
  { name: 'parent', submit: (salt, refs) => parent.remote(salt, refs), expect: combine },
  { name: 'nested', submit: (salt, refs) => nested.remote(salt, refs), expect: combine },
  {
    name: 'put',
    submit: (salt) => ray.put<Value>(arrayOf(salt)),
    expect: (salt) => salt,
  },
  {
    name: 'putting',
    submit: (salt, refs) => putting.remote(salt, refs),
    expect: (salt, inputs) => combine(0, [combine(salt, inputs)]),
  },
  {
    name: 'streaming',
    submit: (salt, refs) => streaming.remote(salt, refs),
    expect: (salt, inputs) =>
      combine(
        0,
        [0, 1, 2, 3].map((n) => combine(salt, inputs) + n),
      ),
  },
]

/** One graph of tasks; resolves to what is wrong with it. */
export async function graph(random: Prng): Promise<string[]> {
  const refs: Refs = []
  const expected: number[] = []
  const names: string[] = []
  const size = random.integer(8, 24)
  for (let n = 0; n < size; n++) {
    const salt = random.integer(0, 1000)
    const from = n === 0 ? [] : [0, 1, 2].map(() => random.integer(0, n - 1))
    const kind = random.pick(kinds)
    names.push(`${kind.name}(${from.join()})`)
    expected.push(
      kind.expect(
        salt,
        from.map((each) => expected[each]!),
      ),
    )
    refs.push(
      kind.submit(
        salt,
        from.map((each) => refs[each]!),
      ),
    )
  }
  const outcomes = await Promise.allSettled(refs.map((ref) => ray.get(ref)))
  return outcomes.flatMap((outcome, n) => {
    const what = `task ${n} of ${names.join(' ')}, ${refs[n]!.id},`
    if (outcome.status === 'rejected') return [`${what} failed: ${storyOf(outcome.reason)}`]
    const number = numberOf(outcome.value)
    return number === expected[n] ? [] : [`${what} gave ${number}, not ${expected[n]}`]
  })
}

/** An error with all that it comes from. */
export function storyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\n  caused by ${storyOf(error.cause)}`
  return `${error.name}: ${error.stack ?? error.message}${cause}`
}

class Tally {
  readonly incarnation = Math.random()
  count = 0
  add(array: Float64Array): [incarnation: number, count: number, sum: number] {
    return [this.incarnation, ++this.count, array[0]! + array[array.length - 1]!]
  }
}

/** Calls an actor again and again; resolves to what is wrong with its answers. */
export async function tally(isOver: () => boolean): Promise<string[]> {
  const options = { maxRestarts: -1, maxTaskRetries: -1, numCpus: 0, ...spread }
  const actor = ray.remote(Tally).options(options).remote()
  const counts = new Map<number, number>()
  const problems: string[] = []
  for (let n = 0; !isOver(); n++) {
    const [incarnation, count, sum] = await ray.get(actor.add.remote(arrayOf(n)))
    if (sum !== 2 * n) problems.push(`call ${n} summed ${sum}`)
    const before = counts.get(incarnation) ?? 0
    if (count <= before) problems.push(`call ${n} counted ${count} after ${before}`)
    counts.set(incarnation, count)
  }
  if (counts.size === 0) problems.push('no call of the actor came back')
  return problems
}
