// The bytes of files that values of a column name.

import { RayError } from '../../base/errors.js'
import type { FilesystemOptions } from './files.js'
import { localPath } from './local-storage.js'
import { mapInOrder } from './map-in-order.js'
import { isLocal, storageOf } from './storage.js'

/** The bytes of each file; null where there is no name. */
export async function downloadAll(
  uris: readonly unknown[],
  filesystem: FilesystemOptions | undefined,
): Promise<(Uint8Array | null)[]> {
  return mapInOrder(uris, async (uri) => {
    if (uri === null) return null
    if (typeof uri !== 'string') {
      throw new RayError(`download takes a column of paths or URLs, and was given ${String(uri)}.`)
    }
    const storage = await storageOf('download', uri, filesystem)
    try {
      return await storage.read(isLocal(uri) ? localPath(uri) : uri)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new RayError(`download: ${uri} cannot be read: ${reason}`, {
        fields: { path: uri },
        cause,
      })
    }
  })
}
