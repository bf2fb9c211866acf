// What a session leaves in the system while it lives, and must not leave after its end.
//
// Processes are found by a mark in their environment, which children inherit: a worker that was
// orphaned has lost its parent, not its mark. Abstract sockets vanish with the last process that
// holds them, so only those of the marked processes and of this one are looked at; sessions of
// other programs on the machine are never blamed.

import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { until } from './until.js'

const markName = 'TYPERAY_TESTED_SESSION'

export class SessionTraces {
  readonly #mark = randomBytes(8).toString('hex')
  readonly #memoryBefore = new Set(namedMemory())
  readonly #socketsBefore = new Set(listeningSockets().map(({ inode }) => inode))

  /** Environment of the processes to be found. */
  get environment(): Readonly<Record<string, string>> {
    return { [markName]: this.#mark }
  }

  /** Living processes of the session. */
  processes(): number[] {
    const wanted = `${markName}=${this.#mark}`
    return processIds().filter((pid) => pid !== process.pid && environmentOf(pid).includes(wanted))
  }

  /** All that is there of the session, in words. */
  list(): string[] {
    const pids = this.processes()
    const sockets = listeningSockets().filter(({ inode }) => !this.#socketsBefore.has(inode))
    const held = sockets.length === 0 ? new Set<string>() : heldBy([process.pid, ...pids])
    return [
      ...pids.map((pid) => `process ${pid}: ${commandLine(pid)}`),
      ...sockets.filter(({ inode }) => held.has(inode)).map(({ name }) => `socket ${name}`),
      ...namedMemory()
        .filter((name) => !this.#memoryBefore.has(name))
        .map((name) => `shared memory ${name}`),
    ]
  }

  /** Throws if something is still there after a short while, having killed it. */
  async assertNone(timeoutMs = 20_000): Promise<void> {
    try {
      await until(() => this.list().length === 0, { timeoutMs })
    } catch (error) {
      const left = this.list()
      for (const pid of this.processes()) process.kill(pid, 'SIGKILL')
      throw new Error(`The session left behind:\n${left.join('\n')}`, { cause: error })
    }
  }
}

/** A process may end while it is looked at. */
function ifThere<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}

function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function environmentOf(pid: number): string[] {
  return ifThere(() => readFileSync(`/proc/${pid}/environ`, 'utf8'), '').split('\0')
}

function commandLine(pid: number): string {
  return ifThere(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '')
    .replaceAll('\0', ' ')
    .trim()
}

function namedMemory(): string[] {
  return existsSync('/dev/shm') ? readdirSync('/dev/shm') : []
}

function listeningSockets(): { inode: string; name: string }[] {
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[7]?.startsWith('@typeray') === true)
    .map((columns) => ({ inode: columns[6] ?? '', name: columns[7] ?? '' }))
}

/** Inodes of the sockets that these processes have open. */
function heldBy(pids: readonly number[]): Set<string> {
  const inodes = new Set<string>()
  for (const pid of pids) {
    for (const fd of ifThere(() => readdirSync(`/proc/${pid}/fd`), [])) {
      const link = ifThere(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '')
      const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1]
      if (inode !== undefined) inodes.add(inode)
    }
  }
  return inodes
}
