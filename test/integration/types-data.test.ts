// Types of rows are followed by the compiler through datasets: a line that must not compile is
// marked @ts-expect-error, and is an error itself once it does. Nothing here runs but the test that
// says so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AggregateFn,
  AsList,
  col,
  Count,
  type Dataset,
  fromColumns,
  fromItems,
  lit,
  Max,
  Mean,
  range,
  readParquet,
  readText,
  Sum,
  when,
} from '../../src/data/index.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** The row of a dataset, written out. */
type RowOf<D> = D extends Dataset<infer Row> ? { [K in keyof Row]: Row[K] } : never

/** Compiles only when the rows of the dataset are of that type. */
function rows<D, Row>(_of: D, _: Same<RowOf<D>, Row> extends true ? 'same' : 'different'): void {}

interface Trip {
  city: string
  fare: number
  id: bigint
}
const trips = (): Dataset<Trip> => fromItems<Trip>([{ city: 'a', fare: 1, id: 1n }])

export function steps(): void {
  const ds = trips()
  rows<typeof ds, { city: string; fare: number; id: bigint }>(ds, 'same')
  const mapped = ds.map(({ city, fare }) => ({ city, cents: fare * 100 }))
  rows<typeof mapped, { city: string; cents: number }>(mapped, 'same')
  const flat = ds.flatMap(async ({ city }) => [{ letter: city.charAt(0) }])
  rows<typeof flat, { letter: string }>(flat, 'same')
  const kept = ds
    .filter(({ fare }) => fare > 1)
    .filter(col('fare').gt(2))
    .limit(3)
  rows<typeof kept, { city: string; fare: number; id: bigint }>(kept, 'same')
  const batches = ds.mapBatches(({ fare, id }) => ({ fare, half: Float32Array.from(fare), id }))
  rows<typeof batches, { fare: number; half: number; id: bigint }>(batches, 'same')
  const byRows = ds.mapBatches((all) => all.map(({ id }) => ({ id })), { batchFormat: 'rows' })
  rows<typeof byRows, { id: bigint }>(byRows, 'same')
  const added = ds.addColumn('tip', ({ fare }) => Float64Array.from(fare, (each) => each / 10))
  rows<typeof added, { city: string; fare: number; id: bigint; tip: number }>(added, 'same')
  const dropped = ds.dropColumns(['id'])
  rows<typeof dropped, { city: string; fare: number }>(dropped, 'same')
  const renamed = ds.renameColumns({ fare: 'price' })
  rows<typeof renamed, { city: string; price: number; id: bigint }>(renamed, 'same')
  // @ts-expect-error there is no such column
  ds.dropColumns(['fares'])
  // @ts-expect-error there is no such column
  ds.renameColumns({ fares: 'price' })
  // @ts-expect-error a row has no such property
  ds.map(({ fares }) => ({ fares }))
  // @ts-expect-error a function of rows returns rows
  ds.map(({ fare }) => fare)
}

export function expressions(): void {
  const ds = trips()
  const computed = ds.withColumn('late', col<number>('fare').gt(5))
  rows<typeof computed, { city: string; fare: number; id: bigint; late: boolean }>(computed, 'same')
  const several = ds.withColumns({
    fare: col('fare').cast('string'),
    n: col<number>('fare').add(1),
  })
  rows<typeof several, { city: string; id: bigint; fare: string; n: number }>(several, 'same')
  const selected = ds.select(['city', 'id'])
  rows<typeof selected, { city: string; id: bigint }>(selected, 'same')
  const made = ds.select({ upper: col('city').str.upper(), year: col('at').dt.year() })
  rows<typeof made, { upper: string; year: number }>(made, 'same')
  // @ts-expect-error an expression is not a value
  ds.withColumn('x', 5)
}

export function columnsOfRows(): void {
  const ds = trips()
  const computed = ds.withColumns({
    same: col('city'),
    cents: col('fare').mul(100),
    next: col('id').add(1),
    half: col('id').mul(0.5),
    both: col('id').add(col('fare')),
    five: lit(5),
    size: when(col('fare').gt(10), 'large', 'small'),
    some: when(col('fare').gt(10), col('id')),
  })
  type Computed = Trip & {
    same: string
    cents: number
    next: bigint
    half: number
    both: number
    five: number
    size: string
    some: bigint | null
  }
  rows<typeof computed, { [K in keyof Computed]: Computed[K] }>(computed, 'same')
  const named = ds.select(['city', col('fare').mul(2).alias('twice'), col('id')])
  rows<typeof named, { city: string; twice: number; id: bigint }>(named, 'same')
  const gaps = fromItems<{ x: number | null }>([{ x: 1 }])
  const filled = gaps.withColumn('y', col('x').add(1)).withColumn('x', col('x').fillNull(0).add(1))
  rows<typeof filled, { y: number | null; x: number }>(filled, 'same')
  const said = range(3).withColumn('big', col<bigint>('other').add(1))
  rows<typeof said, { id: number; big: bigint }>(said, 'same')
  const unknown = (ds as unknown as Dataset).select({ n: col('fare'), m: col('fare').div(2) })
  rows<typeof unknown, { n: unknown; m: number }>(unknown, 'same')
  const counted = ds.groupBy('city').aggregate(Count(undefined, { alias: 'trips' }), AsList('id'))
  rows<typeof counted, { city: string; trips: number; 'list(id)': bigint[] }>(counted, 'same')
  const ranked = ds.groupBy('city').withColumn('rank', col('fare').sub(1))
  rows<typeof ranked, { city: string; fare: number; id: bigint; rank: number }>(ranked, 'same')
  // @ts-expect-error there is no such column
  ds.sort('town')
  // @ts-expect-error there is no such column
  ds.sort(['city', 'town'])
  // @ts-expect-error there is no such column
  ds.select(['city', 'town'])
}

export function sources(): void {
  const lines = readText('books/', { includePaths: true })
  rows<typeof lines, { text: string; path: string }>(lines, 'same')
  const typed = readParquet<{ x: number }>('x.parquet', { includePaths: true })
  rows<typeof typed, { x: number; path: string }>(typed, 'same')
  const plain = readParquet<{ x: number }>('x.parquet', { columns: ['x'] })
  rows<typeof plain, { x: number }>(plain, 'same')
  const dates = fromItems([new Date()])
  rows<typeof dates, { item: Date }>(dates, 'same')
  const lists = fromItems([[1, 2], [3]])
  rows<typeof lists, { item: number[] }>(lists, 'same')
  const parsed: Dataset<{ a: number }> = fromItems(JSON.parse('[]') as { a: number }[])
  void parsed
}

export async function exchanges(): Promise<void> {
  const ds = trips()
  const same = ds.sort('fare').randomShuffle().repartition(2).union(ds)
  rows<typeof same, { city: string; fare: number; id: bigint }>(same, 'same')
  const product = AggregateFn({
    name: 'product',
    init: () => 1,
    accumulate: (state: number) => state,
    finalize: (state) => state,
  })
  const grouped = ds
    .groupBy('city')
    .aggregate(
      Count(),
      Mean('fare'),
      Max('id'),
      Sum('fare', { alias: 'total' }),
      AsList('id'),
      product,
    )
  type Grouped = {
    city: string
    'count()': number
    'mean(fare)': number
    'max(id)': bigint
    total: number
    'list(id)': bigint[]
    product: number
  }
  rows<typeof grouped, Grouped>(grouped, 'same')
  const counted = ds.groupBy(['city', 'id']).count()
  rows<typeof counted, { city: string; id: bigint; 'count()': number }>(counted, 'same')
  const groups = ds.groupBy('city').mapGroups(({ city, fare }) => ({ city, fare }))
  rows<typeof groups, { city: string; fare: number }>(groups, 'same')
  // @ts-expect-error there is no such column
  ds.groupBy('town')
  const cities = fromColumns({ city: ['a'], people: Int32Array.of(1) })
  const joined = ds.join(cities, { on: 'city' })
  rows<typeof joined, { city: string; fare: number; id: bigint; people: number }>(joined, 'same')
  const zipped = range(3).zip(cities)
  rows<typeof zipped, { id: number; city: string; people: number }>(zipped, 'same')
  const values: string[] = await ds.unique('city')
  const least: bigint | null = await ds.min('id')
  const greatest: number = await ds.max<number>(col('fare').mul(2))
  const { total } = await ds.aggregate(Sum('fare', { alias: 'total' }))
  await Promise.resolve([values, total, least, greatest])
}

export function joins(): void {
  const ds = trips()
  const cities = fromColumns({ city: ['a'], people: Int32Array.of(1), fare: ['cheap'] })
  const inner = ds.join(cities, { on: 'city', rightSuffix: '_of' })
  type Inner = { city: string; fare: number; id: bigint; people: number; fare_of: string }
  rows<typeof inner, Inner>(inner, 'same')
  const left = ds.join(cities, { on: 'city', how: 'left', leftSuffix: '_l', rightSuffix: '_r' })
  type Left = {
    city: string
    fare_l: number
    id: bigint
    people: number | null
    fare_r: string | null
  }
  rows<typeof left, Left>(left, 'same')
  const right = ds.dropColumns(['fare']).join(cities, { on: ['city'], how: 'right_outer' })
  type Right = { city: string; id: bigint | null; people: number; fare: string }
  rows<typeof right, Right>(right, 'same')
  const towns = cities.renameColumns({ city: 'town' }).dropColumns(['fare'])
  const full = ds.join(towns, { on: 'city', rightOn: 'town', how: 'full' })
  type Full = { city: string; fare: number | null; id: bigint | null; people: number | null }
  rows<typeof full, Full>(full, 'same')
  const semi = ds.join(cities, { on: 'city', how: 'semi' })
  rows<typeof semi, Trip>(semi, 'same')
  const lonely = ds.join(towns, { on: 'city', rightOn: 'town', how: 'rightAnti' })
  rows<typeof lonely, { town: string; people: number }>(lonely, 'same')
  const loose = (ds as unknown as Dataset).join(cities, { on: 'city' })
  const one: Promise<number | null | undefined> = loose.take(1).then(([row]) => row?.people)
  void one
  // @ts-expect-error there is no such column
  ds.join(cities, { on: 'town' })
  const zipped = ds.zip(cities)
  type Zipped = Trip & { city_1: string; people: number; fare_1: string }
  rows<typeof zipped, { [K in keyof Zipped]: Zipped[K] }>(zipped, 'same')
  const lists = ds.groupBy('city').unique('fare')
  rows<typeof lists, { city: string; 'unique(fare)': number[] }>(lists, 'same')
}

export async function consuming(): Promise<void> {
  const ds = trips()
  const taken: Trip[] = await ds.take(2)
  const { fare } = await ds.takeBatch(2)
  const first: number | undefined = fare[0]
  for await (const { id } of ds.iterBatches({ batchSize: 2 })) {
    const one: bigint | undefined = id[0]
    if (one === undefined) break
  }
  for await (const { city } of ds) {
    const text: string = city
    if (text === '') break
  }
  const { train } = await ds.trainTestSplit(0.5)
  rows<typeof train, { city: string; fare: number; id: bigint }>(train, 'same')
  await Promise.resolve([taken, first])
}

test('types of rows flow through datasets', () => {
  // The compiler has done it.
  assert.ok(true)
})
