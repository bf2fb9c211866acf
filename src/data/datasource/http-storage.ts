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
      const isOk = head.status >= 200 && head.status < 300
      const length = isOk ? head.headers.get('content-length') : null
      const isPacked = head.headers.get('content-encoding') !== null
      const size = length === null || isPacked ? undefined : Number(length)
      return { isFolder: false, files: [{ path, size }] }
    },
    async read(path, range) {
      const bytes = range && `bytes=${range.start}-${range.start + range.length - 1}`
      const asked = bytes === undefined ? headers : { ...headers, range: bytes }
      const { status, statusText, body } = await request(path, { headers: asked })
      if (status < 200 || status >= 300) {
        throw new RayError(`${path}: the server answers ${status} ${statusText}.`, {
          fields: { path },
        })
      }
      if (range === undefined || status === 206) return body
      // A server that knows no ranges sends the whole file.
      return body.subarray(range.start, range.start + range.length)
    },
  }
}

interface Answer {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  readonly body: Buffer
}

/** Asks again where the server or the network may do better next time. */
async function request(path: string, init: RequestInit): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      const response = await fetch(path, { ...init, signal: AbortSignal.timeout(httpRequestMs) })
      const { status, statusText, headers } = response
      // A connection may also break while the body comes.
      const body = Buffer.from(await response.arrayBuffer())
      if (status < 500 || tries >= httpTriesMax) return { status, statusText, headers, body }
    } catch (cause) {
      if (tries >= httpTriesMax) {
        const reason = cause instanceof Error ? String(cause.cause ?? cause.message) : String(cause)
        throw new RayError(`${path} cannot be reached: ${reason}.`, { fields: { path }, cause })
      }
    }
  }
}
