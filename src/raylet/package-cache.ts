// Folders of programs of other machines, unpacked here once.
//
// A package is unpacked beside its place and moved there when it is whole, so that two nodes of one
// machine, or one that is killed in the middle, do no harm. Archives are unpacked by a library that
// refuses paths which lead outside.

import { mkdir, mkdtemp, rename, rm, stat, symlink } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../base/clock.js'
import { packageWaitMs } from '../base/limits.js'
import type { FromGcs } from '../wire/messages/gcs.js'

export interface PackageCacheOptions {
  readonly clock: Clock
  /** Where packages are kept. */
  readonly folder: string
  /** Asks the GCS for the pieces of a package. */
  readonly fetch: (hash: string) => void
}

interface Arrival {
  readonly pieces: Uint8Array[]
  readonly done: (pieces: readonly Uint8Array[]) => void
}

type Piece = Extract<FromGcs, { kind: 'packageFound' }>

const ownPackage = fileURLToPath(new URL('../../..', import.meta.url))

export class PackageCache {
  readonly #options: PackageCacheOptions
  readonly #ready = new Map<string, Promise<string>>()
  readonly #arriving = new Map<string, Arrival>()

  constructor(options: PackageCacheOptions) {
    this.#options = options
  }

  /** The folder with the files of the package. */
  locate(hash: string): Promise<string> {
    const known = this.#ready.get(hash)
    if (known !== undefined) return known
    const ready = this.#prepare(hash)
    this.#ready.set(hash, ready)
    // The next worker that needs it tries again.
    ready.catch(() => this.#ready.delete(hash))
    return ready
  }

  /** What was unpacked goes with the node. */
  async close(): Promise<void> {
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

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}
