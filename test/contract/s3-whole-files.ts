// s3rver answers when it has read what it is sent, and not when that is in its files: who asks at
// once for what was written gets a part of it. Here it writes before it answers.

import { createHash } from 'node:crypto'
import fs from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'

interface Stored {
  readonly bucket: string
  readonly key: string
  readonly content: Buffer | AsyncIterable<Uint8Array>
  readonly metadata: unknown
}

interface Written {
  readonly size: number
  readonly md5: string
}

type Part = [bucket: string, uploadId: string, part: number, content: AsyncIterable<Uint8Array>]

interface Store {
  getResourcePath(bucket: string, key: string | undefined, resource: string): string
  putMetadata(bucket: string, key: string, metadata: unknown, md5: string): Promise<void>
  putObject(object: Stored): Promise<Written>
  putPart(...part: Part): Promise<Written>
}

const require = createRequire(import.meta.url)

/** Changes the server's class, for all servers of this process. */
export function writeBeforeAnswering(): void {
  const { prototype } = require('s3rver/lib/stores/filesystem') as { prototype: Store }
  prototype.putObject = async function (this: Store, { bucket, key, content, metadata }) {
    const written = await write(this.getResourcePath(bucket, key, 'object'), content)
    await this.putMetadata(bucket, key, metadata, written.md5)
    return written
  }
  prototype.putPart = async function (this: Store, ...[bucket, uploadId, part, content]) {
    const uploads = this.getResourcePath(bucket, undefined, 'uploads')
    const file = path.join(uploads, uploadId, String(part))
    const written = await write(file, content)
    await fs.writeFile(`${file}.md5`, written.md5)
    return written
  }
}

async function write(file: string, content: Stored['content']): Promise<Written> {
  const chunks: Uint8Array[] = []
  if (Buffer.isBuffer(content)) chunks.push(content)
  else for await (const chunk of content) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  await fs.mkdir(path.dirname(file), { recursive: true })
  await fs.writeFile(file, bytes)
  return { size: bytes.length, md5: createHash('md5').update(bytes).digest('hex') }
}
