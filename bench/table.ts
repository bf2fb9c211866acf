// The table of a run, as text for a terminal or as Markdown for the documentation.
import { formatNumber, formatPercent, formatRatio } from './numbers.js'
import type { Figure, Measure, RowResult, Target } from './row.js'
import { measureOf, verdictsOf } from './verdict.js'

interface Column {
  readonly title: string
  cell(result: RowResult): string
}

const nothing = '-'

function figureCell(figure: Figure | undefined): string {
  if (figure === undefined) return nothing
  return `${formatNumber(figure.mean)} ±${formatNumber(figure.sd)}`
}

function rayCell({ ray, row }: RowResult): string {
  if (ray !== undefined) return figureCell(ray)
  return row.rayReference === undefined ? nothing : `${formatNumber(row.rayReference)} ref`
}

function limitCell({ limit }: RowResult): string {
  return limit === undefined ? nothing : `${figureCell(limit)} ${limit.name}`
}

function formatMeasure(measure: Measure, value: number, unit: string): string {
  switch (measure) {
    case 'value':
      return `${formatNumber(value)} ${unit}`
    case 'share':
      return formatPercent(value)
    case 'trips':
      return `${formatRatio(value)} trips`
    default:
      return `${formatRatio(value)} ${measure}`
  }
}

function measureCell(result: RowResult, measure: Measure): string {
  const value = measureOf(result, measure)
  if (value === undefined) return nothing
  return measure === 'share' ? formatPercent(value) : formatRatio(value)
}

const figureColumns: readonly Column[] = [
  { title: 'row', cell: ({ row }) => row.name },
  { title: 'unit', cell: ({ row }) => row.unit },
  {
    title: 'Typeray',
    cell: (result) =>
      result.errors.length > 0 && !result.typeray ? 'failed' : figureCell(result.typeray),
  },
  { title: 'Ray 2.58', cell: rayCell },
  { title: 'piscina', cell: ({ piscina }) => figureCell(piscina) },
  { title: 'limit', cell: limitCell },
  { title: 'x Ray', cell: (result) => measureCell(result, 'x Ray') },
  { title: 'x piscina', cell: (result) => measureCell(result, 'x piscina') },
  { title: 'x echo', cell: (result) => measureCell(result, 'x echo') },
  { title: 'share of limit', cell: (result) => measureCell(result, 'share') },
]

/** The targets of a row side by side, in the order of the row. */
function targetCell(result: RowResult, barOf: (target: Target) => number | undefined): string {
  const { targets = [], unit } = result.row
  const bars = targets.map((target) => {
    const bar = barOf(target)
    return bar === undefined ? nothing : formatMeasure(target.measure, bar, unit)
  })
  return bars.length === 0 ? '' : bars.join(', ')
}

const targetColumns: readonly Column[] = [
  { title: 'at least', cell: (result) => targetCell(result, (target) => target.atLeast) },
  { title: 'aim', cell: (result) => targetCell(result, (target) => target.aim) },
  {
    title: 'met',
    cell: (result) =>
      verdictsOf(result)
        .map(({ outcome }) => outcome)
        .join(', '),
  },
]

export function textTable(results: readonly RowResult[]): string {
  const columns = [...figureColumns, targetColumns[2]].filter((column) => column !== undefined)
  const lines = [
    columns.map(({ title }) => title),
    ...results.map((result) => columns.map((column) => column.cell(result))),
  ]
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? '').length)))
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function markdownTable(results: readonly RowResult[]): string {
  const columns = [...figureColumns, ...targetColumns]
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...results.map((result) => line(columns.map((column) => column.cell(result)))),
  ].join('\n')
}

/** One line as soon as a row is done; the run takes minutes. */
export function progressLine(result: RowResult): string {
  const { row, typeray } = result
  const outcomes = verdictsOf(result).map(({ target, actual, outcome }) =>
    actual === undefined
      ? outcome
      : `${formatMeasure(target.measure, actual, row.unit)} ${outcome}`,
  )
  const figure = typeray === undefined ? 'failed' : `${figureCell(typeray)} ${row.unit}`
  return [`${row.name}: ${figure}`, ...outcomes].join(', ')
}
