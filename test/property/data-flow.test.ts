// Every step that looks at one block at a time, in any order, against plain arrays.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Dataset } from '../../src/data/dataset.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'

interface Row {
  n: number
  word: string | null
}
type Rows = readonly Row[]

interface Step {
  readonly name: string
  dataset(of: Dataset<Row>): Dataset<Row>
  array(of: Rows): Rows
}

const next = ({ n, word }: Row): Row => ({ n: n + 1, word })
const repeat = (row: Row): Row[] => Array.from({ length: row.n % 3 }, () => row)

const steps: readonly Step[] = [
  { name: 'map', dataset: (ds) => ds.map(next), array: (rows) => rows.map(next) },
  {
    name: 'filter',
    dataset: (ds) => ds.filter(({ n }) => n % 2 === 0),
    array: (rows) => rows.filter(({ n }) => n % 2 === 0),
  },
  { name: 'flatMap', dataset: (ds) => ds.flatMap(repeat), array: (rows) => rows.flatMap(repeat) },
  {
    name: 'mapBatches',
    dataset: (ds) => ds.mapBatches((rows) => rows.map(next), { batchFormat: 'rows', batchSize: 7 }),
    array: (rows) => rows.map(next),
  },
  {
    name: 'addColumn',
    dataset: (ds) => ds.addColumn('n', ({ n }) => Float64Array.from(n, (value) => value + 2)),
    array: (rows) => rows.map(({ n, word }) => ({ n: n + 2, word })),
  },
  {
    name: 'renameColumns',
    dataset: (ds) =>
      ds.renameColumns({ n: 'm' }).renameColumns({ m: 'n' }) as unknown as Dataset<Row>,
    array: (rows) => rows,
  },
  {
    name: 'dropColumns',
    dataset: (ds) => ds.addColumn('x', ({ n }) => n).dropColumns(['x']),
    array: (rows) => rows,
  },
  { name: 'limit', dataset: (ds) => ds.limit(25), array: (rows) => rows.slice(0, 25) },
  { name: 'union', dataset: (ds) => ds.union(ds.limit(3)), array: (r) => [...r, ...r.slice(0, 3)] },
]

const someRows = fc.array(
  fc.record(
    { n: fc.nat(99), word: fc.option(fc.constantFrom('a', 'bé', '')) },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 60 },
)
const someSteps = fc.array(fc.constantFrom(...steps), { maxLength: 5 })
const someBlocks = fc.integer({ min: 1, max: 6 })

test('any steps in any order do what arrays would', async () => {
  const property = fc.asyncProperty(
    someRows,
    someSteps,
    someBlocks,
    async (rows, chosen, blocks) => {
      const source = { kind: 'items', rows: rows.map((row) => ({ ...row })), blocks } as const
      const session = new DatasetSession(new InProcessRunner())
      const start = new Dataset<Row>(session, { source, steps: [] })
      const dataset = chosen.reduce((ds, step) => step.dataset(ds), start)
      const expected = chosen.reduce((all, step) => step.array(all), rows as Rows)
      assert.deepEqual(await dataset.takeAll(), expected)
      assert.equal(await dataset.count(), expected.length)
    },
  )
  await fc.assert(property, { numRuns: 150 })
})
