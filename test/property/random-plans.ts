// Random plans: each step does to a dataset what it does to an array of rows.

import type { Prng } from '../../src/base/prng.js'
import { Count, CountDistinct, type Dataset, Max, Mean, Min, Sum } from '../../src/data/index.js'
import { comparable, type Computed, RandomExpressions } from './random-expressions.js'
import type { Kind, Row, TableColumn } from './random-tables.js'
import { compareValues, textOfValue } from './value-text.js'

type Data = Dataset<Row>

/** What is known of the rows after some steps. */
export interface State {
  readonly columns: readonly TableColumn[]
  readonly rows: readonly Row[]
  /** Whether their order is defined. */
  readonly isOrdered: boolean
  /** Columns whose values are in order even if rows are not. */
  readonly sorted?: readonly string[]
}

/** Another table, to join and unite with. */
export interface Other {
  readonly dataset: Data
  readonly state: State
}

export interface PlannedStep {
  readonly text: string
  readonly apply: (dataset: Data, other: Data) => Data
  readonly state: State
}

type Maker = (prng: Prng, state: State, other: State) => PlannedStep | undefined

const nameOf = ({ name }: TableColumn): string => name
const ofKinds = ({ columns }: State, kinds: readonly Kind[]): TableColumn[] => {
  return columns.filter(({ kind }) => kinds.includes(kind))
}

function someOf<T>(prng: Prng, items: readonly T[]): T[] {
  const chosen = items.filter(() => prng.chance(0.5))
  return chosen.length > 0 ? chosen : items.slice(0, 1)
}

const only = (row: Row, names: readonly string[]): Row => {
  return Object.fromEntries(names.map((name) => [name, row[name] ?? null]))
}

function step(
  text: string,
  apply: PlannedStep['apply'],
  { columns, rows, isOrdered, sorted = [] }: State,
): PlannedStep {
  return { text, apply, state: { columns, rows, isOrdered, sorted } }
}

const withRows = (state: State, rows: readonly Row[], isOrdered = state.isOrdered): State => {
  return { columns: state.columns, rows, isOrdered }
}

/** A key of a group: 0 and -0 are one. */
const keyText = (row: Row, names: readonly string[]): string => {
  return names.map((name) => textOfValue(positive(row[name] ?? null))).join('|')
}
const positive = (value: unknown): unknown => (value === 0 ? 0 : value)

function named(prng: Prng, state: State): (Computed & TableColumn) | undefined {
  const kind = prng.pick<Kind>(['int', 'big', 'float', 'text', 'flag', 'time', 'decimal'])
  const made = new RandomExpressions(prng, state.columns).ofKind(kind)
  return made && { ...made, kind, name: prng.pick(['new', 'n', 'order', 'a b']) }
}

function withColumn({ columns, rows, isOrdered }: State, column: Computed & TableColumn): State {
  const { name, kind } = column
  const others = columns.filter((each) => each.name !== name)
  const made = rows.map((row) => ({ ...row, [name]: column.of(row) }))
  return { columns: [...others, { name, kind }], rows: made, isOrdered }
}

function filterBy(prng: Prng, state: State): PlannedStep | undefined {
  const made = new RandomExpressions(prng, state.columns).ofKind('flag', 3)
  if (made === undefined) return undefined
  const rows = state.rows.filter((row) => made.of(row) === true)
  const text = `filter(${String(made.expression)})`
  return step(text, (ds) => ds.filter(made.expression), withRows(state, rows))
}

function filterRows(prng: Prng, state: State): PlannedStep {
  const { name } = prng.pick(state.columns)
  const keeps = (row: Row): boolean => row[name] !== null
  const rows = state.rows.filter(keeps)
  return step(`filter(fn of ${name})`, (ds) => ds.filter(keeps), withRows(state, rows))
}

function compute(prng: Prng, state: State): PlannedStep | undefined {
  const made = named(prng, state)
  if (made === undefined) return undefined
  const { name, expression } = made
  const text = `withColumn(${name}, ${String(expression)})`
  return step(text, (ds) => ds.withColumn(name, expression), withColumn(state, made))
}

function select(prng: Prng, state: State): PlannedStep {
  const columns = someOf(prng, state.columns).reverse()
  const names = columns.map(nameOf)
  const rows = state.rows.map((row) => only(row, names))
  const made = { ...withRows(state, rows), columns }
  return step(`select(${names.join()})`, (ds) => ds.select(names) as Data, made)
}

function selectComputed(prng: Prng, state: State): PlannedStep | undefined {
  const made = named(prng, state)
  if (made === undefined) return undefined
  const kept = prng.pick(state.columns)
  if (kept.name === made.name) return undefined
  const { of: keptOf, expression } = new RandomExpressions(prng, state.columns).column(kept.name)
  const apply = (ds: Data): Data => {
    return ds.select({ [made.name]: made.expression, [kept.name]: expression }) as Data
  }
  const rows = state.rows.map((row) => ({ [made.name]: made.of(row), [kept.name]: keptOf(row) }))
  const columns = [{ name: made.name, kind: made.kind }, kept]
  const text = `select({ ${made.name}: ${String(made.expression)}, ${kept.name} })`
  return step(text, apply, { ...withRows(state, rows), columns })
}

function drop(prng: Prng, state: State): PlannedStep | undefined {
  const { name } = prng.pick(state.columns)
  const columns = state.columns.filter((column) => column.name !== name)
  if (columns.length === 0) return undefined
  const rows = state.rows.map((row) => only(row, columns.map(nameOf)))
  const made = { ...withRows(state, rows), columns }
  return step(`dropColumns(${name})`, (ds) => ds.dropColumns([name]) as Data, made)
}

function rename(prng: Prng, state: State): PlannedStep | undefined {
  const { name } = prng.pick(state.columns)
  const to = prng.pick(['renamed', 'n', 'order', 'q"t'])
  if (state.columns.some((column) => column.name === to)) return undefined
  const columns = state.columns.map((each) => (each.name === name ? { ...each, name: to } : each))
  const rows = state.rows.map((row) => {
    return Object.fromEntries(Object.entries(row).map(([key, v]) => [key === name ? to : key, v]))
  })
  const apply = (ds: Data): Data => ds.renameColumns({ [name]: to } as never) as unknown as Data
  return step(`rename(${name} to ${to})`, apply, { ...withRows(state, rows), columns })
}

function mapRows(prng: Prng, state: State): PlannedStep {
  const { name } = prng.pick(state.columns)
  const fn = (row: Row): Row => ({ ...row, mapped: row[name] === null ? null : 1 })
  const columns = [...state.columns.filter((each) => each.name !== 'mapped')]
  const made = { ...withRows(state, state.rows.map(fn)), columns }
  const all: State = { ...made, columns: [...columns, { name: 'mapped', kind: 'int' }] }
  return step(`map(${name})`, (ds) => ds.map(fn), all)
}

function flatMap(prng: Prng, state: State): PlannedStep {
  const { name } = prng.pick(state.columns)
  const fn = (row: Row): Row[] => (row[name] === null ? [] : [row, row])
  return step(`flatMap(${name})`, (ds) => ds.flatMap(fn), withRows(state, state.rows.flatMap(fn)))
}

function mapBatches(prng: Prng, state: State): PlannedStep {
  const batchFormat = prng.pick(['columns', 'arrow', 'rows'] as const)
  const batchSize = prng.pick([0, 1, 3, 100])
  const options = { batchFormat, ...(batchSize > 0 && { batchSize }) } as never
  const same = (batch: never): never => batch
  const apply = (ds: Data): Data => ds.mapBatches(same as never, options) as unknown as Data
  return step(
    `mapBatches(${batchFormat}, ${String(batchSize)})`,
    apply,
    withRows(state, state.rows),
  )
}

function limit(prng: Prng, state: State): PlannedStep | undefined {
  if (!state.isOrdered) return undefined
  const count = prng.pick([0, 1, 4, 9, 1000])
  return step(
    `limit(${count})`,
    (ds) => ds.limit(count),
    withRows(state, state.rows.slice(0, count)),
  )
}

function rearrange(prng: Prng, state: State): PlannedStep {
  const seed = prng.integer(0, 1000)
  const count = prng.integer(1, 4)
  const keys = [prng.pick(state.columns).name]
  const [text, apply, isKept] = prng.pick<[string, (ds: Data) => Data, boolean]>([
    [`repartition(${count})`, (ds) => ds.repartition(count), true],
    [`repartition(${count} rows)`, (ds) => ds.repartition({ targetNumRowsPerBlock: count }), true],
    [`repartition(${keys.join()})`, (ds) => ds.repartition({ keys, numBlocks: count }), false],
    [`repartition(${count}, shuffle)`, (ds) => ds.repartition(count, { shuffle: true }), false],
    [`randomShuffle(${seed})`, (ds) => ds.randomShuffle({ seed }), false],
    [`randomizeBlockOrder(${seed})`, (ds) => ds.randomizeBlockOrder({ seed }), false],
    ['randomSample(1)', (ds) => ds.randomSample(1), true],
  ])
  return step(text, apply, withRows(state, state.rows, state.isOrdered && isKept))
}

function sort(prng: Prng, state: State): PlannedStep | undefined {
  const columns = ofKinds(state, [...comparable, 'nothing'])
  if (columns.length === 0) return undefined
  const keys = someOf(prng, columns).map(nameOf).slice(0, 3)
  const descending = keys.map(() => prng.chance(0.5))
  const nulls = prng.pick(['first', 'last'] as const)
  const order = (a: Row, b: Row): number => {
    for (const [i, key] of keys.entries()) {
      const [x, y] = [a[key] ?? null, b[key] ?? null]
      if (x === null && y === null) continue
      if (x === null || y === null) return (x === null) === (nulls === 'first') ? -1 : 1
      const by = compareValues(x, y)
      if (by !== 0) return descending[i] === true ? -by : by
    }
    return 0
  }
  const made = { ...withRows(state, [...state.rows].sort(order)), sorted: keys }
  const text = `sort(${keys.join()}, ${descending.join()}, ${nulls})`
  return step(text, (ds) => ds.sort(keys, { descending, nulls }), made)
}

function groupsOf(rows: readonly Row[], keys: readonly string[]): (readonly Row[])[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(keyText(row, keys)) ?? []
    groups.set(keyText(row, keys), [...group, row])
  }
  return [...groups.values()]
}

const least = (values: readonly unknown[], sign: number): unknown => {
  return values.reduce((a, b) => (a === null || sign * compareValues(b, a) < 0 ? b : a), null)
}

function aggregated(rows: readonly Row[], { name, kind }: TableColumn): Row {
  const values = rows.map((row) => row[name] ?? null).filter((value) => value !== null)
  const made: Row = {
    rows: rows.length,
    known: values.length,
    distinct: new Set(values.map((value) => textOfValue(positive(value)))).size,
  }
  if (comparable.includes(kind)) {
    made.least = positive(least(values, 1))
    made.most = positive(least(values, -1))
  }
  if (kind === 'int') {
    const sum = (values as number[]).reduce((a, b) => a + b, 0)
    made.sum = values.length === 0 ? null : sum
    made.mean = values.length === 0 ? null : Math.round((sum / values.length) * 1e6) / 1e6
  }
  if (kind === 'big') {
    made.sum = values.length === 0 ? null : (values as bigint[]).reduce((a, b) => a + b, 0n)
  }
  return made
}

const kindsOfAggregates = (kind: Kind): TableColumn[] => {
  const all: TableColumn[] = ['rows', 'known', 'distinct'].map((name) => ({ name, kind: 'float' }))
  if (comparable.includes(kind)) all.push({ name: 'least', kind }, { name: 'most', kind })
  if (kind === 'int') all.push({ name: 'sum', kind: 'float' }, { name: 'mean', kind: 'float' })
  if (kind === 'big') all.push({ name: 'sum', kind: 'big' })
  return all
}

function group(prng: Prng, state: State): PlannedStep | undefined {
  const column = prng.pick(state.columns)
  const keys = someOf(prng, state.columns).slice(0, 2)
  const made = kindsOfAggregates(column.kind)
  const names = keys.map(nameOf)
  if (made.some(({ name }) => names.includes(name))) return undefined
  const { name } = column
  const all = {
    rows: Count(undefined, { alias: 'rows' }),
    known: Count(name, { alias: 'known', ignoreNulls: true }),
    distinct: CountDistinct(name, { alias: 'distinct' }),
    least: Min(name, { alias: 'least' }),
    most: Max(name, { alias: 'most' }),
    sum: Sum(name, { alias: 'sum' }),
    mean: Mean(name, { alias: 'mean' }),
  }
  const isMerged = prng.chance(0.5)
  const options = prng.chance(0.5) ? {} : { numPartitions: 2 }
  const wanted = made.filter((each) => !isMerged || each.name !== 'distinct')
  const aggregates = wanted.map((each) => all[each.name as keyof typeof all])
  const apply = (ds: Data): Data => {
    const grouped = ds.groupBy(names, options).aggregate(...aggregates) as unknown as Data
    if (!wanted.some((each) => each.name === 'mean')) return grouped
    return grouped.map((row) => {
      const { mean } = row as { mean: number | null }
      return { ...row, mean: mean === null ? null : Math.round(mean * 1e6) / 1e6 }
    })
  }
  const rows = groupsOf(state.rows, names).map((each) => {
    const [first = {}] = each
    const ofKeys = names.map((key) => [key, positive(first[key] ?? null)])
    const values = only(aggregated(each, column), wanted.map(nameOf))
    return { ...Object.fromEntries(ofKeys), ...values }
  })
  const columns = [...keys, ...wanted]
  return step(`group(${names.join()} of ${name})`, apply, { columns, rows, isOrdered: false })
}

function firstOfGroups(prng: Prng, state: State): PlannedStep | undefined {
  const keys = someOf(prng, state.columns).slice(0, 2).map(nameOf)
  const options = prng.chance(0.5) ? {} : { numPartitions: 2 }
  const apply = (ds: Data): Data => {
    return ds.groupBy(keys, options).mapGroups((rows) => [{ ...rows[0], size: rows.length }], {
      batchFormat: 'rows',
    })
  }
  if (!state.isOrdered) return undefined
  const rows = groupsOf(state.rows, keys).map((each) => ({ ...each[0], size: each.length }))
  const others = state.columns.filter(({ name }) => name !== 'size')
  const columns: TableColumn[] = [...others, { name: 'size', kind: 'int' }]
  return step(`mapGroups(${keys.join()})`, apply, { columns, rows, isOrdered: false })
}

function uniteWithItself(prng: Prng, state: State): PlannedStep {
  const { name } = prng.pick(state.columns)
  const keeps = (row: Row): boolean => row[name] === null
  const rows = [...state.rows, ...state.rows.filter(keeps)]
  return step(`union(nulls of ${name})`, (ds) => ds.union(ds.filter(keeps)), withRows(state, rows))
}

function unite(_: Prng, state: State, other: State): PlannedStep | undefined {
  const kinds = new Map(state.columns.map(({ name, kind }) => [name, kind]))
  const fits = other.columns.every(({ name, kind }) => (kinds.get(name) ?? kind) === kind)
  if (!fits) return undefined
  const columns = [...state.columns, ...other.columns.filter(({ name }) => !kinds.has(name))]
  const names = columns.map(nameOf)
  const rows = [...state.rows, ...other.rows].map((row) => only(row, names))
  const isOrdered = state.isOrdered && other.isOrdered
  return step('union', (ds, right) => ds.union(right), { columns, rows, isOrdered })
}

function zip(_: Prng, state: State): PlannedStep | undefined {
  if (!state.isOrdered) return undefined
  const [first] = state.columns
  if (first === undefined || state.columns.some(({ name }) => name === `${first.name}_1`)) {
    return undefined
  }
  const name = `${first.name}_1`
  const rows = state.rows.map((row) => ({ ...row, [name]: row[first.name] }))
  const columns = [...state.columns, { name, kind: first.kind }]
  const apply = (ds: Data): Data => ds.zip(ds.select([first.name]).repartition(2))
  return step('zip', apply, { ...withRows(state, rows), columns })
}

const hows = ['inner', 'left', 'right', 'full', 'semi', 'anti', 'rightSemi', 'rightAnti'] as const

function join(prng: Prng, state: State, other: State): PlannedStep | undefined {
  const kinds = new Map(state.columns.map(({ name, kind }) => [name, kind]))
  const shared = other.columns.filter(({ name, kind }) => kinds.get(name) === kind)
  if (shared.length === 0) return undefined
  const on = someOf(prng, shared).map(nameOf)
  const how = prng.pick(hows)
  const numPartitions = prng.pick([0, 2])
  const options = {
    on, how, rightSuffix: '_r', ...(numPartitions > 0 && { numPartitions }),
  } // prettier-ignore
  const renamed = other.columns
    .filter(({ name }) => !on.includes(name))
    .map(({ name, kind }) => ({ from: name, name: kinds.has(name) ? `${name}_r` : name, kind }))
  if (renamed.some(({ name, from }) => name !== from && kinds.has(name))) return undefined
  const leftNames = state.columns.map(nameOf)
  const pair = (l: Row | undefined, r: Row | undefined): Row => {
    const row = only(l ?? {}, leftNames)
    if (l === undefined) for (const key of on) row[key] = r?.[key] ?? null
    for (const { from, name } of renamed) row[name] = r?.[from] ?? null
    return row
  }
  const equals = (l: Row, r: Row): boolean => {
    return keyText(l, on) === keyText(r, on) && on.every((key) => l[key] !== null)
  }
  const both = state.rows.flatMap((l) => {
    return other.rows.filter((r) => equals(l, r)).map((r) => pair(l, r))
  })
  const isLeft = (l: Row): boolean => other.rows.some((r) => equals(l, r))
  const isRight = (r: Row): boolean => state.rows.some((l) => equals(l, r))
  const lonelyLeft = state.rows.filter((l) => !isLeft(l))
  const lonelyRight = other.rows.filter((r) => !isRight(r))
  const rowsOf: Readonly<Record<(typeof hows)[number], () => readonly Row[]>> = {
    inner: () => both,
    left: () => [...both, ...lonelyLeft.map((l) => pair(l, undefined))],
    right: () => [...both, ...lonelyRight.map((r) => pair(undefined, r))],
    full: () => [...rowsOf.left(), ...lonelyRight.map((r) => pair(undefined, r))],
    semi: () => state.rows.filter(isLeft),
    anti: () => lonelyLeft,
    rightSemi: () => other.rows.filter(isRight),
    rightAnti: () => lonelyRight,
  }
  const isPairs = ['inner', 'left', 'right', 'full'].includes(how)
  const joined = [...state.columns, ...renamed.map(({ name, kind }) => ({ name, kind }))]
  const columns = isPairs ? joined : how.startsWith('right') ? other.columns : state.columns
  const apply = (ds: Data, right: Data): Data => ds.join(right, options) as Data
  const text = `join(${on.join()}, ${how}, ${String(numPartitions)})`
  return step(text, apply, { columns, rows: rowsOf[how](), isOrdered: false })
}

const makers: readonly Maker[] = [
  filterBy, filterBy, filterRows, compute, compute, compute, select, selectComputed, drop, rename,
  mapRows, flatMap, mapBatches, limit, rearrange, rearrange, sort, sort, group, group,
  firstOfGroups, uniteWithItself, unite, zip, join, join,
] // prettier-ignore

/** A step that fits the table, if the first that comes to mind does. */
export function randomStep(prng: Prng, state: State, other: State): PlannedStep | undefined {
  return prng.pick(makers)(prng, state, other)
}
