// Aggregates in SQL: of all rows at once, or of each block first (partial) and then of those
// (final).
//
// Numbers keep their JavaScript kind: counts, and sums of what JavaScript sees as numbers, are
// doubles; sums of 64-bit integers, which are bigints, stay 64-bit integers.

import { assert } from '../../base/assert.js'
import { quoteName } from '../engine/engine.js'
import { sqlOfNode } from '../expression/sql.js'
import { finishedSketch, gatheredSketch, partialSketch, wholeSketch } from './sketch-sql.js'
import type { EngineAggregate, Sketch } from './spec.js'

/** The engine's type of an SQL expression over the rows that are aggregated. */
export type TypeOf = (sql: string) => string

/** Columns that hold what is known of aggregate `index` between partial and final. */
const columns = (index: number) => ({
  value: `"typeray a${index}"`,
  count: `"typeray n${index}"`,
  spread: `"typeray s${index}"`,
  nulls: `"typeray z${index}"`,
  mean: `"typeray m${index}"`,
})

/** SQL of the aggregate over all rows. */
export function wholeSql(spec: EngineAggregate, typeOf: TypeOf): string {
  if (spec.value === undefined) return 'count(*)::DOUBLE'
  const x = sqlOfNode(spec.value)
  const value = wholeValue(spec, x, typeOf)
  const isCounted = ['count', 'missingValuePercentage', 'unique', 'asList'].includes(spec.kind)
  if (spec.ignoreNulls || isCounted) return value
  return `CASE WHEN count(*) = count(${x}) THEN ${value} END`
}

function wholeValue(spec: EngineAggregate, x: string, typeOf: TypeOf): string {
  const known = spec.ignoreNulls ? ` FILTER (${x} IS NOT NULL)` : ''
  switch (spec.kind) {
    case 'count':
      return spec.ignoreNulls ? `count(${x})::DOUBLE` : 'count(*)::DOUBLE'
    case 'sum':
      return sumSql(x, typeOf(x))
    case 'min':
      return `min(${x})`
    case 'max':
      return `max(${x})`
    case 'absMax':
      return `max(abs(${x}))`
    case 'mean':
      return `avg((${x})::DOUBLE)`
    case 'std':
      return stdSql({ m2: spreadSql(x), count: `count(${x})`, ddof: spec.parameter })
    case 'missingValuePercentage':
      return `100 * ${missingSql(x)} / count(*)`
    case 'zeroPercentage':
      return `100 * count_if(${x} = 0) / nullif(count(${x}), 0)`
    case 'quantile':
      return `quantile_cont((${x})::DOUBLE, ${spec.parameter})`
    case 'countDistinct':
      return `count(DISTINCT ${x})::DOUBLE`
    case 'unique':
      return `list_sort(list(DISTINCT ${x})${known})`
    case 'asList':
      return `list(${x})${known}`
    case 'sketch':
      return wholeSketch(sketchOf(spec), { x, type: typeOf(x) })
  }
}

function sketchOf({ name, sketch }: EngineAggregate): Sketch {
  assert(sketch !== undefined, `the aggregate ${name} has no sketch`)
  return sketch
}

/** The sum, of a type that JavaScript sees as it sees the values. */
function sumSql(x: string, type: string): string {
  if (type === 'BIGINT' || type === 'UBIGINT') return `sum(${x})::${type}`
  if (type === 'BOOLEAN') return `sum((${x})::INTEGER)::DOUBLE`
  return /INT|^INTEGER$/.test(type) ? `sum(${x})::DOUBLE` : `sum(${x})`
}

/** The sum of squares of differences to the mean. The engine refuses NaN, and what is infinite. */
function spreadSql(x: string): string {
  const value = `(${x})::DOUBLE`
  const isFinite = `isfinite(${value})`
  return (
    `(CASE WHEN bool_and(${isFinite}) IS NOT FALSE ` +
    `THEN var_pop(${value}) FILTER (${isFinite}) * count(${x}) ELSE 'NaN'::DOUBLE END)`
  )
}

/** How many values are null or NaN. */
function missingSql(x: string): string {
  const isNan = `isnan(TRY_CAST(${x} AS DOUBLE))`
  return `count_if(${x} IS NULL OR (typeof(${x}) IN ('DOUBLE', 'FLOAT') AND ${isNan}))`
}

function stdSql({ m2, count, ddof }: { m2: string; count: string; ddof: number }): string {
  return (
    `CASE WHEN ${count} = 0 THEN NULL WHEN ${count} <= ${ddof} THEN 'NaN'::DOUBLE ` +
    `ELSE sqrt(greatest(${m2}, 0) / (${count} - ${ddof})) END`
  )
}

/** What each block computes: SQL expressions with their names. */
export function partialSql(spec: EngineAggregate, index: number, typeOf: TypeOf): string[] {
  const c = columns(index)
  const as = (sql: string, name: string): string => `${sql} AS ${name}`
  if (spec.value === undefined) return [as('count(*)::DOUBLE', c.value)]
  const x = sqlOfNode(spec.value)
  const count = as(`count(${x})::DOUBLE`, c.count)
  const nulls = spec.ignoreNulls ? [] : [as(`(count(*) - count(${x}))::DOUBLE`, c.nulls)]
  switch (spec.kind) {
    case 'count':
    case 'sum':
    case 'min':
    case 'max':
    case 'absMax':
      return [as(wholeValue(spec, x, typeOf), c.value), ...nulls]
    case 'mean':
      return [as(`sum((${x})::DOUBLE)`, c.value), count, ...nulls]
    case 'std': {
      const spread = as(spreadSql(x), c.spread)
      return [as(`avg((${x})::DOUBLE)`, c.value), count, spread, ...nulls]
    }
    case 'missingValuePercentage':
      return [as(`${missingSql(x)}::DOUBLE`, c.value), as('count(*)::DOUBLE', c.count)]
    case 'zeroPercentage':
      return [as(`count_if(${x} = 0)::DOUBLE`, c.value), count, ...nulls]
    case 'sketch':
      return [as(partialSketch(sketchOf(spec), { x, type: typeOf(x) }), c.value)]
    default:
      return []
  }
}

/** SQL of the aggregate over what blocks computed. */
export function finalSql(spec: EngineAggregate, index: number, typeOf: TypeOf): string {
  const c = columns(index)
  const value = finalValue(spec, index, typeOf)
  const isCounted = ['count', 'missingValuePercentage'].includes(spec.kind)
  if (spec.ignoreNulls || isCounted) return value
  return `CASE WHEN sum(${c.nulls}) = 0 THEN ${value} END`
}

function finalValue(spec: EngineAggregate, index: number, typeOf: TypeOf): string {
  const c = columns(index)
  switch (spec.kind) {
    case 'count':
      return `coalesce(sum(${c.value}), 0)`
    case 'sum':
      return sumSql(c.value, typeOf(c.value))
    case 'min':
      return `min(${c.value})`
    case 'max':
    case 'absMax':
      return `max(${c.value})`
    case 'mean':
      return `sum(${c.value}) / nullif(sum(${c.count}), 0)`
    case 'std': {
      const m2 = `sum(${c.spread} + ${c.count} * power(${c.value} - ${c.mean}, 2))`
      return stdSql({ m2, count: `sum(${c.count})`, ddof: spec.parameter })
    }
    case 'missingValuePercentage':
    case 'zeroPercentage':
      return `100 * sum(${c.value}) / nullif(sum(${c.count}), 0)`
    case 'sketch':
      return hasSummaries(index, typeOf) ? gatheredSketch(sketchOf(spec), c.value) : 'NULL'
    default:
      return 'NULL'
  }
}

/** Without a value in any block nothing says what summaries are. */
function hasSummaries(index: number, typeOf: TypeOf): boolean {
  return /[\])]$/.test(typeOf(columns(index).value))
}

/**
 * SQL of what is made of the aggregate over what blocks computed, which is in the column `name`.
 */
export function finishedSql(
  spec: EngineAggregate,
  index: number,
  typeOf: TypeOf,
): string | undefined {
  if (spec.kind !== 'sketch' || !hasSummaries(index, typeOf)) return undefined
  return finishedSketch(sketchOf(spec), quoteName(spec.name))
}

/**
 * What has to be known of all parts of a group before they can be put together: for a standard
 * deviation the mean, because squares of large values would leave no digits for their differences.
 */
export function meansSql(specs: readonly EngineAggregate[], keys: readonly string[]): string {
  const by = keys.length === 0 ? '' : `PARTITION BY ${keys.map(quoteName).join(', ')}`
  const means = specs.flatMap((spec, index) => {
    if (spec.kind !== 'std') return []
    const c = columns(index)
    const over = `OVER (${by})`
    return [
      `sum(${c.count} * ${c.value}) ${over} / nullif(sum(${c.count}) ${over}, 0) AS ${c.mean}`,
    ]
  })
  return means.map((mean) => `, ${mean}`).join('')
}
