// Runs the process of one engine, and watches how much memory it and all that it starts take.

import { spawn } from 'node:child_process'
import { descendantsOf, pssBytes } from '../process-tree.js'
import type { EngineReport } from './workload.js'

export interface Measured extends EngineReport {
  /** Largest sum of the proportional set sizes of the processes. */
  readonly peakBytes: number
}

/** Between two looks at the memory: looking takes some milliseconds of a CPU. */
const sampleMs = 200

/** A contestant was still running when its time was over. */
export class TimeLimitError extends Error {
  override name = 'TimeLimitError'
}

/** @throws TimeLimitError when the process is not done after `limitSeconds` */
export async function measureProcess(
  argv: readonly string[],
  limitSeconds: number,
): Promise<Measured> {
  const [command = '', ...args] = argv
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  let peakBytes = 0
  const sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, treeBytes(child.pid ?? 0))
  }, sampleMs)
  let isLate = false
  const deadline = setTimeout(() => {
    isLate = true
    killGroup(child.pid)
  }, limitSeconds * 1000)
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  clearInterval(sampler)
  clearTimeout(deadline)
  if (isLate) throw new TimeLimitError(`did not finish within ${limitSeconds} s`)
  const last = output.trimEnd().split('\n').at(-1) ?? ''
  if (code !== 0 || !last.startsWith('{')) {
    throw new Error(`ended with ${String(code)}: ${(errors || output).slice(-2000)}`)
  }
  return { ...(JSON.parse(last) as EngineReport), peakBytes }
}

/** The process and whatever of its own it has not put into a group of its own. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended meanwhile.
  }
}

function treeBytes(root: number): number {
  return [root, ...descendantsOf(root)].reduce((sum, pid) => sum + bytesOf(pid), 0)
}

/** Nothing for a process that has ended meanwhile. */
function bytesOf(pid: number): number {
  try {
    return pssBytes(pid)
  } catch {
    return 0
  }
}
