// SQL of aggregates that keep a summary of the values of a group: how often each of them is there,
// or where quantiles lie. Blocks make summaries, and those of a group are put together once.
//
// Values that are counted are a list of {n: minus their count, v: the value}, the most frequent
// first; a bounded one leaves out the rarest. A value that is left out of a list of `capacity`
// values has at most 1/capacity of the block's rows, and so has at most that share of all of them.
//
// For quantiles the values are sorted, and of `precision` equal parts the one in the middle is
// kept: a quantile is off by at most half a part. Of fewer rows all values are kept.

import { quoteText } from '../engine/engine.js'
import type { Sketch } from './spec.js'

type Counts = Extract<Sketch, { readonly kind: 'counts' }>
type Quantiles = Extract<Sketch, { readonly kind: 'quantiles' }>

/** What is aggregated. */
export interface SketchedValues {
  /** As SQL. */
  readonly x: string
  readonly type: string
}

/** SQL of the aggregate over all rows at once, which leaves nothing out. */
export function wholeSketch(sketch: Sketch, of: SketchedValues): string {
  const { x } = of
  if (sketch.kind === 'quantiles') {
    return `quantile_disc((${x})::DOUBLE, [${sketch.quantiles.join(', ')}])`
  }
  const list = (item: string): string =>
    `list_transform(${countsSql(sketch, of)}, lambda e: ${item})`
  const { field, limit } = sketch
  const value =
    field === undefined
      ? `{'values': ${list('e.v')}, 'counts': ${list('-e.n')}}`
      : `list_slice(${list(`{${quoteText(field)}: e.v, 'count': -e.n}`)}, 1, ${limit})`
  return `CASE WHEN count(${x}) > 0 THEN ${value} END`
}

/** SQL of the summary of a block, or of a group in it; null where there are no values. */
export function partialSketch(sketch: Sketch, of: SketchedValues): string {
  const { x } = of
  if (sketch.kind === 'counts') {
    const counts = countsSql(sketch, of)
    return Number.isFinite(sketch.capacity)
      ? `list_slice(${counts}, 1, ${sketch.capacity})`
      : counts
  }
  const { precision } = sketch
  const value = `(${x})::DOUBLE`
  const sorted = `list_sort(list(${value}) FILTER (${x} IS NOT NULL))`
  const middle = `1 + floor((i + 0.5) / ${precision} * count(${x}))::BIGINT`
  const middles = `list_select(${sorted}, list_transform(range(${precision}), lambda i: ${middle}))`
  const points = `CASE WHEN count(${x}) <= ${precision} THEN ${sorted} ELSE ${middles} END`
  return (
    `CASE WHEN count(${x}) > 0 THEN {'rows': count(${x})::DOUBLE, 'least': min(${value}), ` +
    `'greatest': max(${value}), 'points': ${points}} END`
  )
}

/** The values and how often they are there. */
function countsSql({ flattens }: Counts, { x, type }: SketchedValues): string {
  const counted =
    flattens && type.endsWith(']')
      ? `list_aggregate(flatten(list(${x}) FILTER (${x} IS NOT NULL)), 'histogram')`
      : `histogram(${x})`
  const entry = `{'n': -(e.value::DOUBLE), 'v': e.key}`
  return `list_sort(list_transform(map_entries(${counted}), lambda e: ${entry}))`
}

/** SQL of all summaries of a group together. */
export function gatheredSketch({ kind }: Sketch, column: string): string {
  const list = `list(${column}) FILTER (${column} IS NOT NULL)`
  return kind === 'counts' ? `flatten(${list})` : list
}

/** SQL of the result, of a column that has all summaries of a group. */
export function finishedSketch(sketch: Sketch, column: string): string {
  const finished =
    sketch.kind === 'counts' ? finishedCounts(sketch, column) : finishedQuantiles(sketch, column)
  return `CASE WHEN len(${column}) > 0 THEN ${finished} END`
}

function finishedCounts({ field, limit }: Counts, column: string): string {
  const entries = `SELECT unnest(${column}) AS e`
  const counted = `(SELECT e.v AS v, sum(e.n)::DOUBLE AS n FROM (${entries}) GROUP BY e.v)`
  const order = 'ORDER BY n, v'
  const value =
    field === undefined
      ? `{'values': list(v ${order}), 'counts': list(-n ${order})}`
      : `list_slice(list({${quoteText(field)}: v, 'count': -n} ${order}), 1, ${limit})`
  return `(SELECT ${value} FROM ${counted})`
}

/** A millionth of a row: sums of weights are not exact. */
const slack = 1e-6

function finishedQuantiles({ quantiles }: Quantiles, column: string): string {
  const summaries = `SELECT unnest(${column}) AS s`
  const points = `SELECT unnest(s.points) AS v, s.rows / len(s.points) AS w FROM (${summaries})`
  const below = 'sum(w) OVER (ORDER BY v ROWS UNBOUNDED PRECEDING) AS below'
  const running = `SELECT v, ${below}, sum(w) OVER () AS total FROM (${points})`
  const values = quantiles.map((q) => {
    if (q === 0) return `list_min(list_transform(${column}, lambda s: s.least))`
    if (q === 1) return `list_max(list_transform(${column}, lambda s: s.greatest))`
    return `(SELECT min(v) FROM (${running}) WHERE below >= ${q} * total - ${slack})`
  })
  return `[${values.join(', ')}]`
}
