// What Ray's own tests of datasets ask, where no other test here does.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import {
  col,
  DataContext,
  Dataset,
  download,
  fromItems,
  range,
  rangeTensor,
  readCsv,
  Sum,
  udf,
} from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'

/** The same dataset, run in this process. */
const here = <R>(dataset: Dataset<R>): Dataset<R> =>
  new Dataset<R>(new DatasetSession(new InProcessRunner()), dataset.plan)

test('sums of groups leave nulls out, or are null where there is one', async () => {
  const rows = Array.from({ length: 100 }, (_, i) => ({ A: i % 3, B: i }))
  const sums = async (items: readonly { A: number; B: number | null }[], ignoreNulls: boolean) => {
    const groups = here(fromItems(items, { overrideNumBlocks: 4 }))
      .groupBy('A')
      .aggregate(Sum('B', { ignoreNulls, alias: 'sum' }))
      .sort('A')
    return (await groups.takeAll()).map((row) => row.sum)
  }
  assert.deepEqual(await sums(rows, true), [1683, 1617, 1650])
  const withNull = [...rows, { A: 0, B: null }]
  assert.deepEqual(await sums(withNull, true), [1683, 1617, 1650])
  assert.deepEqual(await sums(withNull, false), [null, 1617, 1650])
})

test('a shuffle without a seed differs each time, and one of nothing is empty', async () => {
  const orders = new Set<string>()
  for (let i = 0; i < 3; i++) {
    const rows = await here(range(100)).randomShuffle().takeAll()
    orders.add(rows.map(({ id }) => id).join())
  }
  assert.equal(orders.size, 3)
  assert.deepEqual(await here(range(0)).randomShuffle({ seed: 1 }).takeAll(), [])
})

test('splits at indices may be empty, and refuse indices out of order or below zero', async () => {
  const ten = here(range(10, { overrideNumBlocks: 3 }))
  const parts = await ten.splitAtIndices([0, 4, 4, 10, 50])
  const lengths = await Promise.all(parts.map((part) => part.count()))
  assert.deepEqual(lengths, [0, 4, 0, 6, 0, 0])
  await assert.rejects(async () => ten.splitAtIndices([4, 2]), /RayError/)
  await assert.rejects(async () => ten.splitAtIndices([-1]), /RayError/)
  const equal = await ten.split(3, { equal: true })
  assert.deepEqual(await Promise.all(equal.map((part) => part.count())), [3, 3, 3])
})

test('sorts of nothing, and of what a filter left nothing of, are empty', async () => {
  assert.deepEqual(await here(range(0)).sort('id').takeAll(), [])
  const none = here(range(10)).filter(({ id }) => id > 99)
  assert.deepEqual(await none.sort('id', { descending: true }).takeAll(), [])
})

test('zip takes several datasets, and numbers the names that they share', async () => {
  const [a, b, c] = [range(4, { overrideNumBlocks: 3 }), range(4), range(4)].map(here)
  assert.ok(a !== undefined && b !== undefined && c !== undefined)
  const zipped = a.zip(
    b.repartition(2),
    c.select({ id: col<number>('id').add(1), other: col('id') }),
  )
  const expected = [0, 1, 2, 3].map((i) => ({ id: i, id_1: i, id_2: i + 1, other: i }))
  assert.deepEqual(await zipped.takeAll(), expected)
  assert.throws(() => (a.zip as () => unknown)(), /was given no datasets/)
})

test('a column of groups is computed of one group at a time', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ k: i % 4 === 3 ? null : i % 4, x: i }))
  const groups = here(fromItems(rows, { overrideNumBlocks: 5 })).groupBy('k')
  const rank = udf<number>((x: ArrayLike<number>) => Float64Array.from(x, (_, i) => i))
  const ranked = await groups
    .withColumn('rank', rank(col('x')).add(1))
    .sort('x')
    .takeAll()
  assert.deepEqual(
    ranked,
    rows.map((row) => ({ ...row, rank: Math.floor(row.x / 4) + 1 })),
  )
  const twice = await groups.withColumn('x', col<number>('x').mul(2)).takeAll()
  assert.equal(twice.length, 60)
  const first = new Map<number | null, number>()
  for (const [i, { k }] of twice.entries()) if (!first.has(k)) first.set(k, i)
  for (const [i, { k }] of twice.entries()) assert.ok(i < (first.get(k) ?? 0) + 15, 'together')
  assert.deepEqual(await here(range(0)).groupBy('id').withColumn('y', col('id')).takeAll(), [])
  const broken = udf(() => {
    throw new Error('boom')
  })
  await assert.rejects(
    groups.withColumn('y', broken(col('x'))).takeAll(),
    /in the group k = .*boom/,
  )
})

test('a streaming split divides each row to one part, by chance or by a column', async () => {
  const ds = here(range(1000, { overrideNumBlocks: 7 }))
  for (const options of [{}, { seed: 3 }, { splitType: 'hash', hashColumn: 'id' }] as const) {
    const { train, test } = ds.streamingTrainTestSplit(0.25, options)
    const [trained, tested] = [await train.takeAll(), await test.takeAll()]
    const all = [...trained, ...tested].map(({ id }) => id).sort((a, b) => a - b)
    assert.deepEqual(
      all,
      Array.from({ length: 1000 }, (_, i) => i),
    )
    assert.ok(tested.length > 150 && tested.length < 350, `${tested.length} to test with`)
  }
  const [one, two] = [1, 2].map(() => ds.streamingTrainTestSplit(0.5, { seed: 1 }).test)
  assert.deepEqual(await one?.takeAll(), await two?.takeAll())
  assert.throws(() => ds.streamingTrainTestSplit(1), /between 0 and 1, not 1/)
  assert.throws(() => ds.streamingTrainTestSplit(0.5, { splitType: 'hash' }), /takes a hashColumn/)
})

test('files are named, and downloaded by name', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'typeray-files-'))
  try {
    const files = ['a.csv', 'b.csv'].map((name) => path.join(folder, name))
    for (const file of files) fs.writeFileSync(file, 'x\n1\n')
    const read = here(readCsv(folder))
    const both = read.union(read).zip(here(range(4)))
    assert.deepEqual(await both.inputFiles(), files)
    assert.deepEqual(await here(range(3)).inputFiles(), [])
    const uris = [files[0], `file://${files[1]}`, null].map((uri) => ({ uri }))
    const got = await here(fromItems(uris)).withColumn('bytes', download('uri')).takeAll()
    const texts = got.map(({ bytes }) => (bytes as Uint8Array | null) && Buffer.from(bytes))
    assert.deepEqual(texts.map(String), ['x\n1\n', 'x\n1\n', 'null'])
    const missing = here(fromItems([{ uri: path.join(folder, 'no') }]))
    await assert.rejects(
      missing.withColumn('bytes', download('uri')).takeAll(),
      /download: .*no cannot be read/,
    )
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})

test('tensors become lists', async () => {
  const tensors = here(rangeTensor(3, { shape: [2] }))
  const lists = tensors.select({ list: col('data').arr.toList() })
  assert.deepEqual((await lists.schema()).types, ['List<Float64>'])
  assert.deepEqual(
    (await lists.takeAll()).map(({ list }) => [...(list as Iterable<number>)]),
    [0, 1, 2].map((i) => [i, i]),
  )
})

test('files are read in an order that a seed draws, or another each time', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'typeray-files-'))
  try {
    const numbers = Array.from({ length: 12 }, (_, i) => i)
    for (const n of numbers) {
      fs.writeFileSync(path.join(folder, `${String(n).padStart(2, '0')}.csv`), `n\n${n}\n`)
    }
    const order = async (shuffle: 'files' | { seed?: number } | null): Promise<number[]> => {
      const read = readCsv<{ n: number }>(folder, { shuffle, int64: 'number' })
      return (await here(read).takeAll()).map(({ n }) => n)
    }
    assert.deepEqual(await order(null), numbers)
    const seeded = await order({ seed: 1 })
    assert.notDeepEqual(seeded, numbers)
    assert.deepEqual(await order({ seed: 1 }), seeded)
    assert.deepEqual(
      [...seeded].sort((a, b) => a - b),
      numbers,
    )
    const orders = await Promise.all([1, 2, 3].map(() => order('files')))
    assert.equal(new Set(orders.map(String)).size, 3)
    const first = here(readCsv<{ n: bigint }>(folder, { shuffle: { seed: 1 } })).limit(3)
    assert.deepEqual(
      (await first.takeAll()).map(({ n }) => Number(n)),
      seeded.slice(0, 3),
    )
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})

test('a schema is not computed if not wanted, and a summary has the columns named', async () => {
  const known = here(range(3))
  const mapped = known.map(({ id }) => ({ half: id / 2, id }))
  assert.equal(await mapped.schema({ fetchIfMissing: false }), undefined)
  assert.equal(await mapped.columns({ fetchIfMissing: false }), undefined)
  assert.deepEqual(await mapped.columns(), ['half', 'id'])
  const summary = await mapped.summary({ columns: ['half'] })
  assert.deepEqual(
    summary.columns.map(({ name, mean }) => [name, mean]),
    [['half', 0.5]],
  )
})

test('aggregates of nothing are refused', async () => {
  await assert.rejects(here(range(3)).aggregate(), /aggregate was given no aggregates/)
})

test('a setting that is not there is not taken for one', () => {
  const context = DataContext.getCurrent() as unknown as Record<string, unknown>
  assert.throws(() => (context['targetMaxBlockSize'] = 1), /targetMaxBlockSize/)
})

test('splits by shares have a row each, or are refused', async () => {
  const ten = here(range(10, { overrideNumBlocks: 3 }))
  const lengths = async (shares: readonly number[]): Promise<number[]> => {
    const parts = await ten.splitProportionately(shares)
    return Promise.all(parts.map((part) => part.count()))
  }
  assert.deepEqual(await lengths([0.5]), [5, 5])
  assert.deepEqual(await lengths([0.2, 0.3, 0.3]), [2, 3, 3, 2])
  assert.deepEqual(await lengths([0.98, 0.01]), [8, 1, 1])
  for (const shares of [[], [-1], [0], [1], [0.5, 0.5], [0.9, ...Array<number>(90).fill(0.001)]]) {
    await assert.rejects(lengths(shares), /splitProportionately/, String(shares))
  }
})

test('splits at any indices are those of a plain array', async () => {
  await assert.rejects(here(range(10)).splitAtIndices([]), /given no indices/)
  const numbers = Array.from({ length: 7 }, (_, i) => i)
  for (const overrideNumBlocks of [1, 3, 7]) {
    const dataset = await here(range(7, { overrideNumBlocks })).materialize()
    for (const indices of [[0], [7], [100], [2, 2], [1, 3, 6], [0, 1, 2, 3, 4, 5, 6], [3, 9, 12]]) {
      const parts = await dataset.splitAtIndices(indices)
      const got = await Promise.all(parts.map((part) => part.takeAll()))
      const expected = [...indices, 7].map((end, i) => numbers.slice(indices[i - 1] ?? 0, end))
      assert.deepEqual(
        got.map((rows) => rows.map(({ id }) => id)),
        expected,
        `${overrideNumBlocks} blocks at ${indices.join(', ')}`,
      )
    }
  }
})

test('a sort keeps the number of blocks, none of which is empty', async () => {
  const rows = Array.from({ length: 100 }, (_, i) => ({ item: (i * 37) % 100 }))
  const mixed = here(fromItems(rows, { overrideNumBlocks: 4 }))
  const lengthsOf = async (dataset: Dataset<(typeof rows)[number]>): Promise<number[]> => {
    const lengths: number[] = []
    for await (const { metadata } of dataset.iterRefBundles()) lengths.push(metadata.rows)
    return lengths
  }
  for (const descending of [false, true]) {
    const sorted = mixed.sort('item', { descending })
    const lengths = await lengthsOf(sorted)
    assert.ok(lengths.length === 4 && lengths.every((length) => length > 0), String(lengths))
    const items = (await sorted.takeAll()).map(({ item }) => item)
    const expected = Array.from({ length: 100 }, (_, i) => (descending ? 99 - i : i))
    assert.deepEqual(items, expected)
  }
})
