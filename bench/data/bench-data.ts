// The data suite: every engine does the same work on the same files, each in a process of its own,
// one after the other; wall time without start-up, and peak memory of all its processes.

import { fileURLToPath } from 'node:url'
import { type BenchConfig, matchesFilters, UsageError } from '../options.js'
import { makeInputs } from './inputs.js'
import { type Measured, measureProcess, TimeLimitError } from './measured-process.js'
import { dataFolder, type Engine, type Workload } from './workload.js'
import { workloads } from './workloads.js'

const runMain = fileURLToPath(new URL('./run-main.js', import.meta.url))
const peersScript = fileURLToPath(new URL('../../../bench/data/peers.py', import.meta.url))

export interface DataResult {
  readonly workload: Workload
  readonly measured: ReadonlyMap<Engine, Measured>
  /** Those whose time was over before they were done. */
  readonly unfinished: readonly Engine[]
  readonly errors: readonly string[]
}

export async function benchData(config: BenchConfig): Promise<DataResult[]> {
  const wanted = workloads.filter(({ name }) => matchesFilters(name, config.filters))
  if (wanted.length === 0) throw new UsageError('no row matches the filter')
  await makeInputs(dataFolder)
  const results: DataResult[] = []
  for (const workload of wanted) {
    const result = await compare(workload, config)
    results.push(result)
    process.stderr.write(`${lineOf(result)}\n`)
    for (const error of result.errors) process.stderr.write(`  ${error}\n`)
  }
  return results
}

async function compare(workload: Workload, config: BenchConfig): Promise<DataResult> {
  const { rayPython: python, limitSeconds } = config
  const { name, peers, runs, storeBytes } = workload
  const args = [name, dataFolder, String(runs), ...(storeBytes ? [String(storeBytes)] : [])]
  const commands: [Engine, string[]][] = [['typeray', [process.execPath, runMain, ...args]]]
  if (python !== undefined) {
    for (const peer of peers) commands.push([peer, [python, peersScript, peer, ...args]])
  }
  const measured = new Map<Engine, Measured>()
  const unfinished: Engine[] = []
  const errors: string[] = []
  for (const [engine, argv] of commands) {
    try {
      measured.set(engine, await measureProcess(argv, limitSeconds))
    } catch (error) {
      if (error instanceof TimeLimitError && engine !== 'typeray') {
        unfinished.push(engine)
        continue
      }
      errors.push(`${engine}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { workload, measured, unfinished, errors: [...errors, ...differences(measured)] }
}

/** Engines that did other work are not compared. */
function differences(measured: ReadonlyMap<Engine, Measured>): string[] {
  const ours = measured.get('typeray')?.answer
  if (ours === undefined) return []
  return [...measured].flatMap(([engine, { answer }]) => {
    const isSame = Math.abs(answer - ours) <= 1e-6 * Math.abs(ours)
    return isSame ? [] : [`${engine} found ${answer}, Typeray ${ours}`]
  })
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function lineOf({ workload, measured, unfinished }: DataResult): string {
  const figures = Array.from(measured, ([engine, { seconds, peakBytes, startSeconds }]) => {
    const time = `${median(seconds).toFixed(2)} s`
    return `${engine} ${time} / ${mb(peakBytes)} MB (start ${startSeconds.toFixed(2)} s)`
  })
  for (const engine of unfinished) figures.push(`${engine} did not finish`)
  return `${workload.name}: ${[...figures, ...verdicts(workload, measured)].join('; ')}`
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

function verdicts(workload: Workload, measured: ReadonlyMap<Engine, Measured>): string[] {
  const ours = measured.get('typeray')
  if (ours === undefined) return []
  const speed = workload.targets.flatMap(({ engine, atLeast, aim }) => {
    const theirs = measured.get(engine)
    if (theirs === undefined) return []
    const ratio = median(theirs.seconds) / median(ours.seconds)
    const isAim = aim !== undefined && ratio >= aim
    const outcome = isAim ? 'aim met' : ratio >= atLeast ? 'met' : `missed, wanted ${atLeast}`
    return [`${ratio.toFixed(2)} x ${engine} (${outcome})`]
  })
  const rays = measured.get('ray')
  const { memoryOfRay } = workload
  if (rays === undefined || memoryOfRay === undefined) return speed
  const share = ours.peakBytes / rays.peakBytes
  const outcome = share <= memoryOfRay ? 'met' : `missed, wanted ${memoryOfRay}`
  return [...speed, `${share.toFixed(2)} of Ray's memory (${outcome})`]
}

/** The results as a table for people. */
export function dataTable(results: readonly DataResult[]): string {
  return results.map(lineOf).join('\n')
}
