import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import * as util from '../../src/util/index.js'
import type { NumericArray, ReduceOp } from '../../src/util/index.js'
import { inCluster, rejection } from './in-cluster.js'

type ArrayName =
  | 'Int8Array'
  | 'Uint8Array'
  | 'Uint8ClampedArray'
  | 'Int16Array'
  | 'Uint16Array'
  | 'Int32Array'
  | 'Uint32Array'
  | 'Float32Array'
  | 'Float64Array'
  | 'BigInt64Array'
  | 'BigUint64Array'

/** Element `i` of rank `rank`: small, so that sums and products fit every kind. */
const element = (rank: number, i: number): number => 1 + ((i + rank) % 3)

class Rank {
  rank = -1
  async init(size: number, rank: number, groupName = 'default') {
    this.rank = rank
    await util.initCollectiveGroup(size, rank, { groupName, timeoutMs: 60_000 })
    return [util.getRank(groupName), util.getCollectiveGroupSize(groupName)]
  }
  async tryInit(size: number, rank: number, groupName: string, timeoutMs: number) {
    await util.initCollectiveGroup(size, rank, { groupName, timeoutMs })
  }
  make(type: ArrayName, length: number): NumericArray {
    const array = new globalThis[type](length)
    for (let i = 0; i < length; i++) {
      const value = element(this.rank, i)
      array[i] = type.startsWith('Big') ? BigInt(value) : value
    }
    return array
  }
  async allReduce(type: ArrayName, length: number, op?: ReduceOp) {
    const array = this.make(type, length)
    return util.allReduce(array, { timeoutMs: 60_000, ...(op !== undefined && { op }) })
  }
  async impatient(type: ArrayName, length: number, groupName: string, timeoutMs: number) {
    return util.allReduce(this.make(type, length), { groupName, timeoutMs })
  }
  async reduce(length: number, root: number) {
    return util.reduce(this.make('Float64Array', length), root, { op: 'MAX' })
  }
  async broadcast(length: number, root: number) {
    return util.broadcast(this.make('Int32Array', length), root)
  }
  async allGather(length: number, size: number) {
    const outputs = Array.from({ length: size }, () => new Float32Array(length))
    return util.allGather(outputs, this.make('Float32Array', length) as Float32Array)
  }
  async reduceScatter(length: number, size: number) {
    const inputs = Array.from({ length: size }, (_, part) => {
      const array = new Float64Array(length)
      for (let i = 0; i < length; i++) array[i] = 100 * part + element(this.rank, i)
      return array
    })
    return util.reduceScatter(new Float64Array(length), inputs)
  }
  async barriers(count: number) {
    for (let i = 0; i < count; i++) await util.barrier()
    return count
  }
  async send(length: number, to: number) {
    await util.send(this.make('BigInt64Array', length), to, { timeoutMs: 60_000 })
  }
  async recv(type: ArrayName, length: number, from: number) {
    return util.recv(new globalThis[type](length), from, { timeoutMs: 60_000 })
  }
  /** Calls that are not awaited one by one run in their order. */
  async several() {
    const arrays = [1, 2, 3].map((factor) => new Float64Array(10).fill(factor))
    await Promise.all(arrays.map((array) => util.allReduce(array)))
    return arrays.map((array) => array[0])
  }
  async destroy(groupName?: string) {
    await util.destroyCollectiveGroup(groupName)
    return util.isGroupInitialized(groupName)
  }
  async barrierOf(groupName: string) {
    await util.barrier({ groupName, timeoutMs: 60_000 })
    return util.getRank(groupName)
  }
  exit() {
    process.exit(0)
  }
}

const RemoteRank = ray.remote({ numCpus: 0 }, Rank)
type Handle = ray.ActorHandle<Rank>

/** Starts ranks in a group of their own kind of size, and joins them. */
async function group(size: number): Promise<Handle[]> {
  const ranks = Array.from({ length: size }, () => RemoteRank.remote())
  const places = await ray.get(ranks.map((rank, i) => rank.init.remote(size, i)))
  assert.deepEqual(
    places,
    ranks.map((_, i) => [i, size]),
  )
  return ranks
}

const expected = (length: number, size: number, fold: (a: number, b: number) => number) =>
  Array.from({ length }, (_, i) =>
    Array.from({ length: size }, (_, rank) => element(rank, i)).reduce(fold),
  )

const folds: Record<ReduceOp, (a: number, b: number) => number> = {
  SUM: (a, b) => a + b,
  PRODUCT: (a, b) => a * b,
  MIN: (a, b) => Math.min(a, b),
  MAX: (a, b) => Math.max(a, b),
}

const kinds: readonly ArrayName[] = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
]

/** Over many chunks, with a rest; and lengths below the number of ranks. */
const lengths = [0, 1, 2, 1000, 300_001]

function collectiveTests(size: number) {
  let ranks: Handle[] = []
  const all = <T>(call: (rank: Handle, i: number) => ray.ObjectRef<T>): Promise<T[]> =>
    ray.get(ranks.map(call)) as Promise<T[]>
  return {
    async 'ranks join'() {
      ranks = await group(size)
    },
    async 'allReduce gives every rank the same, for every kind and length'() {
      for (const kind of kinds) {
        const [first, ...rest] = await all((rank) => rank.allReduce.remote(kind, 100))
        assert.deepEqual(Array.from(first ?? [], Number), expected(100, size, folds.SUM), kind)
        for (const other of rest) assert.deepEqual(other, first)
      }
      for (const length of lengths) {
        for (const result of await all((rank) => rank.allReduce.remote('Float64Array', length))) {
          assert.deepEqual([...result], expected(length, size, folds.SUM))
        }
      }
    },
    async 'allReduce knows sums, products, minima and maxima'() {
      for (const [op, fold] of Object.entries(folds)) {
        for (const kind of ['Float32Array', 'Int32Array', 'BigUint64Array'] as const) {
          const results = await all((rank) => rank.allReduce.remote(kind, 500, op as ReduceOp))
          for (const result of results) {
            assert.deepEqual(Array.from(result, Number), expected(500, size, fold))
          }
        }
      }
    },
    async 'reduce changes the array of one rank'() {
      for (const length of lengths) {
        const root = length % size
        const results = await all((rank) => rank.reduce.remote(length, root))
        results.forEach((result, rank) => {
          const own = Array.from({ length }, (_, i) => element(rank, i))
          const want = rank === root ? expected(length, size, folds.MAX) : own
          assert.deepEqual([...result], want)
        })
      }
    },
    async 'broadcast copies the array of one rank'() {
      for (const length of lengths) {
        const root = (length + 1) % size
        for (const result of await all((rank) => rank.broadcast.remote(length, root))) {
          assert.deepEqual(
            Array.from(result, Number),
            Array.from({ length }, (_, i) => element(root, i)),
          )
        }
      }
    },
    async 'allGather and reduceScatter put each part in its place'() {
      for (const length of lengths) {
        for (const outputs of await all((rank) => rank.allGather.remote(length, size))) {
          outputs.forEach((output, from) => {
            const want = Array.from({ length }, (_, i) => element(from, i))
            assert.deepEqual(Array.from(output), want)
          })
        }
        const parts = await all((rank) => rank.reduceScatter.remote(length, size))
        parts.forEach((part, rank) => {
          const want = expected(length, size, folds.SUM).map((sum) => sum + 100 * rank * size)
          assert.deepEqual([...part], want)
        })
      }
    },
    async 'barriers, and calls that overlap, keep their order'() {
      assert.deepEqual(await all((rank) => rank.barriers.remote(50)), Array(size).fill(50))
      for (const values of await all((rank) => rank.several.remote())) {
        assert.deepEqual(values, [size, 2 * size, 3 * size])
      }
    },
    async 'a rank sends to another, while the others do something else'() {
      const [first, second] = ranks
      assert.ok(first && second)
      for (const length of lengths) {
        const sent = first.send.remote(length, 1)
        const got: NumericArray = await ray.get(second.recv.remote('BigInt64Array', length, 0))
        await ray.get(sent)
        assert.deepEqual(
          Array.from(got, Number),
          Array.from({ length }, (_, i) => element(0, i)),
        )
      }
      await all((rank) => rank.barriers.remote(1))
    },
    async 'ranks that do not agree all hear of it, and the group goes on'() {
      const results = await Promise.all(
        ranks.map((rank, i) =>
          rejection(ray.get(rank.allReduce.remote('Float32Array', i === 1 ? 11 : 10))),
        ),
      )
      for (const error of results) {
        const { cause } = error as ray.RayTaskError
        assert.ok(cause instanceof util.CollectiveError, String(error))
        assert.match(cause.message, /rank 0 called allReduce\(Float32Array\(10\), SUM\)/)
        assert.match(cause.message, /rank 1 called allReduce\(Float32Array\(11\), SUM\)/)
      }
      const [first, second] = ranks
      assert.ok(first && second)
      const pair = await Promise.all([
        rejection(ray.get(first.send.remote(5, 1))),
        rejection(ray.get(second.recv.remote('Float64Array', 5, 0))),
      ])
      for (const error of pair) {
        assert.match(String(error), /rank 0 sends BigInt64Array\(5\) and rank 1 receives into/)
      }
      assert.deepEqual(await all((rank) => rank.barriers.remote(1)), Array(size).fill(1))
    },
    async 'a group is left and joined again'() {
      assert.deepEqual(await all((rank) => rank.destroy.remote()), Array(size).fill(false))
      const [first] = ranks
      const error = await rejection(ray.get((first as Handle).barriers.remote(1)))
      assert.match(String(error), /not in the collective group 'default'/)
      await all((rank, i) => rank.init.remote(size, i))
      await all((rank) => rank.barriers.remote(2))
    },
  }
}

inCluster('Collectives of two ranks', { numCpus: 2 }, collectiveTests(2))
inCluster('Collectives of three ranks', { numCpus: 2 }, collectiveTests(3))

inCluster(
  'Collectives that fail',
  { numCpus: 2 },
  {
    async 'a rank that is alone says who did not join'() {
      const alone = RemoteRank.remote()
      const error = await rejection(ray.get(alone.tryInit.remote(3, 1, 'few', 200)))
      assert.match(String(error), /rank 0, 2 did not join within 200 ms/)
    },

    async 'of two that say that they are the same rank one is refused, and the other joins'() {
      const same = [RemoteRank.remote(), RemoteRank.remote()].map((each) =>
        each.tryInit.remote(2, 1, 'twice', 60_000),
      )
      const [[refused], [waiting]] = await ray.wait(same)
      assert.ok(refused && waiting)
      assert.match(String(await rejection(ray.get(refused))), /rank 1 has joined already/)
      await ray.get([waiting, RemoteRank.remote().init.remote(2, 0, 'twice')])
    },

    async 'a rank that does not come ends the group for all, in time'() {
      const ranks = [RemoteRank.remote(), RemoteRank.remote()]
      await ray.get(ranks.map((rank, i) => rank.init.remote(2, i, 'late')))
      const [first, second] = ranks
      assert.ok(first && second)
      const error = await rejection(ray.get(first.impatient.remote('Int8Array', 4, 'late', 100)))
      assert.match(String(error), /allReduce: rank 1 did not come within 100 ms/)
      const other = await rejection(
        ray.get(second.impatient.remote('Int8Array', 4, 'late', 60_000)),
      )
      assert.match(String(other), /rank 0 gave up/)
    },

    async 'the death of a rank is noticed long before the timeout'() {
      const ranks = [RemoteRank.remote(), RemoteRank.remote()]
      await ray.get(ranks.map((rank, i) => rank.init.remote(2, i, 'dying')))
      const [first, second] = ranks
      assert.ok(first && second)
      const waiting = first.impatient.remote('Int8Array', 4, 'dying', 90_000)
      second.exit.remote()
      const error = await rejection(ray.get(waiting))
      assert.match(String(error), /the process of rank 1 has ended/)
    },

    async 'actors join a group that was declared for them by themselves'() {
      const ranks = [RemoteRank.remote(), RemoteRank.remote()]
      await util.createCollectiveGroup(ranks, { groupName: 'declared', ranks: [1, 0] })
      const error = await rejection(util.createCollectiveGroup(ranks, { groupName: 'declared' }))
      assert.ok(error instanceof util.CollectiveError)
      const places = await ray.get(ranks.map((rank) => rank.barrierOf.remote('declared')))
      assert.deepEqual(places, [1, 0])
    },

    async 'the driver may be a rank, and what makes no sense is refused'() {
      const other = RemoteRank.remote()
      const joined = other.init.remote(2, 1, 'driver')
      await util.initCollectiveGroup(2, 0, { groupName: 'driver' })
      await ray.get(joined)
      const options = { groupName: 'driver' }
      const sum = other.impatient.remote('Float64Array', 3, 'driver', 60_000)
      assert.deepEqual(
        [...(await util.allReduce(new Float64Array(3).fill(10), options))],
        [12, 13, 11],
      )
      await ray.get(sum)
      await assert.rejects(util.send(new Int8Array(1), 0, options), RangeError)
      await assert.rejects(util.broadcast(new Int8Array(1), 2, options), RangeError)
      await assert.rejects(util.allReduce([1] as unknown as Int8Array, options), TypeError)
      await assert.rejects(util.allGather([new Int8Array(1)], new Int8Array(1), options), TypeError)
      await assert.rejects(util.initCollectiveGroup(2, 0, options), util.CollectiveError)
      await assert.rejects(util.initCollectiveGroup(2, 2), RangeError)
      const backend = 'nccl' as 'shm'
      await assert.rejects(util.initCollectiveGroup(2, 0, { backend }), /no GPU tensors/)
      await util.destroyCollectiveGroup('driver')
    },
  },
)
