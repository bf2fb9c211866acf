// A session for tests that break it: runs a body, ends the session, and looks for anything left
// behind.
//
// Everything that a session starts inherits the environment of who started it. So a mark in the
// environment finds its processes, whoever their parent is by then, and other sessions on the
// machine are not mistaken for this one.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import os from 'node:os'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as ray from '../../src/index.js'
import type { InitOptions } from '../../src/ray/init-options.js'
import { currentCore } from '../../src/worker/index.js'

const markName = 'TYPERAY_FAULT_MARK'
const leftoverMs = 30_000

export interface WorkerRow {
  readonly pid: number
  readonly state: string
  readonly name: string
}

export interface FaultSession {
  /** A folder for the files in which tasks prove what they did. */
  readonly folder: string
  readonly rayletPid: number
  /**
   * Every process of the session but this one and the raylet, those that have only just started
   * included.
   */
  workerPids(): number[]
}

/** Polls; for what shows only outside of any promise. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 40_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== null && value !== false && value !== 0) return value
    assert.ok(performance.now() < deadline, `${what} did not happen within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export async function withSession(
  options: InitOptions,
  run: (session: FaultSession) => Promise<void>,
): Promise<void> {
  await withMark(async (marked) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'fault-'))
    try {
      const usual = { numCpus: 2, objectStoreMemory: 64 * 1024 * 1024, tempDir: folder }
      await ray.init({ ...usual, ...options })
      const rayletPid = currentCore()!.welcome.rayletPid
      try {
        const workerPids = (): number[] => marked.pids().filter((pid) => pid !== rayletPid)
        await run({ folder, rayletPid, workerPids })
        marked.watch()
      } finally {
        await ray.shutdown()
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

export interface Marked {
  readonly environment: NodeJS.ProcessEnv
  pids(): number[]
  /** Notes the sockets of the processes there are, to find out later whether one outlived them. */
  watch(): void
}

/** Asserts that no process started below, and no socket watched below, is left at the end. */
export async function withMark(run: (marked: Marked) => Promise<void>): Promise<void> {
  const mark = randomBytes(12).toString('hex')
  const sockets = new Set<string>()
  const sharedMemory = readdirSync('/dev/shm').sort()
  const marked: Marked = {
    environment: { ...process.env, [markName]: mark },
    pids: () => markedPids(mark),
    watch: () => {
      for (const name of socketsOf(markedPids(mark))) sockets.add(name)
    },
  }
  process.env[markName] = mark
  try {
    await run(marked)
    await until('the end of every process', () => markedPids(mark).length === 0, leftoverMs).catch(
      (error: unknown) => {
        const left = markedPids(mark).map((pid) => `${pid} ${commandOf(pid)}`)
        throw new Error(`processes are left:\n${left.join('\n')}`, { cause: error })
      },
    )
    // The memory of a dying process, and with it its environment, is gone before its sockets are.
    await until('the end of every socket', () => {
      return !abstractSockets().some(({ name }) => sockets.has(name))
    })
    const ours = readdirSync('/dev/shm')
      .sort()
      .filter((name) => /typeray/.test(name))
    assert.deepEqual(
      ours,
      sharedMemory.filter((name) => /typeray/.test(name)),
      '/dev/shm is as before',
    )
    assert.deepEqual(memoryFiles('self'), [], 'no shared memory stays open')
  } finally {
    delete process.env[markName]
    for (const pid of markedPids(mark)) killPid(pid)
  }
}

export function killPid(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

export function workerRows(): Promise<WorkerRow[]> {
  return currentCore()!.query({ what: 'workers' }) as Promise<WorkerRow[]>
}

export async function storeUsedBytes(): Promise<number> {
  const stats = (await currentCore()!.query({ what: 'storeStatistics' })) as Record<string, number>
  return (stats['usedBytes'] ?? 0) + (stats['fileBytes'] ?? 0)
}

/** All CPUs are free again. */
export function cpusAreFree(count = 2): Promise<unknown> {
  return until('the return of every CPU', async () => {
    return (await ray.availableResources())['CPU'] === count
  })
}

/** Collects garbage in the process that runs it: refs and views die late otherwise. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
}

/**
 * Nothing is stored any more, once this process and the workers have let go of what they do not
 * use.
 */
export async function storeIsEmpty(exceptBytes = 0): Promise<void> {
  const collectThere = ray.remote(collect)
  await until('an empty object store', async () => {
    collect()
    if ((await storeUsedBytes()) <= exceptBytes) return true
    await ray.get([collectThere.remote(), collectThere.remote()])
    return false
  })
}

export function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
  } catch {
    // Nobody has written to it yet.
    return []
  }
}

/** Processes with the mark in their environment, this one and zombies excepted. */
function markedPids(mark: string): number[] {
  const found: number[] = []
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, 'latin1')
      if (environment.includes(`${markName}=${mark}`)) found.push(Number(entry))
    } catch {
      // Gone by now, or not ours to look at.
    }
  }
  return found
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return '(gone)'
  }
}

function linksOf(pid: number | 'self'): string[] {
  const links: string[] = []
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`))
      links.push(readlinkSync(`/proc/${pid}/fd/${fd}`))
  } catch {
    // A descriptor, or the process, went away meanwhile.
  }
  return links
}

function memoryFiles(pid: number | 'self'): string[] {
  return linksOf(pid).filter((link) => link.includes('memfd:typeray'))
}

function abstractSockets(): { name: string; inode: string }[] {
  return readFileSync('/proc/net/unix', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[7]?.includes('typeray') === true)
    .map((fields) => ({ name: fields[7] ?? '', inode: fields[6] ?? '' }))
}

function socketsOf(pids: readonly number[]): string[] {
  const inodes = new Set(pids.flatMap((pid) => linksOf(pid)))
  return abstractSockets()
    .filter(({ inode }) => inodes.has(`socket:[${inode}]`))
    .map(({ name }) => name)
}
