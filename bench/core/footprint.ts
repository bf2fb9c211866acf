// Rows about what a session costs before it does anything: time to start, and memory.
import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as ray from 'typeray'
import { assert } from '../../src/base/assert.js'
import { descendantsOf, pssBytes } from '../process-tree.js'
import type { OpenProbe, ProbeTable } from '../probe.js'
import { inSession } from './session.js'
import { processIdAfter } from './work.js'

const firstResultMain = fileURLToPath(new URL('./first-result-main.js', import.meta.url))
const run = promisify(execFile)

interface Start {
  readonly firstResultSeconds: number
  readonly totalSeconds: number
}

async function startOnce(): Promise<Start> {
  const startedMs = performance.now()
  const { stdout } = await run(process.execPath, [firstResultMain])
  return {
    firstResultSeconds: Number(stdout) / 1000,
    totalSeconds: (performance.now() - startedMs) / 1000,
  }
}

const startRow =
  (secondsOf: (start: Start) => number): OpenProbe =>
  async () => {
    // The first run reads the files into the page cache.
    await startOnce()
    return { kind: 'sample', sample: async () => secondsOf(await startOnce()) }
  }

const workerCount = 2
const workerStartMsMax = 15_000
/** Time for a session to come to rest: garbage collected, start-up done. */
const settleMs = 1000

/** Runs tasks until as many workers as there are CPUs have run one. */
async function useAllWorkers(): Promise<void> {
  const task = ray.remote(processIdAfter)
  const deadlineMs = performance.now() + workerStartMsMax
  const seen = new Set<number>()
  while (seen.size < workerCount) {
    assert(performance.now() < deadlineMs, `${workerCount} CPUs mean ${workerCount} workers`)
    const refs = Array.from({ length: workerCount }, () => task.remote(200))
    for (const pid of await ray.get(refs)) seen.add(pid)
  }
}

const idleMemory = inSession(
  async () => {
    await useAllWorkers()
    await delay(settleMs)
    return {
      kind: 'sample',
      async sample() {
        const pids = descendantsOf(process.pid)
        // At least one control process beside the workers, or the tree has come apart and the sum
        // is a lie.
        assert(pids.length > workerCount, 'the processes of a session descend from its driver')
        return pids.reduce((sum, pid) => sum + pssBytes(pid), 0) / 1e6
      },
    }
  },
  { numCpus: workerCount },
)

export const footprintProbes: ProbeTable = {
  'init to first result': startRow((start) => start.firstResultSeconds),
  'program with one task, start to exit': startRow((start) => start.totalSeconds),
  'idle memory, control processes and 2 workers': idleMemory,
}
