// How S3 is asked, and servers that speak its protocol.
//
// The SDK is loaded by the first path that begins with `s3://`. Its defaults are kept but for three:
// no checksums where none are required, because other servers store the framing of streamed ones as
// content; the bucket in the path where an endpoint is given; and a bound on the silence of a
// server, for which it has none. It makes requests again by itself, AWS_MAX_ATTEMPTS times.

import type * as Sdk from '@aws-sdk/client-s3'
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import { RayError } from '../../base/errors.js'
import { serverConnectMsMax, serverSilentMsMax } from '../../base/limits.js'
import type { FilesystemOptions } from './files.js'

type Library = typeof Sdk

/** Clients by their options. They hold connections, and there are as many as ways to reach S3. */
const clients = new Map<string, Promise<S3Client>>()

export interface S3Place {
  readonly bucket: string
  readonly key: string
  /** What is before the key. */
  readonly root: string
  readonly isAnonymous: boolean
}

/** What a request needs. */
export interface S3Request {
  readonly client: S3Client
  readonly sdk: Library
  readonly place: S3Place
}

/** Calls `run` with a client for a path; its errors name the path. */
export type AskS3 = <T>(path: string, run: (request: S3Request) => Promise<T>) => Promise<T>

export function s3Asker(options: FilesystemOptions | undefined): AskS3 {
  return async (path, run) => {
    const place = placeOf(path)
    const sdk = await import('@aws-sdk/client-s3')
    const own = { ...options, anonymous: options?.anonymous ?? place.isAnonymous }
    try {
      return await run({ client: await clientOf(sdk, own), sdk, place })
    } catch (error) {
      throw s3Error(path, error)
    }
  }
}

/** `s3://bucket/key`; `s3://anonymous@bucket/key` asks without credentials. */
function placeOf(path: string): S3Place {
  const [, user, bucket = '', key = ''] = /^s3:\/\/(?:([^@/]*)@)?([^/]+)\/?(.*)$/is.exec(path) ?? []
  if (bucket === '') throw new RayError(`${path} names no bucket: write s3://bucket/key.`)
  const root = path.slice(0, path.length - key.length).replace(/\/?$/, '/')
  return { bucket, key, root, isAnonymous: user === 'anonymous' }
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
  const socketTimeout = options.timeoutMs ?? serverSilentMsMax
  const connectionTimeout = Math.min(socketTimeout, serverConnectMsMax)
  return {
    requestHandler: { connectionTimeout, socketTimeout },
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

/** The status of the answer that an error is about. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  return (error.$metadata as { readonly httpStatusCode?: number }).httpStatusCode
}

function s3Error(path: string, error: unknown): unknown {
  if (error instanceof RayError || !(error instanceof Error)) return error
  // What two addresses of a host refused has no message of its own.
  const reason = error.message === '' ? codeOf(error) : error.message
  return new RayError(`${path}: ${error.name}: ${reason}${adviceFor(error)}`, {
    fields: { path },
    cause: error,
  })
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : 'it does not say why'
}

/** Codes of what happens to connections. */
const ofNetwork = /^E(CONN|PIPE|TIMEDOUT|NOTFOUND|AI_AGAIN|HOST|NET)/

function adviceFor(error: Error): string {
  if (error.name === 'TimeoutError' || ofNetwork.test(codeOf(error))) {
    return (
      ' Check `endpoint`, `region` and the network, or give the server more time: ' +
      '`filesystem: { timeoutMs }`.'
    )
  }
  const status = statusOf(error)
  if (status === 429 || status === 503) {
    return ' It is asked too often: use fewer tasks at once, or set AWS_MAX_ATTEMPTS.'
  }
  if (error.name === 'CredentialsProviderError') {
    return (
      ' Credentials are looked for as the AWS SDK does: environment, profile, instance role. A ' +
      'public bucket is read with `filesystem: { anonymous: true }` or s3://anonymous@bucket/key.'
    )
  }
  if (status === 412) return ' It was replaced while it was read: read it again.'
  return status === 403 ? ' The credentials may not do that.' : ''
}
