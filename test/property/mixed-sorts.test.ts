// Sorts of blocks whose types differ: by several tasks, in the order of one array, and with one
// type in all blocks that come out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Data,
  type DataType,
  DateDay,
  Float32,
  Float64,
  Int32,
  Int64,
  makeData,
  Null,
  tableToIPC,
  Timestamp,
  TimeUnit,
  Uint8,
  vectorFromArray,
} from 'apache-arrow'
import { blockOfData } from '../../src/data/block/block.js'
import { describeBlock } from '../../src/data/block/metadata.js'
import { Dataset } from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'

interface Row {
  readonly k: unknown
  readonly i: number
}

const perBlock = 40

/** A column of a type; numbers of times are days. */
function columnOf(type: DataType, values: readonly (number | null)[]): Data {
  if (type instanceof Null) return makeData({ type, length: values.length })
  const isTime = type instanceof Timestamp || type instanceof DateDay
  const stored = values.map((value) => {
    if (value === null) return null
    if (isTime) return new Date(value * 86_400_000)
    return type instanceof Int64 ? BigInt(value) : value
  })
  return vectorFromArray(stored, type).data[0] as Data
}

/** Pseudo-random numbers with repetitions and nulls, a third of them the same. */
function numbersOf(block: number): (number | null)[] {
  return Array.from({ length: perBlock }, (_, i) => {
    const number = ((block * perBlock + i) * 7919) % 101
    if (number % 13 === 0) return null
    return number % 3 === 0 ? 50 : number
  })
}

function datasetOf(types: readonly DataType[]): { runner: InProcessRunner; ds: Dataset<Row> } {
  const bundles = types.map((type, at) => {
    const rows = Float64Array.from({ length: perBlock }, (_, i) => at * perBlock + i)
    const numbers = makeData({ type: new Float64(), length: perBlock, nullCount: 0, data: rows })
    // Another column whose type differs, in another way.
    const other = columnOf(
      types[types.length - 1 - at] ?? type,
      Array.from(rows, (n) => n % 100),
    )
    const block = blockOfData(['k', 'i', 'other'], [columnOf(type, numbersOf(at)), numbers, other])
    return { block: Promise.resolve(tableToIPC(block)) as never, metadata: describeBlock(block, 0) }
  })
  const runner = new InProcessRunner()
  const plan = { source: { kind: 'blocks', bundles }, steps: [] } as const
  return { runner, ds: new Dataset<Row>(new DatasetSession(runner), plan) }
}

const kinds: Readonly<Record<string, readonly DataType[]>> = {
  integers: [new Int32(), new Uint8(), new Int64(), new Int32(), new Uint8()],
  'integers and doubles': [new Int64(), new Float64(), new Null(), new Int32(), new Float32()],
  'nulls and integers': [new Null(), new Int32(), new Null(), new Int32(), new Int32()],
  times: [
    new Timestamp(TimeUnit.MILLISECOND),
    new DateDay(),
    new Timestamp(TimeUnit.NANOSECOND),
    new Null(),
    new Timestamp(TimeUnit.MICROSECOND),
  ],
}

for (const [name, types] of Object.entries(kinds)) {
  test(`blocks of ${name} are sorted by several tasks, as one array is`, async () => {
    for (const isDescending of [false, true]) {
      for (const keys of [['k'], ['k', 'i']] as const) {
        const { runner, ds } = datasetOf(types)
        const sorted = await ds.sort(keys, { descending: isDescending }).materialize()
        const sorts = runner.tasks.filter((task) => /^sort\(.*\)$/.test(task))
        assert.ok(sorts.length > 2, `${runner.tasks.join(', ')}`)
        const rows = await sorted.takeAll()
        const values = types.flatMap((type, at) => {
          return type instanceof Null ? new Array<null>(perBlock).fill(null) : numbersOf(at)
        })
        const order = values.map((value, i) => ({ value, i }))
        order.sort((a, b) => {
          const sign = isDescending ? -1 : 1
          if (a.value === b.value) return keys.length > 1 ? sign * (a.i - b.i) : a.i - b.i
          if (a.value === null || b.value === null) return a.value === null ? 1 : -1
          return sign * (a.value - b.value)
        })
        assert.deepEqual(
          rows.map(({ i }) => i),
          order.map(({ i }) => i),
        )
        const numbers = rows.map(({ k }) => {
          if (k === null) return null
          return k instanceof Date ? k.getTime() / 86_400_000 : Number(k)
        })
        assert.deepEqual(
          numbers,
          order.map(({ value }) => value),
        )
        assert.equal(new Set(rows.flatMap(({ k }) => (k === null ? [] : typeof k))).size, 1)
        const schemas = new Set<string>()
        for await (const { metadata } of sorted.iterRefBundles()) {
          if (metadata.rows > 0) schemas.add(JSON.stringify(metadata.schema))
        }
        assert.equal(schemas.size, 1)
      }
    }
  })
}

test('keys that do not compare are refused by name, wherever they are', async () => {
  const { ds } = datasetOf([new Int32(), new Int32(), new Float64(), new Int32()])
  const mixed = ds.map(({ i }) => (i < 80 ? { k: i } : { k: `${i}` }))
  await assert.rejects(mixed.sort('k').takeAll(), /Column "k" is Int32 in one block and Utf8 in/)
})
