// Spill files: objects that the arena has no room for, on disk.
//
// A file never has a name (O_TMPFILE), or loses it as soon as it is open, so nothing is left
// behind however the session ends. Other processes open it through /proc/<raylet pid>/fd/<fd>, as
// they open the arena, and map it: there is no restore, the page cache does that.
//
// Which objects go into which file, and when a file is closed, is decided in store-state.ts. It
// names files by numbers of its own; `fdOf` turns such a number into the descriptor.

import { close, constants, mkdirSync, open, openSync, read, unlinkSync, write } from 'node:fs'
import { statfs } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { assert } from '../base/assert.js'
import { OutOfDiskError } from '../base/errors.js'
import { newId } from '../base/ids.js'
import { libc, systemError } from './libc.js'
import type { SpillItem } from './store-events.js'

const closeFd = promisify(close)
const openFd = promisify(open)
const readFd = promisify(read)
const writeFd = promisify(write)

/** Bytes on their way from the arena to a file. */
type CopyItem = Omit<SpillItem, 'copy'>

export interface SpillFilesOptions {
  readonly folder: string
  readonly arenaFd: number
  /** Copied in pieces of this size, each held by one file at a time. */
  readonly chunkBytes?: number
}

const chunkBytesDefault = 4 * 1024 * 1024
const temporary = 0o20000000 | constants.O_DIRECTORY
const unsupported = new Set(['EOPNOTSUPP', 'ENOTSUP', 'EISDIR', 'ENOENT', 'EINVAL'])

export class SpillFiles {
  readonly #folder: string
  readonly #arenaFd: number
  readonly #chunkBytes: number
  /** Open files: number chosen by the state machine to descriptor. Ends with close(). */
  readonly #fds = new Map<number, number>()
  /** Chunk buffers that no copy uses; as many as copies ever ran at once. */
  readonly #buffers: Buffer[] = []
  /** Copies that are under way; a descriptor must not be closed, and given away, under them. */
  readonly #running = new Set<Promise<void>>()
  #isClosing = false

  constructor(options: SpillFilesOptions) {
    this.#folder = options.folder
    this.#arenaFd = options.arenaFd
    this.#chunkBytes = options.chunkBytes ?? chunkBytesDefault
    try {
      mkdirSync(options.folder, { recursive: true, mode: 0o700 })
    } catch (cause) {
      throw new OutOfDiskError(`The spill folder ${options.folder} cannot be made.`, { cause })
    }
  }

  get count(): number {
    return this.#fds.size
  }

  fdOf(file: number): number {
    const fd = this.#fds.get(file)
    assert(fd !== undefined, `spill file ${file} is open`)
    return fd
  }

  /** Opens a file and sets `sizeBytes` of disk aside, so that its writer meets no full disk. */
  async open(file: number, sizeBytes: number): Promise<void> {
    assert(!this.#fds.has(file), `spill file ${file} is new`)
    const fd = await this.#openNameless()
    // Known before the first wait below, so that closeAll() finds it.
    this.#fds.set(file, fd)
    if (sizeBytes === 0) return
    const errno = await libc().reserve(fd, sizeBytes)
    if (errno === 0) return
    const error = systemError('fallocate', errno)
    if (unsupported.has(error.code ?? '')) return
    await this.close(file)
    throw error
  }

  /** Opens `file` and copies objects of the arena into it; on failure there is no file. */
  spill(file: number, items: readonly CopyItem[]): Promise<void> {
    const running = this.#spill(file, items).finally(() => this.#running.delete(running))
    this.#running.add(running)
    return running
  }

  async #spill(file: number, items: readonly CopyItem[]): Promise<void> {
    const last = items.at(-1)
    assert(last !== undefined, 'there is something to spill')
    await this.open(file, last.to + last.sizeBytes)
    const buffer = this.#buffers.pop() ?? Buffer.allocUnsafeSlow(this.#chunkBytes)
    try {
      const fd = this.fdOf(file)
      for (const item of items) await this.#copy(fd, item, buffer)
    } catch (error) {
      await this.close(file)
      throw error
    } finally {
      this.#buffers.push(buffer)
    }
  }

  async diskFreeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder)
    return bavail * bsize
  }

  async close(file: number): Promise<void> {
    const fd = this.#fds.get(file)
    if (fd === undefined) return
    this.#fds.delete(file)
    await closeFd(fd)
  }

  /** Ends copies after their current piece, then closes every file. */
  async closeAll(): Promise<void> {
    this.#isClosing = true
    await Promise.allSettled(this.#running)
    await Promise.all([...this.#fds.keys()].map((file) => this.close(file)))
  }

  async #copy(fd: number, item: CopyItem, buffer: Buffer): Promise<void> {
    for (let done = 0; done < item.sizeBytes;) {
      if (this.#isClosing) throw new Error('The object store is closing.')
      const want = Math.min(buffer.length, item.sizeBytes - done)
      const { bytesRead } = await readFd(this.#arenaFd, buffer, 0, want, item.from + done)
      assert(bytesRead > 0, 'the arena does not end before its objects')
      for (let at = 0; at < bytesRead;) {
        const to = item.to + done + at
        at += (await writeFd(fd, buffer, at, bytesRead - at, to)).bytesWritten
      }
      done += bytesRead
    }
  }

  async #openNameless(): Promise<number> {
    try {
      return await openFd(this.#folder, temporary | constants.O_RDWR, 0o600)
    } catch (error) {
      if (!isUnsupported(error)) throw error
    }
    // Synchronous, so that only a kill between two system calls could leave an empty file.
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const name = path.join(this.#folder, `spill-${newId()}`)
    const fd = openSync(name, 'wx+', 0o600)
    unlinkSync(name)
    return fd
  }
}

function isUnsupported(error: unknown): boolean {
  return error instanceof Error && 'code' in error && unsupported.has(String(error.code))
}
