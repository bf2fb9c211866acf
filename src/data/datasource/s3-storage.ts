// Files in S3, and on servers that speak its protocol.

import type { Readable } from 'node:stream'
import { serverSilentMsMax } from '../../base/limits.js'
import { askAgain, PassingFailure } from './ask-again.js'
import type { FilesystemOptions, ListedFile } from './files.js'
import { globPattern, isGlob } from './glob.js'
import { isHiddenName } from './hidden-name.js'
import { Pace } from './pace.js'
import { s3Asker, type S3Request, statusOf } from './s3-client.js'
import { s3Output } from './s3-output.js'
import type { Storage } from './storage.js'

export function s3Storage(options: FilesystemOptions | undefined): Storage {
  const ask = s3Asker(options)
  const { timeoutMs: silentMsMax = serverSilentMsMax } = options ?? {}
  return {
    list: (path) => {
      return ask(path, async (request) => {
        const { place } = request
        const { key } = place
        if (isGlob(key)) return { isFolder: false, files: await globbed(request) }
        const head = key === '' || key.endsWith('/') ? undefined : await headOf(request)
        if (head !== undefined) return { isFolder: false, files: [{ path, ...head }] }
        const prefix = key === '' || key.endsWith('/') ? key : `${key}/`
        const files = await objectsBelow(request, prefix)
        const shown = files.filter(
          (file) => !isHidden(file.path.slice(place.root.length + prefix.length)),
        )
        return files.length === 0 ? undefined : { isFolder: true, files: shown }
      })
    },
    read: (path, range) => {
      return ask(path, ({ client, sdk, place: { bucket, key } }) => {
        const bytes = range && `bytes=${range.start}-${range.start + range.length - 1}`
        const input = {
          Bucket: bucket,
          Key: key,
          ...(bytes === undefined ? {} : { Range: bytes }),
          ...(range?.tag === undefined ? {} : { IfMatch: range.tag }),
        }
        return askAgain(async () => {
          const { Body } = await client.send(new sdk.GetObjectCommand(input))
          // The SDK makes requests again by itself, but not for what breaks while the body comes.
          const body = Body as Readable
          const pace = new Pace(silentMsMax, (reason) => body.destroy(slowness(reason)))
          try {
            return await pace.collect(body)
          } catch (cause) {
            throw new PassingFailure(cause)
          } finally {
            pace.end()
          }
        })
      })
    },
    remove: (path) => {
      return ask(path, async ({ client, sdk, place: { bucket, key } }) => {
        await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key }))
      })
    },
    output: s3Output(ask),
  }
}

/** Named as the SDK names what takes too long. */
function slowness({ message }: Error): Error {
  const error = new Error(message)
  error.name = 'TimeoutError'
  return error
}

/** Undefined if there is no such object. */
async function headOf({ client, sdk, place }: S3Request) {
  try {
    const { bucket, key } = place
    const head = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }))
    return { size: head.ContentLength, tag: head.ETag }
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

async function objectsBelow(
  { client, sdk, place }: S3Request,
  prefix: string,
): Promise<ListedFile[]> {
  const files: ListedFile[] = []
  let next: string | undefined
  do {
    const page = await client.send(
      new sdk.ListObjectsV2Command({
        Bucket: place.bucket,
        Prefix: prefix,
        ...(next === undefined ? {} : { ContinuationToken: next }),
      }),
    )
    for (const { Key = '', Size = 0 } of page.Contents ?? []) {
      // What looks like a folder is an object that some consoles make for one.
      if (!Key.endsWith('/')) files.push({ path: `${place.root}${Key}`, size: Size })
    }
    next = page.NextContinuationToken
  } while (next !== undefined)
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function globbed(asked: S3Request): Promise<readonly ListedFile[]> {
  const { key, root } = asked.place
  const prefix = key.slice(0, key.search(/[*?[\]{}]/))
  const pattern = globPattern(key)
  const files = await objectsBelow(asked, prefix)
  return files.filter((file) => pattern.test(file.path.slice(root.length)))
}

function isHidden(key: string): boolean {
  return key.split('/').some(isHiddenName)
}
