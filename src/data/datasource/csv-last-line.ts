// The engine drops the last line of a file without a word if it is longer than a line may be and
// goes beyond a buffer; of any other line it says so. Whether there is such a line is seen at the
// end of the file.

import fs from 'node:fs'
import { localPath } from './local-storage.js'

/** The buffer that the engine reads CSV files with unless it is told otherwise. */
export const engineBufferBytes = 32_000_000
/** How long the engine lets a line be unless it is told otherwise. */
const engineLineBytesMax = 2_000_000
/** Lines mostly end within so many bytes. */
const firstStepBytes = 64 * 1024

/** Whether something is so short that the engine loses nothing of it. */
export function isOneBuffer({ length }: { readonly length: number }): boolean {
  return length <= engineBufferBytes
}

/** The size of a file that the engine opens: no line is longer. */
export function openedBytes(path: string): number {
  return fs.statSync(localPath(path)).size
}

/** Whether the engine could drop the last line of a file that it opens. */
export function hasLongLastLine(path: string): boolean {
  const descriptor = fs.openSync(localPath(path), 'r')
  try {
    const { size } = fs.fstatSync(descriptor)
    if (isOneBuffer({ length: size })) return false
    for (let length = firstStepBytes; ; length *= 16) {
      const bytes = Buffer.allocUnsafe(Math.min(length, engineLineBytesMax))
      const count = fs.readSync(descriptor, bytes, 0, bytes.length, size - bytes.length)
      if (endsInShortLine(bytes.subarray(0, count))) return false
      if (length >= engineLineBytesMax) return true
    }
  } finally {
    fs.closeSync(descriptor)
  }
}

/** The same of a file whose bytes, decompressed, are there. */
export function hasLongLastLineIn(bytes: Buffer): boolean {
  if (isOneBuffer(bytes)) return false
  return !endsInShortLine(bytes.subarray(-engineLineBytesMax))
}

/** The line end of the last line itself is no beginning of it. */
function endsInShortLine(end: Buffer): boolean {
  return end.lastIndexOf(10, end.length - 2) !== -1
}
