// Folders of programs of other machines, unpacked here once.
//
// They are kept for the next worker that needs them, up to a bound; beyond that the least recently
// used go of those in which no worker runs.
//
// A package is unpacked beside its place and moved there when it is whole, so that two nodes of one
// machine, or one that is killed in the middle, do no harm. Archives are unpacked by a library that
// refuses paths which lead outside.

import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../base/clock.js'
import { packageCacheBytesMax, packageWaitMs } from '../base/limits.js'
import type { FromGcs } from '../wire/messages/gcs.js'

export interface PackageCacheOptions {
  readonly clock: Clock
  /** Where packages are kept. */
  readonly folder: string
  /** Asks the GCS for the pieces of a package. */
  readonly fetch: (hash: string) => void
  readonly bytesMax?: number
}

interface Arrival {
  readonly pieces: Uint8Array[]
  readonly done: (pieces: readonly Uint8Array[]) => void
}

/** A package that is here, or on its way. */
interface Kept {
  readonly folder: Promise<string>
  /** Workers that run in it, and those that wait for it. */
  users: number
  /** 0 until it is here. */
  bytes: number
}

type Piece = Extract<FromGcs, { kind: 'packageFound' }>

const ownPackage = fileURLToPath(new URL('../../..', import.meta.url))

export class PackageCache {
  readonly #options: PackageCacheOptions
  /** The least recently used first. */
  readonly #kept = new Map<string, Kept>()
  readonly #arriving = new Map<string, Arrival>()
  /** Folders are removed one after the other, and before one of the same name is made again. */
  #removals: Promise<void> = Promise.resolve()

  constructor(options: PackageCacheOptions) {
    this.#options = options
  }

  /** The folder with the files of the package, which stays until `release`. */
  acquire(hash: string): Promise<string> {
    const kept = this.#kept.get(hash) ?? this.#begin(hash)
    kept.users++
    return kept.folder
  }

  /** The worker has ended, or was not started. */
  release(hash: string): void {
    const kept = this.#kept.get(hash)
    if (kept === undefined) return
    kept.users--
    this.#kept.delete(hash)
    this.#kept.set(hash, kept)
    this.#makeRoom()
  }

  #begin(hash: string): Kept {
    const folder = this.#prepare(hash)
    const kept: Kept = { folder, users: 0, bytes: 0 }
    this.#kept.set(hash, kept)
    folder.then(
      async (ready) => {
        kept.bytes = await bytesIn(ready)
        this.#makeRoom()
      },
      // The next worker that needs it tries again.
      () => this.#kept.delete(hash),
    )
    return kept
  }

  #makeRoom(): void {
    const { bytesMax = packageCacheBytesMax, folder } = this.#options
    let bytes = 0
    for (const kept of this.#kept.values()) bytes += kept.bytes
    for (const [hash, kept] of this.#kept) {
      if (bytes <= bytesMax) return
      if (kept.users > 0 || kept.bytes === 0) continue
      this.#kept.delete(hash)
      bytes -= kept.bytes
      this.#removals = this.#removals.then(() => discard(path.join(folder, hash)))
    }
  }

  /** What was unpacked goes with the node. */
  async close(): Promise<void> {
    await this.#removals
    await rm(this.#options.folder, { recursive: true, force: true })
  }

  arrived({ hash, index, count, bytes }: Piece): void {
    const arrival = this.#arriving.get(hash)
    if (arrival === undefined) return
    arrival.pieces[index] = bytes
    if (Object.keys(arrival.pieces).length < count) return
    this.#arriving.delete(hash)
    arrival.done(arrival.pieces)
  }

  async #prepare(hash: string): Promise<string> {
    if (!/^[0-9a-f]{32}$/.test(hash)) throw new Error(`${hash} names no package`)
    const folder = path.join(this.#options.folder, hash)
    await this.#removals
    if (await exists(folder)) return folder
    const pieces = await this.#fetch(hash)
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 })
    const draft = await mkdtemp(path.join(this.#options.folder, 'unpacking-'))
    try {
      await unpack(pieces, draft)
      await linkPackages(draft)
      await rename(draft, folder)
    } catch (error) {
      await rm(draft, { recursive: true, force: true })
      // Another node of this machine was faster.
      if (!(await exists(folder))) throw error
    }
    return folder
  }

  #fetch(hash: string): Promise<readonly Uint8Array[]> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.timer(packageWaitMs, () => {
        this.#arriving.delete(hash)
        reject(
          new Error(
            `the working folder of the program (package ${hash}) has not come within ` +
              `${packageWaitMs} ms`,
          ),
        )
      })
      const done = (pieces: readonly Uint8Array[]): void => {
        cancel()
        resolve(pieces)
      }
      this.#arriving.set(hash, { pieces: [], done })
      this.#options.fetch(hash)
    })
  }
}

async function unpack(pieces: readonly Uint8Array[], folder: string): Promise<void> {
  const { extract } = await import('tar')
  await new Promise<void>((resolve, reject) => {
    const stream = extract({ cwd: folder, strict: true })
    stream.on('error', reject)
    stream.on('close', () => resolve())
    for (const piece of pieces) stream.write(Buffer.from(piece))
    stream.end()
  })
}

/** Packages come from where the node was started, and `typeray` is its own in any case. */
async function linkPackages(folder: string): Promise<void> {
  const target = path.join(folder, 'node_modules')
  if (await exists(target)) return
  for (let at = process.cwd(); ; at = path.dirname(at)) {
    const packages = path.join(at, 'node_modules')
    if (await exists(packages)) {
      await symlink(packages, target)
      return
    }
    if (at === path.dirname(at)) break
  }
  await mkdir(target)
  await symlink(ownPackage, path.join(target, 'typeray'))
}

/** What the files of a folder take. Links are not followed: packages of the node are not its. */
async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const stats = await Promise.all(files.map((file) => stat(path.join(file.parentPath, file.name))))
  return stats.reduce((sum, { size }) => sum + size, 1)
}

/** Another node of this machine may be at it too. */
async function discard(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(() => undefined)
}

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}
