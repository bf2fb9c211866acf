// Images as tensors of their pixels.

import type SharpModule from 'sharp'
import { RayError } from '../../base/errors.js'
import { type Block, schemaOfBlock } from '../block/block.js'
import { dataOfColumn } from '../block/column-data.js'
import { Tensor } from '../block/tensor.js'
import { oneRow } from './binary.js'
import { bytesBlock, describeBytes } from './bytes-block.js'
import type { ImageFormat } from './file-format.js'
import { fileRows } from './file-rows.js'
import type { BytesReader, DescribedBytes, DescribedFiles, ReadRequest } from './file-readers.js'
import type { FilePiece, FilesSource, ListedFile } from './files.js'
import { mapInOrder } from './map-in-order.js'
import { bytesOf } from './open-pieces.js'

/** Decoded pixels take about this many times the size of a photograph's file. */
const growth = 10

export function imageReader(format: ImageFormat): BytesReader {
  return {
    kind: 'bytes',
    describe: (files, source) => describe(files, source, format),
    read: (request) => read(request, format),
    load: loadSharp,
    rows: (request) => {
      const sharp = loadSharp()
      return fileRows(request, {
        column: 'image',
        read: async (piece) => decode(await sharp, request, { piece, format }),
        kindOf: ({ shape }) => shape.join(),
        dataOf: (images) => dataOfColumn('image', images),
      })
    },
  }
}

async function describe(
  { read: wanted, looked }: DescribedFiles,
  source: FilesSource,
  format: ImageFormat,
): Promise<DescribedBytes> {
  const files = wanted.map((file) => {
    return { path: file.path, pieces: [{ ...oneRow(file), bytes: pixelBytes(file, format) }] }
  })
  const inFiles = [{ name: 'image', type: 'BLOB' }]
  const described = describeBytes(source, { files, looked, inFiles })
  const [first] = files.flatMap((file) => file.pieces)
  if (first === undefined) return described
  // What the pixels of the first image are, those of the others are too, but for their size.
  const block = await read({ source, pieces: [first], columns: described.columns }, format)
  return { ...described, schema: schemaOfBlock(block) }
}

function pixelBytes({ size = 0 }: ListedFile, format: ImageFormat): number {
  if (format.size === undefined) return size * growth
  return format.size[0] * format.size[1] * 4
}

async function read(request: ReadRequest, format: ImageFormat): Promise<Block> {
  const sharp = await loadSharp()
  const images = await mapInOrder(request.pieces, (piece) =>
    decode(sharp, request, { piece, format }),
  )
  const columns = { image: dataOfColumn('image', images) }
  return bytesBlock(request, { columns, rows: images.map(() => 1) })
}

async function loadSharp(): Promise<typeof SharpModule> {
  const { default: sharp } = await import('sharp')
  // A task has one CPU, and reads each file once.
  sharp.concurrency(1)
  sharp.cache(false)
  return sharp
}

interface Decoding {
  readonly piece: FilePiece
  readonly format: ImageFormat
}

async function decode(
  sharp: typeof SharpModule,
  { source }: ReadRequest,
  { piece, format }: Decoding,
): Promise<Tensor> {
  const bytes = await bytesOf(source, piece)
  try {
    let image = sharp(bytes)
    if (format.size !== undefined) {
      const [height, width] = format.size
      image = image.resize(width, height, { fit: 'fill' })
    }
    if (format.mode === 'RGB') image = image.toColourspace('srgb').removeAlpha()
    else if (format.mode === 'RGBA') image = image.toColourspace('srgb').ensureAlpha()
    else if (format.mode === 'L') image = image.greyscale().removeAlpha()
    const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    const shape = [info.height, info.width, ...(info.channels === 1 ? [] : [info.channels])]
    return new Tensor(new Uint8Array(data.buffer, data.byteOffset, data.length), shape)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new RayError(
      `${source.operator}: ${piece.path} is not an image that can be read: ${reason}`,
      {
        fields: { path: piece.path },
        cause,
      },
    )
  }
}
