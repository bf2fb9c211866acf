// Files on web servers: read whole, or by ranges where the server gives them.

import { RayError } from '../../base/errors.js'
import { requestTriesMax, serverSilentMsMax } from '../../base/limits.js'
import { askAgain, PassingFailure } from './ask-again.js'
import type { FilesystemOptions } from './files.js'
import { Pace } from './pace.js'
import type { Storage } from './storage.js'

export function httpStorage(options: FilesystemOptions | undefined): Storage {
  const { headers = {}, timeoutMs: silentMsMax = serverSilentMsMax } = options ?? {}
  return {
    async list(path) {
      const head = await request(path, { method: 'HEAD', headers, silentMsMax })
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
      const { status, statusText, body } = await request(path, { headers: asked, silentMsMax })
      if (status < 200 || status >= 300) {
        const said = `${path}: the server answers ${status} ${statusText}.${adviceFor(status)}`
        throw new RayError(said, { fields: { path } })
      }
      if (range === undefined || status === 206) return body
      // A server that knows no ranges sends the whole file.
      return body.subarray(range.start, range.start + range.length)
    },
  }
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) {
    return ' What it asks for may be sent with `filesystem: { headers }`.'
  }
  return isPassing(status) ? ` It was asked ${requestTriesMax} times: try again later.` : ''
}

interface Answer {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  readonly body: Buffer
}

interface Asked {
  readonly method?: string
  readonly headers: Readonly<Record<string, string>>
  readonly silentMsMax: number
}

/** Asks again where the server or the network may do better next time. */
function request(path: string, asked: Asked): Promise<Answer> {
  return askAgain(async (isLast) => {
    let answer: Answer
    try {
      answer = await ask(path, asked)
    } catch (cause) {
      throw new PassingFailure(unreachable(path, cause))
    }
    if (isLast || !isPassing(answer.status)) return answer
    throw new PassingFailure(answer, pauseAskedFor(answer.headers))
  })
}

/** Asks once. */
async function ask(path: string, { silentMsMax, ...init }: Asked): Promise<Answer> {
  const abort = new AbortController()
  const pace = new Pace(silentMsMax, (reason) => abort.abort(reason))
  try {
    const response = await fetch(path, { ...init, signal: abort.signal })
    const { status, statusText, headers } = response
    // The types of Node know of no AsyncIterable here.
    const parts = response.body as AsyncIterable<Uint8Array> | null
    const body = parts === null ? Buffer.alloc(0) : await pace.collect(parts)
    return { status, statusText, headers, body }
  } finally {
    pace.end()
  }
}

function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}

/** `Retry-After`, in seconds or as a date. */
function pauseAskedFor(headers: Headers): number {
  const asked = headers.get('retry-after')
  if (asked === null) return 0
  const ms = /^\d+$/.test(asked) ? Number(asked) * 1000 : Date.parse(asked) - Date.now()
  return Number.isNaN(ms) ? 0 : Math.max(0, ms)
}

function unreachable(path: string, cause: unknown): RayError {
  const reason = cause instanceof Error ? String(cause.cause ?? cause.message) : String(cause)
  return new RayError(
    `${path} cannot be reached: ${reason}. It was asked ${requestTriesMax} times; check the ` +
      'address and the network, or give the server more time: `filesystem: { timeoutMs }`.',
    { fields: { path }, cause },
  )
}
