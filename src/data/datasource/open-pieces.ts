// Pieces of files as paths that the engine can open.
//
// The engine reads whole local files by itself. What it cannot reach - part of a file, a file on
// another machine, a codec that it does not know - is copied into a file that has no name: it is
// unlinked as soon as it is open, the engine opens it again through /proc, and when this process
// ends, however it does, nothing is left.

import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import { RayError } from '../../base/errors.js'
import { type Codec, codecOf, decompress } from './compression.js'
import { type FilePiece, type FilesSource, isWhole } from './files.js'
import { localPath } from './local-storage.js'
import { isLocal, storageOf } from './storage.js'

/** What is open for one query; `close` when it has run. */
export class OpenPieces {
  readonly #source: FilesSource
  /** Added by `copy`, removed by `close`. */
  readonly #descriptors = new Map<number, string>()
  #isClosed = false

  constructor(source: FilesSource) {
    this.#source = source
  }

  /** A path for the engine that has the bytes of a piece, decompressed unless it can do that. */
  async path(piece: FilePiece, engineCodecs: readonly Codec[]): Promise<string> {
    const { path: file } = piece
    const codec = codecOf(this.#source, file)
    if (isLocal(file) && isWhole(piece)) {
      if (engineCodecs.includes(codec)) return file
      if (codec === 'gzip') return this.#unzipped(localPath(file))
    }
    return this.copy(file, await bytesOf(this.#source, piece))
  }

  /** A file without a name that holds `bytes`, which came from `file`. */
  copy(file: string, bytes: Uint8Array): string {
    const descriptor = this.#create(file)
    writeAll(descriptor, bytes, 0)
    return `/proc/self/fd/${descriptor}`
  }

  /** A copy of a compressed file, of which no more than a part is in memory. */
  async #unzipped(file: string): Promise<string> {
    const descriptor = this.#create(file)
    const write = async (parts: AsyncIterable<Buffer>): Promise<void> => {
      let at = 0
      for await (const part of parts) {
        this.#assertOpen(file)
        writeAll(descriptor, part, at)
        at += part.length
      }
    }
    try {
      await pipeline(fs.createReadStream(file), zlib.createGunzip(), write)
    } catch (cause) {
      throw notWhole(this.#source, file, { codec: 'gzip', cause })
    }
    return `/proc/self/fd/${descriptor}`
  }

  /** A file of `size` bytes, none of which is there yet. */
  sparse(file: string, size: number): SparseFile {
    const descriptor = this.#create(file)
    fs.ftruncateSync(descriptor, size)
    return {
      path: `/proc/self/fd/${descriptor}`,
      fill: (parts) => {
        this.#assertOpen(file)
        for (const { start, bytes } of parts) writeAll(descriptor, bytes, start)
      },
    }
  }

  /** A message of the engine, with the names of the files that it could not know. */
  named(message: string): string {
    return message.replace(/\/proc\/self\/fd\/(\d+)/g, (text, descriptor: string) => {
      return this.#descriptors.get(Number(descriptor)) ?? text
    })
  }

  close(): void {
    this.#isClosed = true
    for (const descriptor of this.#descriptors.keys()) fs.closeSync(descriptor)
    this.#descriptors.clear()
  }

  /**
   * When one file fails the others are not waited for. What comes of them later must not be
   * written: the numbers of the descriptors may belong to other files by then.
   */
  #assertOpen(file: string): void {
    if (!this.#isClosed) return
    throw new RayError(`${this.#source.operator}: the read of ${file} is over.`, {
      fields: { path: file },
    })
  }

  #create(file: string): number {
    this.#assertOpen(file)
    const name = path.join(os.tmpdir(), `typeray-${randomBytes(8).toString('hex')}`)
    const descriptor = fs.openSync(name, 'wx+', 0o600)
    fs.unlinkSync(name)
    this.#descriptors.set(descriptor, file)
    return descriptor
  }
}

function writeAll(descriptor: number, bytes: Uint8Array, start: number): void {
  let written = 0
  while (written < bytes.length) {
    const left = bytes.length - written
    written += fs.writeSync(descriptor, bytes, written, left, start + written)
  }
}

/** A file that the engine can open, and whose bytes are put where they belong. */
export interface SparseFile {
  readonly path: string
  fill(parts: readonly PlacedBytes[]): void
}

export interface PlacedBytes {
  readonly start: number
  readonly bytes: Uint8Array
}

/** The bytes of a piece, decompressed. A compressed file is always one piece. */
export async function bytesOf(source: FilesSource, piece: FilePiece): Promise<Buffer> {
  const { path: file, start, length } = piece
  const storage = await storageOf(source.operator, file, source.filesystem)
  const bytes = await storage.read(file, isWhole(piece) ? undefined : { start, length })
  const codec = codecOf(source, file)
  try {
    return await decompress(bytes, codec)
  } catch (cause) {
    throw notWhole(source, file, { codec, cause })
  }
}

function notWhole(
  { operator }: FilesSource,
  file: string,
  { codec, cause }: { readonly codec: Codec; readonly cause: unknown },
): RayError {
  const fields = { path: file }
  return new RayError(`${operator}: ${file} is not a whole ${codec} file.`, { fields, cause })
}
