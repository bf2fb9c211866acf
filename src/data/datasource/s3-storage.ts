// Files in S3, and on servers that speak its protocol.
//
// The SDK is loaded by the first path that begins with `s3://`. Its defaults are kept but for two:
// no checksums where none are required, because other servers store the framing of streamed ones as
// content, and the bucket in the path where an endpoint is given.

import type * as Sdk from '@aws-sdk/client-s3'
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import { RayError } from '../../base/errors.js'
import type { FilesystemOptions, ListedFile } from './files.js'
import { globPattern, isGlob } from './glob.js'
import type { Storage } from './storage.js'

type Library = typeof Sdk

/** Clients by their options. They hold connections, and there are as many as ways to reach S3. */
const clients = new Map<string, Promise<S3Client>>()

interface S3Place {
  readonly bucket: string
  readonly key: string
  /** What is before the key. */
  readonly root: string
  readonly isAnonymous: boolean
}

/** `s3://bucket/key`; `s3://anonymous@bucket/key` asks without credentials. */
function placeOf(path: string): S3Place {
  const [, user, bucket = '', key = ''] = /^s3:\/\/(?:([^@/]*)@)?([^/]+)\/?(.*)$/is.exec(path) ?? []
  if (bucket === '') throw new RayError(`${path} names no bucket: write s3://bucket/key.`)
  const root = path.slice(0, path.length - key.length).replace(/\/?$/, '/')
  return { bucket, key, root, isAnonymous: user === 'anonymous' }
}

export function s3Storage(options: FilesystemOptions | undefined): Storage {
  const withClient = async <T>(
    path: string,
    run: (client: S3Client, sdk: Library, place: S3Place) => Promise<T>,
  ): Promise<T> => {
    const place = placeOf(path)
    const sdk = await import('@aws-sdk/client-s3')
    const own = { ...options, anonymous: options?.anonymous ?? place.isAnonymous }
    try {
      return await run(await clientOf(sdk, own), sdk, place)
    } catch (error) {
      throw s3Error(path, error)
    }
  }
  return {
    list: (path) => {
      return withClient(path, async (client, sdk, place) => {
        const { key } = place
        if (isGlob(key)) return { isFolder: false, files: await globbed({ client, sdk, place }) }
        const size =
          key === '' || key.endsWith('/') ? undefined : await sizeOf({ client, sdk, place })
        if (size !== undefined) return { isFolder: false, files: [{ path, size }] }
        const prefix = key === '' || key.endsWith('/') ? key : `${key}/`
        const files = await objectsBelow({ client, sdk, place }, prefix)
        const shown = files.filter(
          (file) => !isHidden(file.path.slice(place.root.length + prefix.length)),
        )
        return files.length === 0 ? undefined : { isFolder: true, files: shown }
      })
    },
    read: (path, range) => {
      return withClient(path, async (client, sdk, { bucket, key }) => {
        const bytes = range && `bytes=${range.start}-${range.start + range.length - 1}`
        const input = { Bucket: bucket, Key: key, ...(bytes === undefined ? {} : { Range: bytes }) }
        const { Body } = await client.send(new sdk.GetObjectCommand(input))
        return Buffer.from((await Body?.transformToByteArray()) ?? [])
      })
    },
    write: (path, bytes) => {
      return withClient(path, async (client, sdk, { bucket, key }) => {
        await client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }))
      })
    },
    remove: (path) => {
      return withClient(path, async (client, sdk, { bucket, key }) => {
        await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key }))
      })
    },
  }
}

function clientOf(sdk: Library, options: FilesystemOptions): Promise<S3Client> {
  const key = JSON.stringify(options)
  let client = clients.get(key)
  if (client === undefined) {
    client = connect(sdk, options)
    clients.set(key, client)
  }
  return client
}

async function connect(sdk: Library, options: FilesystemOptions): Promise<S3Client> {
  const config = configOf(options)
  const client = new sdk.S3Client(config)
  try {
    await client.config.region()
    return client
  } catch {
    // Nobody said which region: the one that redirects to all others.
    return new sdk.S3Client({ ...config, region: 'us-east-1' })
  }
}

function configOf(options: FilesystemOptions): S3ClientConfig {
  const { region, endpoint, profile, accessKeyId, secretAccessKey, sessionToken } = options
  const hasEndpoint = endpoint !== undefined || 'AWS_ENDPOINT_URL' in process.env
  return {
    followRegionRedirects: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    forcePathStyle: options.forcePathStyle ?? hasEndpoint,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(profile === undefined ? {} : { profile }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } }),
    ...(options.anonymous === true ? unsigned : {}),
  }
}

/** Requests that carry no signature at all, which is how public buckets want to be asked. */
const unsigned: S3ClientConfig = {
  credentials: { accessKeyId: '', secretAccessKey: '' },
  signer: { sign: (request) => Promise.resolve(request) },
}

interface Asked {
  readonly client: S3Client
  readonly sdk: Library
  readonly place: S3Place
}

async function sizeOf({ client, sdk, place }: Asked): Promise<number | undefined> {
  try {
    const { bucket, key } = place
    const head = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }))
    return head.ContentLength
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

async function objectsBelow({ client, sdk, place }: Asked, prefix: string): Promise<ListedFile[]> {
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

async function globbed(asked: Asked): Promise<readonly ListedFile[]> {
  const { key, root } = asked.place
  const prefix = key.slice(0, key.search(/[*?[\]{}]/))
  const pattern = globPattern(key)
  const files = await objectsBelow(asked, prefix)
  return files.filter((file) => pattern.test(file.path.slice(root.length)))
}

/** Names that begin so are of the tools that write folders, and no data. */
function isHidden(key: string): boolean {
  return key.split('/').some((name) => name.startsWith('.') || name.startsWith('_'))
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  return (error.$metadata as { readonly httpStatusCode?: number }).httpStatusCode
}

function s3Error(path: string, error: unknown): unknown {
  if (error instanceof RayError || !(error instanceof Error)) return error
  return new RayError(`${path}: ${error.name}: ${error.message}${adviceFor(error)}`, {
    fields: { path },
    cause: error,
  })
}

function adviceFor(error: Error): string {
  if (error.name === 'CredentialsProviderError') {
    return (
      ' Credentials are looked for as the AWS SDK does: environment, profile, instance role. A ' +
      'public bucket is read with `filesystem: { anonymous: true }` or s3://anonymous@bucket/key.'
    )
  }
  return statusOf(error) === 403 ? ' The credentials may not do that.' : ''
}
