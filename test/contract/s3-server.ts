// A server that speaks S3, for tests: s3rver, and before it what that lacks, listing and aborting
// uploads. It knows which uploads are open.

import http from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { FilesystemOptions } from '../../src/data/index.js'
import { writeBeforeAnswering } from './s3-whole-files.js'

interface S3rver {
  run(): Promise<AddressInfo>
  close(): Promise<void>
}

const require = createRequire(import.meta.url)

export interface S3Server {
  /** How datasets reach it. */
  readonly filesystem: FilesystemOptions
  /** Keys of the uploads that were begun, and neither completed nor aborted, by their ids. */
  readonly uploads: ReadonlyMap<string, string>
  /** Length of the longest request body. */
  longest(): number
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

/** Starts the server with one bucket, called `bucket`, whose objects lie in `directory`. */
export async function startS3(directory: string): Promise<S3Server> {
  writeBeforeAnswering()
  const S3rverClass = require('s3rver') as new (options: object) => S3rver
  const buckets = [{ name: 'bucket' }]
  const server = { port: 0, address: '127.0.0.1', silent: true, directory }
  const s3rver = new S3rverClass({ ...server, configureBuckets: buckets })
  const { port } = await s3rver.run()
  const uploads = new Map<string, string>()
  let longest = 0
  const front = http.createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const body = await bodyOf(request)
      longest = Math.max(longest, body.length)
      const own = answerItself(request, uploads)
      const { status, headers, body: content } = own ?? (await pass(request, body, port))
      if (own === undefined && status === 200) noteUpload(request, content, uploads)
      response.writeHead(status, headers).end(content)
    }
    answer().catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
  const keys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
  return {
    filesystem: { endpoint, region: 'us-east-1', ...keys },
    uploads,
    longest: () => longest,
    close: async () => {
      front.close()
      front.closeAllConnections()
      await s3rver.close()
    },
  }
}

async function bodyOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

function pass(request: http.IncomingMessage, body: Buffer, port: number): Promise<Answer> {
  const { method, url: path, headers } = request
  return new Promise((resolve, reject) => {
    const to = { host: '127.0.0.1', port, method, path, headers }
    const passed = http.request(to, (response) => {
      bodyOf(response).then((content) => {
        const { statusCode: status = 500, headers: given } = response
        // Of a HEAD there is a length, and no body.
        const { 'transfer-encoding': _, ...kept } = given
        resolve({ status, headers: kept, body: content })
      }, reject)
    })
    passed.on('error', reject).end(body)
  })
}

/** What s3rver does not do. */
function answerItself(
  request: http.IncomingMessage,
  uploads: Map<string, string>,
): Answer | undefined {
  const url = new URL(request.url ?? '', 'http://host')
  const id = url.searchParams.get('uploadId')
  if (request.method === 'DELETE' && id !== null) {
    const status = uploads.delete(id) ? 204 : 404
    return { status, headers: {}, body: Buffer.alloc(0) }
  }
  if (request.method === 'GET' && url.searchParams.has('uploads')) {
    const prefix = url.searchParams.get('prefix') ?? ''
    const list = [...uploads]
      .filter(([, key]) => key.startsWith(prefix))
      .map(([upload, key]) => `<Upload><Key>${key}</Key><UploadId>${upload}</UploadId></Upload>`)
    const body = `<ListMultipartUploadsResult>${list.join('')}</ListMultipartUploadsResult>`
    return { status: 200, headers: { 'content-type': 'application/xml' }, body: Buffer.from(body) }
  }
  return undefined
}

function noteUpload(
  request: http.IncomingMessage,
  content: Buffer,
  uploads: Map<string, string>,
): void {
  const url = new URL(request.url ?? '', 'http://host')
  if (request.method !== 'POST') return
  if (url.searchParams.has('uploads')) {
    const id = /<UploadId>([^<]*)</.exec(content.toString())?.[1] ?? ''
    uploads.set(id, decodeURIComponent(url.pathname.replace(/^\/bucket\//, '')))
  }
  uploads.delete(url.searchParams.get('uploadId') ?? '')
}
