// A web server of files that gives ranges, for tests, and that may be told to answer otherwise.

import { createHash } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FileServer {
  readonly origin: string
  /** Bytes by the path of the URL. */
  readonly files: Map<string, Buffer>
  close(): void
}

/** Answers a request itself, or gives false and leaves it to the server. */
export type Answers = (request: http.IncomingMessage, response: http.ServerResponse) => boolean

export async function startFileServer(answers: Answers = () => false): Promise<FileServer> {
  const files = new Map<string, Buffer>()
  const server = http.createServer((request, response) => {
    if (answers(request, response)) return
    const [name = ''] = request.url?.split('?') ?? []
    const body = files.get(name)
    if (body === undefined) {
      response.writeHead(404).end()
      return
    }
    const etag = `"${createHash('md5').update(body).digest('hex')}"`
    const { 'if-match': wanted = etag } = request.headers
    if (wanted !== etag) {
      response.writeHead(412).end()
      return
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    const part =
      range === null
        ? body
        : body.subarray(Number(range[1]), Math.min(body.length, Number(range[2]) + 1))
    response.writeHead(range === null ? 200 : 206, {
      'content-length': part.length,
      etag,
    })
    response.end(request.method === 'HEAD' ? undefined : part)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
