// `npm run bench -- <suite> [row filter]`: measures the rows of a suite one by one and prints a
// table. A row that fails says why and the others go on; the exit code is 1 then.
import { writeFileSync } from 'node:fs'
import { Contest, roundCount } from './contest.js'
import { describeMachine, type Machine } from './machine.js'
import {
  compileBenchOptions,
  matchesFilters,
  usage,
  UsageError,
  type BenchConfig,
} from './options.js'
import type { Row, RowResult } from './row.js'
import { suites } from './suites.js'
import { markdownTable, progressLine, textTable } from './table.js'
import { measureOf, rayMean, verdictsOf } from './verdict.js'

function describeRun(machine: Machine, config: BenchConfig): string {
  const { cpuCount, cpuModel, memoryGb, kernel, node, loadBefore } = machine
  const seconds = config.roundMs / 1000
  return [
    `${cpuCount} x ${cpuModel}, ${memoryGb} GB, Linux ${kernel}, Node ${node}.`,
    `Load before: ${loadBefore}. Mean ± deviation of ${roundCount} rounds of ${seconds} s.`,
    config.rayPython === undefined
      ? 'Ray was not run: "ref" marks figures of Ray 2.58.0 on two cores.'
      : 'Ray ran in the same run ("ref": a figure of reference where it did not).',
  ].join('\n')
}

function reportOf(result: RowResult): object {
  const { row, errors, typeray, ray, piscina, limit } = result
  return {
    name: row.name,
    unit: row.unit,
    typeray,
    ray,
    rayReference: row.rayReference,
    rayUsed: rayMean(result),
    piscina,
    limit,
    ratios: {
      ray: measureOf(result, 'x Ray'),
      piscina: measureOf(result, 'x piscina'),
      echo: measureOf(result, 'x echo'),
      trips: measureOf(result, 'trips'),
      shareOfLimit: measureOf(result, 'share'),
    },
    targets: verdictsOf(result),
    errors,
  }
}

/** Stacks went to stderr when the row failed. */
function firstLine(text: string): string {
  return `${text.split('\n', 1)[0]}\n`
}

async function measure(rows: readonly Row[], config: BenchConfig): Promise<RowResult[]> {
  const contest = new Contest(config)
  const results: RowResult[] = []
  for (const row of rows) {
    const result = await contest.run(row)
    results.push(result)
    process.stderr.write(`${progressLine(result)}\n`)
    for (const error of result.errors) process.stderr.write(`  ${error}\n`)
  }
  await contest.close()
  return results
}

/** Whole programs and not calls: a suite with a way of its own. */
async function mainData(config: BenchConfig): Promise<number> {
  const { benchData, dataTable } = await import('./data/bench-data.js')
  const machine = describeMachine()
  process.stderr.write(`${describeRun(machine, config)}\n\n`)
  const results = await benchData(config)
  process.stdout.write(`${describeRun(machine, config)}\n\n${dataTable(results)}\n`)
  if (config.jsonPath !== undefined) {
    const rows = results.map(({ workload, measured, unfinished, errors }) => {
      const figures = Object.fromEntries(measured)
      return { name: workload.name, measured: figures, unfinished, errors }
    })
    writeFileSync(config.jsonPath, `${JSON.stringify({ machine, rows }, undefined, 2)}\n`)
  }
  return results.every(({ errors }) => errors.length === 0) ? 0 : 1
}

async function main(): Promise<number> {
  const config = compileBenchOptions(process.argv.slice(2), process.env)
  if (config.suite === 'data') return mainData(config)
  const suite = suites[config.suite]
  if (suite === undefined) throw new UsageError(`there is no suite "${config.suite}"`)
  const rows = suite.rows.filter((row) => matchesFilters(row.name, config.filters))
  if (rows.length === 0) throw new UsageError('no row matches the filter')
  const machine = describeMachine()
  process.stderr.write(`${describeRun(machine, config)}\n\n`)
  const results = await measure(rows, config)
  const table = config.isMarkdown ? markdownTable(results) : textTable(results)
  process.stdout.write(`${describeRun(machine, config)}\n\n${table}\n`)
  for (const { row, errors } of results) {
    for (const error of errors) process.stdout.write(`\n${row.name}: ${firstLine(error)}`)
  }
  if (config.jsonPath !== undefined) {
    const report = { machine, roundMs: config.roundMs, rows: results.map(reportOf) }
    writeFileSync(config.jsonPath, `${JSON.stringify(report, undefined, 2)}\n`)
  }
  return results.every(({ errors }) => errors.length === 0) ? 0 : 1
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode
  },
  (error: unknown) => {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n\n${usage}\n`)
    process.exitCode = 2
  },
)
