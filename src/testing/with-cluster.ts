// Runs a test against a cluster of real processes, and looks at what is left of it afterwards.

import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as ray from '../ray/index.js'
import { assertNoFiles } from './left-files.js'
import { SessionTraces } from './session-traces.js'

/** Options of `ray.init`, and a bound on the time of the test. */
export interface ClusterOptions extends ray.InitOptions {
  /** The test fails after this time, in milliseconds; 100 seconds by default. */
  readonly deadlineMs?: number
}

/** What a test is given. */
export interface TestCluster {
  /** The public API. */
  readonly ray: typeof ray
  /** What `ray.init` gave. */
  readonly session: ray.Session
  /** Process id of the raylet. */
  readonly rayletPid: number
  /** Process ids of the workers that live now. */
  workerPids(): number[]
  /** Spill files that the raylet has open, by the names that they had. */
  spillFiles(): string[]
}

const deadlineMsDefault = 100_000

/**
 * Starts a session of its own, runs the test, shuts the session down, and asserts that no process,
 * socket or shared memory is left and that no promise was rejected unseen. Two CPUs unless said
 * otherwise.
 *
 * @example
 * test('squares', () =>
 *   withCluster({ numCpus: 2 }, async ({ ray }) => {
 *     const square = ray.remote((x: number) => x * x)
 *     assert.equal(await ray.get(square.remote(4)), 16)
 *   }))
 */
export async function withCluster<T>(
  options: ClusterOptions,
  run: (cluster: TestCluster) => Promise<T>,
): Promise<T> {
  const { deadlineMs = deadlineMsDefault, ...initOptions } = options
  const traces = new SessionTraces()
  const rejections: unknown[] = []
  const onRejection = (reason: unknown): void => {
    rejections.push(reason)
  }
  process.on('unhandledRejection', onRejection)
  Object.assign(process.env, traces.environment)
  const tempDir = mkdtempSync(path.join(os.tmpdir(), 'typeray-test-'))
  try {
    const folders = { tempDir, objectSpillingDirectory: path.join(tempDir, 'spill') }
    const session = await ray.init({ numCpus: 2, address: 'local', ...folders, ...initOptions })
    try {
      return await withDeadline(deadlineMs, run(clusterOf(session, traces)))
    } finally {
      await ray.shutdown()
    }
  } finally {
    for (const name of Object.keys(traces.environment)) Reflect.deleteProperty(process.env, name)
    await traces.assertNone()
    assertNoFiles(tempDir)
    rmSync(tempDir, { recursive: true })
    // A promise is reported once its turn has ended.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', onRejection)
    if (rejections.length > 0) {
      throw new AggregateError(rejections, 'Promises were rejected and nobody looked.')
    }
  }
}

function clusterOf(session: ray.Session, traces: SessionTraces): TestCluster {
  const [rayletPid] = traces.processes().filter((pid) => isChildOf(pid, process.pid))
  if (rayletPid === undefined) throw new Error('The session has no raylet process.')
  return {
    ray,
    session,
    rayletPid,
    workerPids: () => traces.processes().filter((pid) => isChildOf(pid, rayletPid)),
    spillFiles: () => deletedFiles(rayletPid),
  }
}

/** A process id in the fourth column, after a name that may contain anything but ends with `)`. */
function isChildOf(pid: number, parent: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state !== 'Z' && Number(ppid) === parent
  } catch {
    return false
  }
}

/** Spill files have no name: what is left of one is the link of the descriptor. */
function deletedFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const link = readlinkSync(`/proc/${pid}/fd/${fd}`)
      return link.endsWith(' (deleted)') && !link.startsWith('/memfd:') ? [link] : []
    } catch {
      return []
    }
  })
}

async function withDeadline<T>(ms: number, running: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The test did not end within ${ms} ms.`)), ms)
  })
  try {
    return await Promise.race([running, late])
  } finally {
    clearTimeout(timer)
  }
}
