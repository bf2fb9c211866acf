import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableFromArrays, type Table } from 'apache-arrow'
import { Dataset } from './dataset.js'
import { DatasetSession } from './dataset-session.js'
import { InProcessRunner } from './execution/in-process-runner.js'
import type { Source } from './logical/plan.js'
import type { AnyRow } from './planned-dataset.js'

function start<Row = AnyRow>(source: Source, runner = new InProcessRunner()): Dataset<Row> {
  return new Dataset<Row>(new DatasetSession(runner), { source, steps: [] })
}

const numbers = (rows: number) => start<{ id: number }>({ kind: 'range', rows })
const items = <Row extends object>(rows: readonly Row[]) =>
  start<Row>({ kind: 'items', rows: rows as readonly AnyRow[] })

test('flatMap keeps none, one or many rows of each', async () => {
  const repeated = numbers(4).flatMap(({ id }) => Array.from({ length: id }, () => ({ id })))
  assert.deepEqual(
    (await repeated.takeAll()).map(({ id }) => id),
    [1, 2, 2, 3, 3, 3],
  )
  const generated = numbers(3).flatMap(function* ({ id }) {
    if (id > 0) yield { half: id / 2 }
  })
  assert.deepEqual(await generated.takeAll(), [{ half: 0.5 }, { half: 1 }])
  const later = numbers(2).flatMap(async ({ id }) => [{ id }, { id: -id - 1 }])
  assert.equal(await later.count(), 4)
  assert.equal(
    await numbers(5)
      .flatMap(() => [])
      .count(),
    0,
  )
  await assert.rejects(
    numbers(1500)
      .flatMap(({ id }) => (id === 1234 ? ({ id } as never) : [{ id }]))
      .takeAll(),
    /flatMap\(anonymous\) failed at row 1234 of range: .* a single object; put it into an array/,
  )
})

test('batches come as columns, rows or Arrow tables of any size', async () => {
  const rows = numbers(1000).mapBatches((batch) => batch.map(({ id }) => ({ n: id + 1 })), {
    batchFormat: 'rows',
    batchSize: 7,
  })
  assert.deepEqual((await rows.takeAll()).at(-1), { n: 1000 })
  const sizes = numbers(20).mapBatches(({ id }) => ({ size: [id.length] }), { batchSize: 8 })
  assert.deepEqual(
    (await sizes.takeAll()).map(({ size }) => size),
    [8, 8, 4],
  )
  const tables = numbers(10).mapBatches<{ rows: number }>(
    (table: Table) => tableFromArrays({ rows: Int32Array.of(table.numRows) }),
    { batchFormat: 'arrow', batchSize: 4 },
  )
  assert.deepEqual(
    (await tables.takeAll()).map(({ rows: n }) => n),
    [4, 4, 2],
  )
  for (const batchSize of [0, -1, 1.5]) {
    assert.throws(() => numbers(1).mapBatches((b) => b, { batchSize }), /batchSize must be/)
  }
  const wrong = numbers(1).mapBatches((() => ({})) as never, { batchFormat: 'rows' })
  await assert.rejects(wrong.takeAll(), /must return an array of rows, and returned a Object/)
})

test('a batch function may generate several batches, and must generate batches', async () => {
  const twice = numbers(3).mapBatches(function* ({ id }) {
    yield { id }
    yield { id: id.map((value) => -value) }
  })
  assert.deepEqual(
    (await twice.takeAll()).map(({ id }) => id),
    [0, 1, 2, -0, -1, -2],
  )
  const later = numbers(2).mapBatches(async function* ({ id }) {
    yield await Promise.resolve({ id })
  })
  assert.equal(await later.count(), 2)
  const none = numbers(5).mapBatches(function* (): Generator<{ id: number[] }> {
    // Nothing.
  })
  assert.equal(await none.count(), 0)
  const wrong = numbers(1).mapBatches(function* () {
    yield 'text' as never
  })
  await assert.rejects(wrong.takeAll(), /must return an object of columns, and returned a string/)
})

test('a class is created once and keeps its state between batches', async () => {
  class Counter {
    seen = 0
    readonly step: number
    constructor(step: number) {
      this.step = step
    }
    call({ id }: { id: ArrayLike<number> }, offset: number) {
      this.seen += this.step
      return { n: Float64Array.from(id, () => this.seen + offset) }
    }
  }
  const counted = numbers(3000).mapBatches(Counter, { fnConstructorArgs: [10], fnArgs: [5] })
  assert.deepEqual([...new Set((await counted.takeAll()).map(({ n }) => n))], [15, 25, 35])
  const rows = numbers(3).map(
    class Negate {
      call({ id }: { id: number }) {
        return { id: -id }
      }
    },
  )
  assert.equal((await rows.takeAll())[2]?.id, -2)
  const lacking = numbers(1).map(class Lacking {} as never)
  await assert.rejects(lacking.takeAll(), /new Lacking\(\) failed: .* a method call\(rows\)/)
  const failing = numbers(1).map(
    class Failing {
      constructor() {
        throw new RangeError('no room')
      }
      call(row: { id: number }) {
        return row
      }
    },
  )
  await assert.rejects(failing.takeAll(), /new Failing\(\) failed: RangeError: no room/)
})

test('arguments are passed on; a function that may throw is called again', async () => {
  const added = numbers(2).map(({ id }, by: number) => ({ id: id + by }), { fnArgs: [10] })
  assert.deepEqual(await added.takeAll(), [{ id: 10 }, { id: 11 }])
  let calls = 0
  const flaky = numbers(1).map(
    (row) => {
      if (++calls < 3) throw new RangeError('not yet')
      return row
    },
    { retryExceptions: [RangeError] },
  )
  assert.equal(await flaky.count(), 1)
  calls = -5
  await assert.rejects(flaky.takeAll(), /RangeError: not yet/)
  calls = 0
  const other = numbers(1).map(
    () => {
      calls++
      throw new TypeError('never')
    },
    { retryExceptions: [RangeError] },
  )
  await assert.rejects(other.takeAll(), /never/)
  assert.equal(calls, 1)
})

test('columns are added, replaced, dropped and renamed', async () => {
  const people = items([
    { name: 'Ada', born: 1815 },
    { name: 'Alan', born: 1912 },
  ])
  const aged = people.addColumn('age', ({ born }) => Float64Array.from(born, (year) => 2000 - year))
  assert.deepEqual(await aged.takeAll(), [
    { name: 'Ada', born: 1815, age: 185 },
    { name: 'Alan', born: 1912, age: 88 },
  ])
  const replaced = people.addColumn('born', ({ name }) => name.map((each) => each.length))
  assert.deepEqual((await replaced.takeAll())[1], { name: 'Alan', born: 4 })
  assert.deepEqual(await aged.dropColumns(['born']).columns(), ['name', 'age'])
  assert.deepEqual(await people.renameColumns({ born: 'year' }).take(1), [
    { name: 'Ada', year: 1815 },
  ])
  assert.deepEqual(await people.renameColumns(['a', 'b']).columns(), ['a', 'b'])
  const refused: [Dataset<never>, RegExp][] = [
    [people.dropColumns(['nam' as 'name']) as never, /no column "nam"; the columns are name, born/],
    [people.renameColumns({ bor: 'x' } as never) as never, /no column "bor"/],
    [people.renameColumns(['a']) as never, /1 names were given for 2 columns/],
    [people.renameColumns({ born: 'name' }) as never, /two columns would be called "name"/],
    [people.addColumn('x', () => [1]) as never, /must have one length/],
  ]
  for (const [dataset, message] of refused) await assert.rejects(dataset.takeAll(), message)
})

test('a pool is checked at the call', () => {
  class Same {
    call(row: { id: number }) {
      return row
    }
  }
  const calls: [() => unknown, RegExp][] = [
    [() => numbers(1).map(Same, { concurrency: { min: 3, max: 2 } }), /max is 2, below min, 3/],
    [() => numbers(1).map(Same, { concurrency: [1, 4] as never }), /\{ min: 1, max: 4 \}/],
    [() => numbers(1).map(Same, { concurrency: { most: 4 } as never }), /'most' is not an option/],
    [
      () => numbers(1).map((row) => row, { concurrency: { max: 2 } }),
      /only a pool of actors grows/,
    ],
    [() => numbers(1).map((row) => row, { fnConstructorArgs: [1] }), /fnConstructorArgs are for/],
    [() => numbers(1).map(Same, { fnKwargs: {} } as object), /no keyword arguments/],
    [() => numbers(1).map('f' as never), /takes a function or a class, and was given "f"/],
  ]
  for (const [call, message] of calls) assert.throws(call, message)
})
