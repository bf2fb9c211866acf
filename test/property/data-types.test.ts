// Every Arrow type through every operator: the values come out as they went in, or the error names
// the column and its type.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { makeData, Float64, type Table, tableToIPC } from 'apache-arrow'
import { type Block, blockOfData, columnsOfBlock as columnsOf } from '../../src/data/block/block.js'
import { describeBlock } from '../../src/data/block/metadata.js'
import {
  AsList,
  col,
  Count,
  CountDistinct,
  Dataset,
  Max,
  Min,
  Unique,
} from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { type ColumnKind, columnKinds, dataOfKind } from './column-kinds.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'typeray-types-'))
after(() => fs.rmSync(folder, { recursive: true }))

interface Row {
  readonly c: unknown
  readonly i: number
}

/** The number whose value row `i` has; null where it has none. */
const numberAt = (i: number): number | null => (i % 7 === 6 ? null : (i * 3) % 5)
const rowNumbers = Array.from({ length: 27 }, (_, i) => i)

function blockOf(kind: ColumnKind, rows: readonly number[]): Block {
  const numbers = Float64Array.from(rows)
  const i = makeData({ type: new Float64(), length: rows.length, nullCount: 0, data: numbers })
  return blockOfData(['c', 'i'], [dataOfKind(kind, rows.map(numberAt)), i])
}

/** Three blocks, which come through Arrow messages as between processes. */
function datasetOf(kind: ColumnKind): Dataset<Row> {
  const bundles = [0, 9, 18].map((start) => {
    const block = blockOf(kind, rowNumbers.slice(start, start + 9))
    const ref = Promise.resolve(tableToIPC(block)) as never
    return { block: ref, metadata: describeBlock(block, 0) }
  })
  const session = new DatasetSession(new InProcessRunner())
  return new Dataset<Row>(session, { source: { kind: 'blocks', bundles }, steps: [] })
}

/** A value as text, the same for all JavaScript forms of it. */
function text(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (value instanceof Date) return `date ${value.toISOString()}`
  if (value instanceof Map) return `map ${[...value].map(text).join()}`
  if (typeof value !== 'object') return `${typeof value} ${String(value)}`
  if (Symbol.iterator in value) return `[${Array.from(value as Iterable<unknown>, text).join()}]`
  return `{${Object.entries(value)
    .map(([key, each]) => `${key}: ${text(each)}`)
    .join()}}`
}
const textOfRow = ({ c, i }: Row): string => `${i}: ${text(c)}`

interface Matrix {
  readonly ds: Dataset<Row>
  readonly rows: readonly Row[]
  readonly kind: ColumnKind
}
type Operator = (matrix: Matrix) => Promise<void>

const isNull = ({ kind }: Matrix, i: number): boolean =>
  kind.name === 'null' || numberAt(i) === null
/** Rows by the number that they have the value of. */
function groupsOf(matrix: Matrix): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of matrix.rows) groups.set(text(row.c), [...(groups.get(text(row.c)) ?? []), row])
  return groups
}
const expectRows = (made: readonly Row[], expected: readonly Row[]): void => {
  assert.deepEqual(made.map(textOfRow), expected.map(textOfRow))
}
const expectAnyOrder = (made: readonly Row[], expected: readonly Row[]): void => {
  assert.deepEqual(made.map(textOfRow).sort(), expected.map(textOfRow).sort())
}

async function collect(ds: Dataset<Row>, batchFormat: 'columns' | 'rows' | 'arrow') {
  const rows: Row[] = []
  const options = { batchFormat, batchSize: 5 } as never
  for await (const batch of ds.iterBatches(options) as AsyncIterable<unknown>) {
    if (batchFormat === 'rows') rows.push(...(batch as Row[]))
    else if (batchFormat === 'arrow') rows.push(...rowsOfTable(batch as Table))
    else {
      const { c, i } = batch as unknown as { c: ArrayLike<unknown>; i: ArrayLike<number> }
      rows.push(...Array.from(i, (each, at) => ({ c: c[at], i: each })))
    }
  }
  return rows
}

/** By way of another dataset: what Arrow's own reader gives differs by type. */
function rowsOfTable(table: Table): Row[] {
  const { c, i } = columnsOf(table) as unknown as { c: ArrayLike<unknown>; i: ArrayLike<number> }
  return Array.from(i, (each, at) => ({ c: c[at], i: each }))
}

const operators: Readonly<Record<string, Operator>> = {
  'filter rows': async ({ ds, rows }) => {
    const made = await ds.filter(col('i').mod(3).ne(0)).takeAll()
    expectRows(
      made,
      rows.filter(({ i }) => i % 3 !== 0),
    )
  },
  'filter by it': async (matrix) => {
    const { ds, rows } = matrix
    expectRows(
      await ds.filter(col('c').isNotNull()).takeAll(),
      rows.filter(({ i }) => !isNull(matrix, i)),
    )
    expectRows(
      await ds.filter(col('c').eq(col('c'))).takeAll(),
      rows.filter(({ i }) => !isNull(matrix, i)),
    )
  },
  'filter by a function': async ({ ds, rows }) => {
    expectRows(
      await ds.filter(({ i }) => i > 12).takeAll(),
      rows.filter(({ i }) => i > 12),
    )
  },
  withColumn: async ({ ds, rows }) => {
    const made = await ds.withColumn('c', col('c')).withColumn('d', col('c')).takeAll()
    expectRows(made, rows)
    expectRows(
      made.map(({ d, i }) => ({ c: d, i })),
      rows,
    )
  },
  sort: async (matrix) => {
    const { ds, rows } = matrix
    const order = (a: Row, b: Row): number => {
      const [m, n] = [a, b].map(({ i }) => (isNull(matrix, i) ? null : numberAt(i)))
      if (m === n || n === undefined || m === undefined) return 0
      if (m === null || n === null) return m === null ? 1 : -1
      return text(a.c) === text(b.c) ? 0 : m - n
    }
    expectRows(await ds.sort('c').takeAll(), [...rows].sort(order))
  },
  'sort by another': async ({ ds, rows }) => {
    expectRows(await ds.sort('i', { descending: true }).takeAll(), rows.toReversed())
  },
  'group by it': async (matrix) => {
    const made = await matrix.ds.groupBy('c').aggregate(Count(), Min('i')).takeAll()
    const textOf = (c: unknown, n: number, i: number): string => `${text(c)}: ${n}, ${i}`
    assert.deepEqual(
      made.map((each) => textOf(each.c, each['count()'], each['min(i)'])).sort(),
      [...groupsOf(matrix).values()]
        .map((rows) => textOf(rows[0]?.c, rows.length, rows[0]?.i ?? 0))
        .sort(),
    )
  },
  mapGroups: async (matrix) => {
    const first = (rows: Row[]): Row[] => rows.slice(0, 1)
    const made = await matrix.ds.groupBy('c').mapGroups(first, { batchFormat: 'rows' }).takeAll()
    expectAnyOrder(made, [...groupsOf(matrix).values()].flatMap(first))
  },
  'min and max': async (matrix) => {
    const { ds, rows } = matrix
    const { 'min(c)': min, 'max(c)': max } = await ds.aggregate(Min('c'), Max('c'))
    const present = rows.filter(({ i }) => !isNull(matrix, i))
    const byNumber = [...present].sort((a, b) => (numberAt(a.i) ?? 0) - (numberAt(b.i) ?? 0))
    assert.deepEqual([min, max].map(text), [byNumber[0]?.c, byNumber.at(-1)?.c].map(text))
  },
  'count, list and unique': async (matrix) => {
    const { ds, rows } = matrix
    const known = { ignoreNulls: true } as const
    const made = await ds.aggregate(
      Count('c', known), CountDistinct('c'), AsList('c', known), Unique('c', known),
    ) // prettier-ignore
    const present = rows.filter(({ i }) => !isNull(matrix, i)).map(({ c }) => text(c))
    const distinct = [...new Set(present)].sort()
    assert.equal(made['count(c)'], present.length)
    assert.equal(made['count_distinct(c)'], distinct.length)
    const textsOf = (list: unknown): string[] => Array.from((list ?? []) as unknown[], text).sort()
    assert.deepEqual(textsOf(made['list(c)']), [...present].sort())
    assert.deepEqual(textsOf(made['unique(c)']), distinct)
  },
  'join by it': async (matrix) => {
    const { ds, rows } = matrix
    const right = ds.filter(({ i }) => i < 7).renameColumns({ i: 'j' })
    const joined = await ds.join(right, { on: 'c', numPartitions: 2 }).takeAll()
    const expected = rows.flatMap((l) => {
      return rows
        .filter((r) => r.i < 7 && !isNull(matrix, l.i) && text(l.c) === text(r.c))
        .map((r) => ({ ...l, j: r.i }))
    })
    const textOf = (row: Row & { j: number }): string => `${textOfRow(row)} ${row.j}`
    assert.deepEqual(joined.map(textOf).sort(), expected.map(textOf).sort())
  },
  'join by another': async ({ ds, rows }) => {
    const right = ds.filter(({ i }) => i > 20).select(['i'])
    const joined = await right.join(ds, { on: 'i', how: 'full' }).takeAll()
    expectAnyOrder(joined as Row[], rows)
  },
  shuffle: async ({ ds, rows }) => {
    expectAnyOrder(await ds.randomShuffle({ seed: 1 }).takeAll(), rows)
  },
  repartition: async ({ ds, rows }) => {
    expectRows(await ds.repartition(2).takeAll(), rows)
    expectAnyOrder(await ds.repartition({ keys: ['i'], numBlocks: 2 }).takeAll(), rows)
  },
  'union, zip and limit': async ({ ds, rows }) => {
    expectRows(await ds.union(ds).limit(40).takeAll(), [...rows, ...rows.slice(0, 13)])
    const zipped = await ds.zip(ds.repartition(2)).takeAll()
    expectRows(
      (zipped as unknown as { c_1: unknown; i: number }[]).map(({ c_1, i }) => ({ c: c_1, i })),
      rows,
    )
  },
  unique: async (matrix) => {
    const made = await matrix.ds.unique('c')
    assert.deepEqual(made.map(text).sort(), [...groupsOf(matrix).keys()].sort())
  },
  map: async ({ ds, rows }) => {
    expectRows(await ds.map((row) => row).takeAll(), rows)
  },
  'mapBatches of columns': async ({ ds, rows }) => {
    const same = ds.mapBatches(({ c, i }) => ({ c, i }), { batchSize: 5 })
    expectRows((await same.takeAll()) as Row[], rows)
  },
  'mapBatches of rows': async ({ ds, rows }) => {
    const same = ds.mapBatches((batch) => batch, { batchFormat: 'rows', batchSize: 5 })
    expectRows(await same.takeAll(), rows)
  },
  'mapBatches of tables': async ({ ds, rows }) => {
    const same = ds.mapBatches<Row>((table) => table, { batchFormat: 'arrow', batchSize: 5 })
    expectRows(await same.takeAll(), rows)
    const { types } = await same.schema()
    assert.deepEqual(types, (await ds.schema()).types)
  },
  'batches of columns': async ({ ds, rows }) => expectRows(await collect(ds, 'columns'), rows),
  'batches of rows': async ({ ds, rows }) => expectRows(await collect(ds, 'rows'), rows),
  'batches of tables': async ({ ds, rows }) => expectRows(await collect(ds, 'arrow'), rows),
  'Parquet and back': async ({ ds, rows, kind }) => {
    const out = path.join(folder, kind.name.replaceAll(/\W/g, '-'))
    await ds.writeParquet(out)
    const source = {
      kind: 'files',
      operator: 'readParquet',
      format: { kind: 'parquet', int64: 'bigint' },
      paths: [out],
      columns: undefined,
      limit: Number.POSITIVE_INFINITY,
    } as const
    const session = new DatasetSession(new InProcessRunner())
    expectRows(await new Dataset<Row>(session, { source, steps: [] }).takeAll(), rows)
  },
}

for (const kind of columnKinds) {
  test(`a column of ${kind.name} passes every operator`, async () => {
    const ds = datasetOf(kind)
    const rows = await ds.takeAll()
    const problems: string[] = []
    for (const [name, operator] of Object.entries(operators)) {
      try {
        await operator({ ds, rows, kind })
      } catch (error) {
        problems.push(`${name}: ${String((error as Error).message).slice(0, 600)}`)
      }
    }
    assert.equal(problems.join('\n'), '')
  })
}
