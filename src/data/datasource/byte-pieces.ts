// Large files of lines in parts that tasks can read by themselves: cut behind a line end.

import { readPieceBytes } from '../../base/limits.js'
import { codecOf } from './compression.js'
import type { FilePiece, FilesSource, ListedFile } from './files.js'
import { storageOf } from './storage.js'

/** Text takes about this many times its size in a block. */
const growth = 1.5
/** A file of lines is looked at in steps of this size to find the next line end. */
const stepBytes = 1024 * 1024

/** Where a quoted value hides line ends; undefined where none does. */
export type QuoteByte = number | undefined

/** The pieces of a file: one, or several that end with a line. */
export async function linePieces(
  source: FilesSource,
  file: ListedFile,
  quote: QuoteByte,
): Promise<readonly FilePiece[]> {
  const { path, size } = file
  if (size === 0) return []
  const isSplit = size !== undefined && size > readPieceBytes && codecOf(source, path) === 'none'
  if (!isSplit) return [wholeFile(file)]
  const cuts = await findCuts(source, { path, size }, quote)
  return cuts.map((start, i) => {
    const length = (cuts[i + 1] ?? size) - start
    return { path, start, length, fileLength: size, rows: undefined, bytes: length * growth }
  })
}

/** A file as one piece. */
export function wholeFile({ path, size = 0 }: ListedFile): FilePiece {
  const isPacked = /\.(gz|gzip|zst|zstd|br)$/i.test(path)
  const bytes = size * growth * (isPacked ? 4 : 1)
  return { path, start: 0, length: size, fileLength: size, rows: undefined, bytes }
}

type SizedFile = ListedFile & { readonly size: number }

async function findCuts(
  source: FilesSource,
  file: SizedFile,
  quote: QuoteByte,
): Promise<readonly number[]> {
  const scanner = quote === undefined ? undefined : new QuoteScanner(source, file, quote)
  const cuts = [0]
  for (let at = readPieceBytes; at < file.size;) {
    const isQuoted = (await scanner?.isQuotedAt(at)) ?? false
    const cut = await nextLine(source, file, { at, isQuoted, quote })
    if (cut >= file.size) break
    cuts.push(cut)
    at = cut + readPieceBytes
  }
  return cuts
}

interface SearchFrom {
  readonly at: number
  readonly isQuoted: boolean
  readonly quote: QuoteByte
}

/** The position behind the next line end that no quotes hide. */
async function nextLine(source: FilesSource, file: SizedFile, from: SearchFrom): Promise<number> {
  let { isQuoted } = from
  for (let at = from.at; at < file.size; at += stepBytes) {
    const bytes = await readStep(source, file, at)
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] === from.quote) isQuoted = !isQuoted
      else if (bytes[i] === 10 && !isQuoted) return at + i + 1
    }
  }
  return file.size
}

async function readStep(source: FilesSource, file: SizedFile, at: number): Promise<Buffer> {
  const storage = await storageOf(source.operator, file.path, source.filesystem)
  return storage.read(file.path, { start: at, length: Math.min(stepBytes, file.size - at) })
}

/** Says whether a position is inside quotes, by counting those before it. An escaped quote counts
 * as two, which is right whether it is written "" or not seen as one at all. */
class QuoteScanner {
  readonly #source: FilesSource
  readonly #file: SizedFile
  readonly #quote: number
  #position = 0
  #isQuoted = false

  constructor(source: FilesSource, file: SizedFile, quote: number) {
    this.#source = source
    this.#file = file
    this.#quote = quote
  }

  async isQuotedAt(position: number): Promise<boolean> {
    while (this.#position < position) {
      const bytes = await readStep(this.#source, this.#file, this.#position)
      const part = bytes.subarray(0, position - this.#position)
      for (let at = part.indexOf(this.#quote); at !== -1; at = part.indexOf(this.#quote, at + 1)) {
        this.#isQuoted = !this.#isQuoted
      }
      this.#position += part.length
    }
    return this.#isQuoted
  }
}
