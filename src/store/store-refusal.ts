import type { FileFailure, StoreEffect } from './store-events.js'

export interface RefusedRequest {
  readonly client: number | string
  readonly request: number
  readonly sizeBytes: number
}

export interface Shortage {
  readonly spillFolder: string
  readonly totalBytes: number
  readonly usedBytes: number
}

/** The last answer to a put: neither the arena nor the disk had room, and why. */
export function refusal(
  { client, request, sizeBytes }: RefusedRequest,
  { code: errno, freeBytes }: FileFailure,
  { spillFolder, totalBytes, usedBytes }: Shortage,
): StoreEffect {
  const free = freeBytes === undefined ? 'too little' : `${freeBytes} bytes`
  const fields = {
    sizeBytes,
    arenaBytes: totalBytes,
    usedBytes,
    spillFolder,
    errno,
    ...(freeBytes === undefined ? {} : { freeBytes }),
  }
  const answer = { kind: 'refuse', client, request, fields } as const
  if (errno === 'ENOSPC' && sizeBytes > totalBytes && sizeBytes > (freeBytes ?? Infinity)) {
    const message =
      `An object of ${sizeBytes} bytes is larger than everything: the object store of this node ` +
      `has ${totalBytes} bytes, and the disk under ${spillFolder} has ${free} left. Split the ` +
      'object, or start the node with more objectStoreMemory or a larger spill folder.'
    return { ...answer, code: 'RAY_OBJECT_STORE_FULL', message }
  }
  const why =
    errno === 'ENOSPC'
      ? `the disk under ${spillFolder} is full (ENOSPC, ${free} left)`
      : `no file can be written under ${spillFolder} (${errno})`
  const message =
    `No room for an object of ${sizeBytes} bytes: ${why}, and ${usedBytes} of the ` +
    `${totalBytes} bytes of the object store are in use. Free disk space, let go of refs and ` +
    'views, or start the node with another spill folder.'
  return { ...answer, code: 'RAY_OUT_OF_DISK', message }
}
