// Columns whose names are empty, blank, quoted, words of JavaScript or of SQL, through every
// operator and format: nothing is lost or mixed up, or an error names the column.

import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { arrowStream } from '../../src/base/arrow-stream.js'
import { pieceBytes } from '../../src/base/pieced-bytes.js'
import { arrowOfBlocks } from '../../src/data/block/arrow-library.js'
import {
  AggregateFn,
  col,
  Count,
  Dataset,
  Max,
  readCsv,
  readJson,
  readParquet,
  Sum,
} from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { blockOfRows } from '../../src/data/block/rows.js'
import { describeBlock } from '../../src/data/block/metadata.js'
import { temporaryFolder } from './read-in-process.js'

type Row = Record<string, number>

const folder = temporaryFolder('odd-names')
let folders = 0
const newFolder = (): string => path.join(folder, `${folders++}`)

const here = <R>(dataset: Dataset<R>): Dataset<R> =>
  new Dataset<R>(new DatasetSession(new InProcessRunner()), dataset.plan)

/** An object with these properties of its own, `__proto__` among them. */
const rowOf = (...entries: readonly (readonly [string, number])[]): Row =>
  Object.fromEntries(entries)

/** Names that files may have too. */
const plainNames = [
  ...[' ', 'a"b', "a'b", 'a.b', 'a,b', 'ü', '_a', '\\', '%', '/', '{', '$1'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', 'length'],
  ...['k', 'g', 'l', 'r', 'k0', 'row', 'rowid', 'filename', 'select', 'path', 'null', 'json'],
]
const names = ['', '*', ...plainNames]

/** Three blocks of two columns, which come through Arrow messages as between processes. */
function datasetOf(rows: readonly Row[]): Dataset<Row> {
  const bundles = [0, 4, 8].map((start) => {
    const block = blockOfRows(rows.slice(start, start + 4))
    const ref = Promise.resolve(pieceBytes(arrowStream(arrowOfBlocks, block))) as never
    return { block: ref, metadata: describeBlock(block, 0) }
  })
  const session = new DatasetSession(new InProcessRunner())
  return new Dataset<Row>(session, { source: { kind: 'blocks', bundles }, steps: [] })
}

const numbers = Array.from({ length: 12 }, (_, i) => i)

interface Case {
  readonly name: string
  readonly rows: readonly Row[]
  readonly ds: Dataset<Row>
}

/** A column of the name with 0, 1 and 2 over and over, and one that numbers the rows. */
function caseOf(name: string): Case {
  const rows = numbers.map((i) => rowOf([name, i % 3], ['other', i]))
  return { name, rows, ds: datasetOf(rows) }
}

const byOther = (rows: readonly Row[]): readonly Row[] =>
  [...rows].sort((a, b) => Number(a.other) - Number(b.other))

/** What gives all rows again, in some order. */
const same: Readonly<Record<string, (given: Case) => Dataset<Row> | Promise<readonly Row[]>>> = {
  nothing: ({ ds }) => ds,
  map: ({ ds }) => ds.map((row) => ({ ...row })),
  'map by name': ({ ds, name }) =>
    ds.map((row) => rowOf([name, row[name] ?? -1], ['other', row.other ?? -1])),
  flatMap: ({ ds }) => ds.flatMap((row) => [row]),
  'filter by function': ({ ds, name }) => ds.filter((row) => (row[name] ?? -1) >= 0),
  'filter by expression': ({ ds, name }) => ds.filter(col<number>(name).gte(0)),
  'batches of columns': ({ ds }) => ds.mapBatches((batch) => ({ ...batch }), { batchSize: 5 }),
  'batches of rows': ({ ds }) => ds.mapBatches((rows) => rows, { batchFormat: 'rows' }),
  'batches of Arrow': ({ ds }) => ds.mapBatches((table) => table, { batchFormat: 'arrow' }),
  rename: ({ ds, name }) => {
    return ds
      .renameColumns({ other: 'new' })
      .renameColumns([name, 'other']) as unknown as Dataset<Row>
  },
  'rename and back': ({ ds, name }) => {
    const renamed = ds.renameColumns(Object.fromEntries([[name, 'new']])) as unknown
    return (renamed as Dataset<Row>).renameColumns(Object.fromEntries([['new', name]]))
  },
  select: ({ ds, name }) => ds.select([name, 'other']),
  'withColumn of it': ({ ds, name }) => {
    const doubled = ds.withColumn('twice', col<number>(name).mul(2)) as unknown as Dataset<Row>
    const halved = doubled.select(['twice', 'other']).withColumn(name, col<number>('twice').div(2))
    return (halved as unknown as Dataset<Row>).select([name, 'other'])
  },
  addColumn: ({ ds, name }) => {
    const added = ds.select(['other']).addColumn(name, ({ other }) => {
      return Array.from(other as ArrayLike<number>, (value) => value % 3)
    })
    return (added as unknown as Dataset<Row>).select([name, 'other'])
  },
  zip: ({ ds, name }) => ds.select([name]).zip(ds.select(['other'])) as unknown as Dataset<Row>,
  sort: ({ ds, name }) => ds.sort(name),
  'sort by two': ({ ds, name }) => ds.sort([name, 'other'], { descending: [true, false] }),
  shuffle: ({ ds }) => ds.randomShuffle({ seed: 1 }),
  'repartition by key': ({ ds, name }) => ds.repartition({ keys: [name], numBlocks: 2 }),
  repartition: ({ ds }) => ds.repartition(2),
  'groups of columns': ({ ds, name }) => ds.groupBy(name).mapGroups((batch) => ({ ...batch })),
  'groups of rows': ({ ds, name }) =>
    ds.groupBy(name).mapGroups((rows) => rows, { batchFormat: 'rows' }),
  'join of it': ({ ds, name }) => {
    const right = datasetOf(numbers.map((i) => rowOf([name, i], ['right', i])))
    return ds.join(right, { on: name }).dropColumns(['right']) as unknown as Dataset<Row>
  },
  'join beside it': ({ ds }) => {
    const right = datasetOf(numbers.map((i) => rowOf(['other', i], ['right', i])))
    return ds.join(right, { on: 'other', how: 'full' }).dropColumns(['right']) as never
  },
  'join of both': ({ ds, name }) => {
    const joined = ds.join(ds, { on: 'other', rightSuffix: ' right' }) as unknown as Dataset<Row>
    return joined.dropColumns([`${name} right`]) as unknown as Dataset<Row>
  },
  materialize: async ({ ds }) => (await ds.materialize()).takeAll(),
  split: async ({ ds }) => {
    const parts = await ds.split(2)
    return (await Promise.all(parts.map((part) => part.takeAll()))).flat()
  },
  toColumns: async ({ ds, name }) => {
    const columns = await ds.toColumns()
    const [values, others] = [columns[name], columns.other] as ArrayLike<number>[]
    return Array.from(values ?? [], (value, i) =>
      rowOf([name, value], ['other', others?.[i] ?? -1]),
    )
  },
  iterBatches: async ({ ds, name }) => {
    const rows: Row[] = []
    for await (const batch of ds.iterBatches({ batchSize: 5, localShuffleBufferSize: 8 })) {
      const [values, others] = [batch[name], batch.other] as ArrayLike<number>[]
      rows.push(
        ...Array.from(values ?? [], (value, i) =>
          rowOf([name, value], ['other', others?.[i] ?? -1]),
        ),
      )
    }
    return rows
  },
}

for (const [operator, run] of Object.entries(same)) {
  test(`rows with odd names are the same after: ${operator}`, async () => {
    for (const name of names) {
      const given = caseOf(name)
      const made = await run(given)
      const rows = made instanceof Dataset ? await made.takeAll() : made
      assert.deepEqual(byOther(rows), given.rows, JSON.stringify(name))
    }
  })
}

test('aggregates of columns with odd names, and with odd names', async () => {
  const add = AggregateFn({
    name: 'custom',
    init: () => 0,
    accumulate: (sum: number, { other }) => {
      return Array.from(other as ArrayLike<number>).reduce((a, b) => a + b, sum)
    },
    finalize: (sum) => sum,
  })
  for (const name of names) {
    const { ds } = caseOf(name)
    const counted = await ds
      .groupBy(name)
      .aggregate(Count(), Sum('other'), add)
      .sort(name)
      .takeAll()
    const groups = [0, 1, 2].map((k) => [k, 4, 18 + 4 * k, 18 + 4 * k])
    assert.deepEqual(
      counted.map((row) => Object.values(row).map(Number)),
      groups,
      name,
    )
    const named = ds.groupBy('other').aggregate(Max(name), Max('other', { alias: name }))
    const rows = await named.sort('other').takeAll()
    assert.deepEqual(
      rows,
      numbers.map((i) => rowOf(['other', i], [`max(${name})`, i % 3], [name, i])),
      name,
    )
    assert.equal(await ds.sum(name), 12)
    assert.deepEqual([...(await ds.unique(name))].sort(), [0, 1, 2])
    assert.deepEqual((await ds.schema())?.names, [name, 'other'])
    assert.deepEqual(
      (await ds.toArrow()).schema.fields.map((field) => field.name),
      [name, 'other'],
    )
    assert.ok(JSON.stringify(await ds.summary()).includes(JSON.stringify(name)))
  }
})

test('files keep odd names, as columns and as folders', async () => {
  const int64 = 'number'
  for (const name of plainNames) {
    const { ds, rows } = caseOf(name)
    const [parquet, csv, json] = [newFolder(), newFolder(), newFolder()]
    await ds.writeParquet(parquet)
    await ds.writeCsv(csv)
    await ds.writeJson(json)
    const read = here(readParquet<Row>(parquet))
    assert.deepEqual(await read.takeAll(), rows, name)
    const filtered = await read.filter(col<number>(name).gt(1)).select([name]).takeAll()
    assert.deepEqual(
      filtered,
      [2, 2, 2, 2].map((n) => rowOf([name, n])),
      name,
    )
    assert.equal(await read.groupBy(name).aggregate(Count()).count(), 3)
    const again = newFolder()
    await read.sort(name).writeParquet(again)
    assert.deepEqual(byOther(await here(readParquet<Row>(again)).takeAll()), rows, name)
    assert.deepEqual(await here(readCsv<Row>(csv, { int64 })).takeAll(), rows, name)
    assert.deepEqual(await here(readJson<Row>(json, { int64 })).takeAll(), rows, name)

    const [divided, lines] = [newFolder(), newFolder()]
    await ds.writeParquet(divided, { partitionCols: [name] })
    await ds.writeJson(lines, { partitionCols: ['other'] })
    const folders = here(readParquet<Row>(divided, { int64 }))
    assert.deepEqual(byOther(await folders.select([name, 'other']).takeAll()), rows, name)
    assert.equal(await folders.filter(col<number>(name).lt(2)).count(), 8, name)
    const ofLines = here(readJson<Row>(lines, { int64 })).select([name, 'other'])
    assert.deepEqual(byOther(await ofLines.takeAll()), rows, name)
  }
})

test('names that files or the engine cannot have are refused by name', async () => {
  const unnamed = caseOf('').ds
  for (const write of [
    () => unnamed.writeParquet(newFolder()),
    () => unnamed.writeCsv(newFolder()),
    () => unnamed.writeJson(newFolder()),
  ]) {
    await assert.rejects(write, /write\w+: a column has no name.* renameColumns\.$/)
  }
  for (const name of ['', '*', '.a']) {
    const { ds } = caseOf(name)
    const refused = /writeParquet: rows cannot be partitioned by a column called ".?.?", .*rename/
    assert.throws(() => ds.writeParquet(newFolder(), { partitionCols: [name] }), refused)
  }
  const zero = caseOf('a\0b').ds
  await assert.rejects(zero.sort('a\0b').takeAll(), /column "a\\u0000b" has a NUL .*renameColumns/)
  const own = caseOf('typeray row 0').ds
  await assert.rejects(own.sort('typeray row 0').takeAll(), /two columns "typeray row 0".* Rename/)
  const twins = datasetOf(numbers.map((i) => rowOf(['a', i], ['A', i])))
  assert.equal((await twins.randomShuffle({ seed: 1 }).takeAll()).length, 12)
  await assert.rejects(twins.writeParquet(newFolder()), /columns "a" and "A" differ only in the c/)
  const member = caseOf('a').ds.map(({ other }) => ({ s: { '': other } }))
  assert.deepEqual(await member.limit(1).takeAll(), [{ s: { '': 0 } }])
  await assert.rejects(member.writeParquet(newFolder()), /Column "s" has a member called ""/)
})

test('a thousand columns go through operators and files', async () => {
  const wide = Array.from({ length: 1000 }, (_, i) => `c${i}`)
  const rows = numbers.map((i) => rowOf(...wide.map((name, at) => [name, i * at] as const)))
  const ds = datasetOf(rows)
  assert.deepEqual(await ds.sort('c1').takeAll(), rows)
  assert.deepEqual(await ds.filter(col<number>('c999').gt(0)).takeAll(), rows.slice(1))
  const grouped = await ds
    .groupBy('c1')
    .mapGroups((batch) => ({ ...batch }))
    .takeAll()
  assert.deepEqual(
    grouped.sort((a, b) => Number(a.c1) - Number(b.c1)),
    rows,
  )
  const at = newFolder()
  await ds.writeParquet(at)
  assert.deepEqual(await here(readParquet<Row>(at)).takeAll(), rows)
})
