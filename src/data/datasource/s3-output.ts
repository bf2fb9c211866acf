// Files written to S3: every file is an upload in parts, and completing it is what publishes it.
//
// A plain upload would appear as soon as it is there, and S3 renames nothing. Of a file no more
// than one part is in memory. Uploads that nobody completes are not seen by readers, but are stored
// and paid for: those of attempts that failed are looked for and aborted at the end of a write.

import fs from 'node:fs'
import path from 'node:path'
import { uploadPartBytes } from '../../base/limits.js'
import type { FolderSink } from '../logical/write-step.js'
import { mapInOrder } from './map-in-order.js'
import type { OutputStorage, StagedFile, WriteAttempt } from './output-storage.js'
import { isPartOf } from './part-files.js'
import { type AskS3, type S3Request, statusOf } from './s3-client.js'
import { openTemporaryFolder } from './temporary-folder.js'

/** S3 takes this many parts of one upload. */
const partsMax = 10_000

export function s3Output(ask: AskS3): OutputStorage {
  return {
    isStagedInPlace: false,
    begin: async () => undefined,
    openAttempt,
    stage: (from, to) => ask(to, (request) => upload(request, from, to)),
    publish: async (files) => {
      await mapInOrder(files, (file) => ask(file.path, (request) => complete(request, file)))
    },
    end: (sink) => ask(`${sink.folder}/`, (request) => abortLeft(request, sink)),
  }
}

function openAttempt(): WriteAttempt {
  const folder = openTemporaryFolder()
  return {
    path: (slice) => path.join(folder, String(slice)),
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  }
}

async function upload(request: S3Request, from: string, to: string): Promise<StagedFile> {
  const { client, sdk, place } = request
  const target = { Bucket: place.bucket, Key: place.key }
  const created = await client.send(new sdk.CreateMultipartUploadCommand(target))
  const UploadId = created.UploadId ?? ''
  try {
    const parts: string[] = []
    for (const Body of partsOf(from)) {
      const input = { ...target, UploadId, PartNumber: parts.length + 1, Body }
      const { ETag = '' } = await client.send(new sdk.UploadPartCommand(input))
      parts.push(ETag)
    }
    return { path: to, key: UploadId, parts }
  } catch (error) {
    await abort(request, { Key: place.key, UploadId })
    throw error
  }
}

/** A file in parts, one after the other; an empty file is one empty part. */
function* partsOf(file: string): Generator<Buffer> {
  const descriptor = fs.openSync(file, 'r')
  try {
    const { size } = fs.fstatSync(descriptor)
    const length = Math.max(uploadPartBytes, Math.ceil(size / partsMax))
    let start = 0
    do {
      const part = Buffer.allocUnsafeSlow(Math.min(length, size - start))
      let read = 0
      while (read < part.length) {
        read += fs.readSync(descriptor, part, read, part.length - read, start + read)
      }
      start += part.length
      yield part
    } while (start < size)
  } finally {
    fs.closeSync(descriptor)
  }
}

async function complete(
  { client, sdk, place }: S3Request,
  { key: UploadId, parts = [] }: StagedFile,
): Promise<void> {
  const target = { Bucket: place.bucket, Key: place.key }
  const Parts = parts.map((ETag, i) => ({ ETag, PartNumber: i + 1 }))
  try {
    const MultipartUpload = { Parts }
    await client.send(
      new sdk.CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }),
    )
  } catch (error) {
    // An upload that is gone was completed before, by a task that died before it could say so.
    if (statusOf(error) !== 404) throw error
    await client.send(new sdk.HeadObjectCommand(target))
  }
}

/** Aborts the uploads of a write that were not completed, where the server can list them. */
async function abortLeft(request: S3Request, sink: FolderSink): Promise<void> {
  const { client, sdk, place } = request
  const below = { Bucket: place.bucket, Prefix: place.key }
  let next: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
  while (next !== undefined) {
    const page = await listUploads(() => {
      return client.send(new sdk.ListMultipartUploadsCommand({ ...below, ...next }))
    })
    for (const { Key = '', UploadId = '' } of page?.Uploads ?? []) {
      const name = Key.slice(Key.lastIndexOf('/') + 1)
      if (isPartOf(name, sink)) await abort(request, { Key, UploadId })
    }
    const { NextKeyMarker, NextUploadIdMarker } = page ?? {}
    next =
      page?.IsTruncated === true && NextKeyMarker !== undefined
        ? {
            KeyMarker: NextKeyMarker,
            ...(NextUploadIdMarker !== undefined && { UploadIdMarker: NextUploadIdMarker }),
          }
        : undefined
  }
}

/** Undefined where the server does not list uploads, or not to us: its rules will remove them. */
async function listUploads<T>(list: () => Promise<T>): Promise<T | undefined> {
  try {
    return await list()
  } catch (error) {
    const status = statusOf(error)
    if (status !== undefined && [403, 404, 405, 501].includes(status)) return undefined
    throw error
  }
}

async function abort(
  { client, sdk, place }: S3Request,
  upload: { readonly Key: string; readonly UploadId: string },
): Promise<void> {
  try {
    const input = { Bucket: place.bucket, ...upload }
    await client.send(new sdk.AbortMultipartUploadCommand(input))
  } catch (error) {
    // Gone already, or a server that aborts nothing: there is nothing else to be done about it.
    if (statusOf(error) === undefined) throw error
  }
}
