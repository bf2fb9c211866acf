// The engine drops the last line of a file without a word if it is longer than its buffer; of any
// other line it says so. Whether there is such a line is seen at the end of the file.

import fs from 'node:fs'

/** The buffer that the engine reads CSV files with unless it is told otherwise. */
export const engineBufferBytes = 32_000_000
/** Lines mostly end within so many bytes. */
const firstStepBytes = 64 * 1024

/** Whether the last line of a file that the engine opens does not fit into its buffer. */
export function hasLongLastLine(path: string): boolean {
  const descriptor = fs.openSync(path, 'r')
  try {
    const { size } = fs.fstatSync(descriptor)
    if (size <= engineBufferBytes) return false
    for (let length = firstStepBytes; ; length *= 16) {
      const bytes = Buffer.allocUnsafe(Math.min(length, engineBufferBytes))
      const count = fs.readSync(descriptor, bytes, 0, bytes.length, size - bytes.length)
      // The line end of the last line itself is no beginning of it.
      if (bytes.lastIndexOf(10, count - 2) !== -1) return false
      if (length >= engineBufferBytes) return true
    }
  } finally {
    fs.closeSync(descriptor)
  }
}
