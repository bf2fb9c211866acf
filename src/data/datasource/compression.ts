// Compressed files: which codec, and their bytes without it.

import zlib from 'node:zlib'
import { RayError } from '../../base/errors.js'
import type { Compression, FilesSource } from './files.js'

export type Codec = Exclude<Compression, 'infer'>

const codecs: Readonly<Record<string, Codec>> = {
  gz: 'gzip',
  gzip: 'gzip',
  zst: 'zstd',
  zstd: 'zstd',
  br: 'brotli',
}

const refused = ['bz2', 'lz4', 'snappy', 'xz', 'zip', '7z']

/** How a file is compressed, by the options of its source or else by its name. */
export function codecOf(source: FilesSource, file: string): Codec {
  const { compression = 'infer', operator } = source
  if (compression !== 'infer') return compression
  const extension = /\.(\w+)$/.exec(file)?.[1]?.toLowerCase() ?? ''
  if (refused.includes(extension)) {
    throw new RayError(
      `${operator}: ${file} is compressed in a way that Typeray does not read (.${extension}). ` +
        'It reads gzip, zstd and brotli. If it is not compressed at all, say ' +
        "compression: 'none'.",
      { fields: { path: file } },
    )
  }
  return codecs[extension] ?? 'none'
}

/** The bytes of a file without its compression. */
export async function decompress(bytes: Buffer, codec: Codec): Promise<Buffer> {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return zlib.gunzipSync(bytes)
    case 'brotli':
      return zlib.brotliDecompressSync(bytes)
    case 'zstd': {
      const { decompress: zstd } = await import('fzstd')
      return Buffer.from(zstd(bytes))
    }
  }
}
