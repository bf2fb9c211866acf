// docs/ray-data-options.md says of every parameter of Ray Data's functions what becomes of it. This
// holds the page to the code, and to Ray's own signatures where its Python is.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import * as data from '../../src/data/index.js'
import { isThere, reportNone, root, states } from './ray-names.js'
import { rowsOf } from './tables.js'

const file = 'docs/ray-data-options.md'
const pageOf = (name: string): string => readFileSync(path.join(root, name), 'utf8')
const rows = rowsOf(pageOf(file)).filter(({ cells }) => cells.length === 5)

interface Claim {
  readonly at: string
  readonly parameter: string
  readonly fn: string
  readonly here: string
  readonly state: string
  readonly note: string
}

const claims = rows.flatMap(({ line, cells }): Claim[] => {
  const [parameter = '', of = '', here = '', state = '', note = ''] = cells
  return of.split(' ').map((fn) => ({ at: `${file}:${line}`, parameter, fn, here, state, note }))
})

const folder = mkdtempSync(path.join(tmpdir(), 'typeray-options-'))
after(() => rmSync(folder, { recursive: true }))

const session = new DatasetSession(new InProcessRunner())
const ds = new data.Dataset<{ id: number }>(session, data.range(3).plan)
const groups = ds.groupBy('id')
const other = { on: 'id', how: 'inner' } as const
const same = (row: { id: number }): { id: number } => row
type Pass = (options: object) => unknown

/** Calls each function with options that may be wrong. */
const calls: Readonly<Record<string, Pass>> = {
  download: (o) => data.download('uri', o),
  // A table would become a block of a cluster.
  from_arrow: (o) => data.fromArrow([], o),
  from_items: (o) => data.fromItems([1], o),
  range: (o) => data.range(1, o),
  range_tensor: (o) => data.rangeTensor(1, o),
  read_binary_files: (o) => data.readBinaryFiles('x', o),
  read_csv: (o) => data.readCsv('x', o),
  read_datasource: (o) => data.readDatasource({ getReadTasks: () => [] }, o),
  read_images: (o) => data.readImages('x', o),
  read_json: (o) => data.readJson('x', o),
  read_parquet: (o) => data.readParquet('x', o),
  read_text: (o) => data.readText('x', o),
  AbsMax: (o) => data.AbsMax('id', o),
  AggregateFn: (o) => {
    const own = { name: 'x', init: () => 0, accumulate: () => 0, finalize: () => 0 }
    return data.AggregateFn({ ...o, ...own })
  },
  ApproximateQuantile: (o) => data.ApproximateQuantile('id', { ...o, quantiles: [0.5] }),
  ApproximateTopK: (o) => data.ApproximateTopK('id', { ...o, k: 1 }),
  AsList: (o) => data.AsList('id', o),
  Count: (o) => data.Count('id', o),
  CountDistinct: (o) => data.CountDistinct('id', o),
  Max: (o) => data.Max('id', o),
  Mean: (o) => data.Mean('id', o),
  Min: (o) => data.Min('id', o),
  MissingValuePercentage: (o) => data.MissingValuePercentage('id', o),
  Quantile: (o) => data.Quantile('id', o),
  Std: (o) => data.Std('id', o),
  Sum: (o) => data.Sum('id', o),
  Unique: (o) => data.Unique('id', o),
  ValueCounter: (o) => data.ValueCounter('id', o),
  ZeroPercentage: (o) => data.ZeroPercentage('id', o),
  'ds.add_column': (o) => ds.addColumn('x', ({ id }) => id, o),
  'ds.columns': (o) => ds.columns(o),
  'ds.drop_columns': (o) => ds.dropColumns.call(ds, ...([['id'], o] as unknown as [['id']])),
  'ds.filter': (o) => ds.filter(() => true, o),
  'ds.flat_map': (o) => ds.flatMap((row) => [row], o),
  'ds.groupby': (o) => ds.groupBy('id', o),
  'ds.iter_batches': (o) => ds.iterBatches(o).next(),
  'ds.join': (o) => ds.join(ds, { ...other, ...o }),
  'ds.map': (o) => ds.map(same, o),
  'ds.map_batches': (o) => ds.mapBatches((batch) => batch, o),
  'ds.max': (o) => ds.max('id', o),
  'ds.mean': (o) => ds.mean('id', o),
  'ds.min': (o) => ds.min('id', o),
  'ds.random_sample': (o) => ds.randomSample(0.5, o),
  'ds.random_shuffle': (o) => ds.randomShuffle(o),
  'ds.randomize_block_order': (o) => ds.randomizeBlockOrder(o),
  'ds.rename_columns': (o) => {
    return (ds.renameColumns as (c: object, o: object) => unknown).call(ds, { id: 'x' }, o)
  },
  'ds.repartition': (o) => ds.repartition({ ...('keys' in o ? {} : { numBlocks: 1 }), ...o }),
  'ds.schema': (o) => ds.schema(o),
  'ds.select_columns': (o) => {
    return (ds.selectColumns as (c: string[], o: object) => unknown).call(ds, ['id'], o)
  },
  'ds.sort': (o) => ds.sort('id', o),
  'ds.split': (o) => ds.split(1, o),
  'ds.std': (o) => ds.std('id', o),
  'ds.streaming_split': (o) => ds.streamingSplit(1, o),
  'ds.streaming_train_test_split': (o) => ds.streamingTrainTestSplit(0.5, o),
  'ds.sum': (o) => ds.sum('id', o),
  'ds.summary': (o) => ds.summary(o),
  'ds.take_all': (o) => ds.takeAll(o),
  'ds.take_batch': (o) => ds.takeBatch(1, o),
  'ds.train_test_split': (o) => ds.trainTestSplit(1, o),
  'ds.unique': (o) => ds.unique('id', o),
  'ds.with_column': (o) => {
    const add = ds.withColumn as (name: string, value: data.Expression, o: object) => unknown
    return add.call(ds, 'x', data.col('id'), o)
  },
  'ds.with_columns': (o) => {
    const add = ds.withColumns as (columns: object, o: object) => unknown
    return add.call(ds, { x: data.col('id') }, o)
  },
  'ds.write_csv': (o) => ds.writeCsv(folder, o),
  'ds.write_datasink': (o) => ds.writeDatasink({ write: () => 0 }, o),
  'ds.write_json': (o) => ds.writeJson(folder, o),
  'ds.write_parquet': (o) => ds.writeParquet(folder, o),
  'groups.map_groups': (o) => groups.mapGroups((group) => group, o),
  'groups.max': (o) => groups.max('id', o),
  'groups.mean': (o) => groups.mean('id', o),
  'groups.min': (o) => groups.min('id', o),
  'groups.std': (o) => groups.std('id', o),
  'groups.sum': (o) => groups.sum('id', o),
  'groups.with_column': (o) => {
    const add = groups.withColumn as (name: string, value: data.Expression, o: object) => unknown
    return add.call(groups, 'x', data.col('id'), o)
  },
}

/** Reading one begins an execution in a cluster; the options are those of `ds.iter_batches`. */
const unasked = new Set(['rows.iter_batches'])

/** Of options that cannot be undefined where they are given. */
const values: Readonly<Record<string, unknown>> = {
  keys: ['id'],
  hashColumn: 'id',
  equal: true,
}

/** What a function says of an option; undefined if it takes it. */
async function complaint({ fn, here }: Claim): Promise<string | undefined> {
  try {
    await calls[fn]?.({ [here]: values[here] })
    return undefined
  } catch (error) {
    return error instanceof TypeError ? error.message : undefined
  }
}

test('every row has a state, and names functions that are here', () => {
  assert.ok(claims.length > 300, `${claims.length} claims`)
  const built = new Set(functionsHere())
  reportNone(
    claims
      .filter(({ state, fn }) => !states.includes(state) || !built.has(fn))
      .map(({ at, fn, state }) => `${at}: ${fn} is '${state}'`),
  )
})

test('options are taken, or refused by name for the reason that the page gives', async () => {
  const problems: string[] = []
  for (const claim of claims) {
    const { at, fn, here, state, note } = claim
    if (here === '' || unasked.has(fn)) continue
    if (isThere(state) && fn === 'ds.streaming_split') continue
    assert.ok(fn in calls, `${at}: nobody calls ${fn}`)
    const said = await complaint(claim)
    const says = `${at}: ${here} of ${fn} is '${state}'`
    if (isThere(state)) {
      if (said !== undefined) problems.push(`${says}, but: ${said}`)
    } else if (said === undefined) problems.push(`${says}, but it is taken`)
    else if (!said.includes(`'${here}'`)) problems.push(`${says}, but not by name: ${said}`)
    else if (!said.includes(note)) problems.push(`${says} for '${note}', but: ${said}`)
  }
  reportNone(problems)
})

/** Functions of Ray that are here, by the page of names. */
function functionsHere(): string[] {
  const prefixes: Readonly<Record<string, string>> = {
    Reading: '',
    Datasets: 'ds.',
    Groups: 'groups.',
    Aggregates: '',
    'Functions of expressions': '',
    Iterators: 'rows.',
  }
  return rowsOf(pageOf('docs/ray-data-names.md')).flatMap(({ section, cells }) => {
    const [ray = '', here = '', state = ''] = cells
    const prefix = prefixes[section]
    return prefix === undefined || here === '' || !isThere(state) ? [] : [`${prefix}${ray}`]
  })
}

const python = process.env.TYPERAY_BENCH_RAY_PYTHON ?? ''
const skip = python === '' && 'TYPERAY_BENCH_RAY_PYTHON names no Python with Ray'

test('the page has every parameter of Ray, once, and no other', { skip }, () => {
  const program = path.join(root, 'test', 'docs', 'ray_data_signatures.py')
  const printed = execFileSync(python, [program, ...functionsHere()], { encoding: 'utf8' })
  const signatures = JSON.parse(printed) as Record<string, string[]>
  const expected = Object.entries(signatures).flatMap(([fn, names]) =>
    names.map((name) => `${name} of ${fn}`),
  )
  const found = claims.map(({ parameter, fn }) => `${parameter} of ${fn}`)
  assert.deepEqual(found.sort(), expected.sort())
})
