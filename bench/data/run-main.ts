// Typeray's process for one workload: `run-main.js <workload> <folder> <runs> [store bytes]`.
// Prints an EngineReport as its last line.

import * as ray from 'typeray'
import { flowRuns, warmUp } from './flow-runs.js'
import { imageRuns } from './image-runs.js'
import { relationalRuns } from './relational-runs.js'
import type { EngineReport } from './workload.js'

async function main(): Promise<void> {
  const [name = '', folder = '', runs = '1', storeBytes] = process.argv.slice(2)
  const run = { ...flowRuns, ...relationalRuns, ...imageRuns }[name]
  if (run === undefined) throw new Error(`there is no workload "${name}"`)
  const startedMs = performance.now()
  // Never the cluster of somebody else on this machine.
  const store = storeBytes === undefined ? {} : { objectStoreMemory: Number(storeBytes) }
  await ray.init({ address: 'local', ...store })
  await warmUp()
  const startSeconds = (performance.now() - startedMs) / 1000
  const seconds: number[] = []
  let answer = 0
  for (let i = 0; i < Number(runs); i++) {
    const runMs = performance.now()
    answer = await run(folder)
    seconds.push((performance.now() - runMs) / 1000)
  }
  const report: EngineReport = { startSeconds, seconds, answer }
  process.stdout.write(`${JSON.stringify(report)}\n`)
  await ray.shutdown()
}

main().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  process.exitCode = 1
})
