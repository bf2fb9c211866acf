// Text files, a row per line, without making a JavaScript string of any.

import { type Data, makeData, Utf8 } from 'apache-arrow'
import { isUtf8 } from 'node:buffer'
import { RayError } from '../../base/errors.js'
import type { Block } from '../block/block.js'
import { linePieces } from './byte-pieces.js'
import { bytesBlock, describeBytes } from './bytes-block.js'
import type { TextFormat } from './file-format.js'
import type { BytesReader, ReadRequest } from './file-readers.js'
import { mapInOrder } from './map-in-order.js'
import { bytesOf } from './open-pieces.js'

export function textReader(format: TextFormat): BytesReader {
  return {
    kind: 'bytes',
    async describe({ read: files, looked }, source) {
      const found = await mapInOrder(files, async (file) => {
        return { path: file.path, pieces: await linePieces(source, file, undefined) }
      })
      const inFiles = [{ name: 'text', type: 'VARCHAR' }]
      return describeBytes(source, { files: found, looked, inFiles })
    },
    read: (request) => read(request, format),
  }
}

async function read(request: ReadRequest, format: TextFormat): Promise<Block> {
  const parts = await mapInOrder(request.pieces, async (piece) => {
    const bytes = await bytesOf(request.source, piece)
    return asUtf8(request, format, { bytes, path: piece.path })
  })
  const lines = new LineBuilder(parts.reduce((sum, part) => sum + part.length, 0))
  const rows = parts.map((part) => lines.add(part, format.dropEmptyLines))
  return bytesBlock(request, { columns: { text: lines.data() }, rows })
}

function asUtf8(
  { source }: ReadRequest,
  { encoding }: TextFormat,
  { bytes, path }: { readonly bytes: Buffer; readonly path: string },
): Buffer {
  if (encoding !== 'utf-8') return Buffer.from(new TextDecoder(encoding).decode(bytes))
  if (!isUtf8(bytes)) {
    throw new RayError(
      `${source.operator}: ${path} is not UTF-8. Say which \`encoding\` it has, such as 'latin1'.`,
      { fields: { path } },
    )
  }
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return hasMark ? bytes.subarray(3) : bytes
}

/** Collects lines as Arrow wants them: bytes without line ends, and where each line ends. */
class LineBuilder {
  readonly #bytes: Uint8Array
  #offsets = new Int32Array(1024)
  #count = 0
  #at = 0

  constructor(bytesMax: number) {
    this.#bytes = new Uint8Array(bytesMax)
  }

  /** Gives the number of lines that `text` has. */
  add(text: Buffer, dropsEmpty: boolean): number {
    const before = this.#count
    let start = 0
    while (start < text.length) {
      const found = text.indexOf(10, start)
      const next = found === -1 ? text.length : found + 1
      let end = found === -1 ? text.length : found
      if (end > start && text[end - 1] === 13) end--
      if (end > start || !dropsEmpty) this.#push(text, start, end)
      start = next
    }
    return this.#count - before
  }

  data(): Data {
    const valueOffsets = this.#offsets.slice(0, this.#count + 1)
    const data = this.#bytes.slice(0, this.#at)
    return makeData({ type: new Utf8(), length: this.#count, nullCount: 0, valueOffsets, data })
  }

  #push(text: Buffer, start: number, end: number): void {
    this.#bytes.set(text.subarray(start, end), this.#at)
    this.#at += end - start
    this.#count++
    if (this.#count >= this.#offsets.length) {
      const larger = new Int32Array(this.#offsets.length * 2)
      larger.set(this.#offsets)
      this.#offsets = larger
    }
    this.#offsets[this.#count] = this.#at
  }
}
