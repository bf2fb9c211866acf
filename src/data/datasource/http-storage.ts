// Files on web servers: read whole, or by ranges where the server gives them.

import { RayError } from '../../base/errors.js'
import { httpRequestMs, httpTriesMax } from '../../base/limits.js'
import type { FilesystemOptions } from './files.js'
import type { Storage } from './storage.js'

export function httpStorage(options: FilesystemOptions | undefined): Storage {
  const headers = options?.headers ?? {}
  return {
    async list(path) {
      const head = await request(path, { method: 'HEAD', headers })
      if (head.status === 404 || head.status === 410) return undefined
      // Some servers answer no HEAD; reading will say whether there is something.
      const length = head.ok ? head.headers.get('content-length') : null
      const isPacked = head.headers.get('content-encoding') !== null
      const size = length === null || isPacked ? undefined : Number(length)
      return { isFolder: false, files: [{ path, size }] }
    },
    async read(path, range) {
      const bytes = range && `bytes=${range.start}-${range.start + range.length - 1}`
      const asked = bytes === undefined ? headers : { ...headers, range: bytes }
      const response = await request(path, { headers: asked })
      if (!response.ok) {
        throw new RayError(
          `${path}: the server answers ${response.status} ${response.statusText}.`,
          {
            fields: { path },
          },
        )
      }
      const all = Buffer.from(await response.arrayBuffer())
      if (range === undefined || response.status === 206) return all
      return all.subarray(range.start, range.start + range.length)
    },
  }
}

/** Asks again where the server or the network may do better next time. */
async function request(path: string, init: RequestInit): Promise<Response> {
  for (let tries = 1; ; tries++) {
    try {
      const response = await fetch(path, { ...init, signal: AbortSignal.timeout(httpRequestMs) })
      if (response.status < 500 || tries >= httpTriesMax) return response
      await response.body?.cancel()
    } catch (cause) {
      if (tries >= httpTriesMax) {
        const reason = cause instanceof Error ? String(cause.cause ?? cause.message) : String(cause)
        throw new RayError(`${path} cannot be reached: ${reason}.`, { fields: { path }, cause })
      }
    }
  }
}
