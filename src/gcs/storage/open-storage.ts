// Chooses the storage of a GCS by what `--storage` says.

import { SessionError } from '../../base/errors.js'
import type { GcsStorage } from './gcs-storage.js'
import { MemoryStorage } from './memory-storage.js'

/** Checked before anything starts, opened by the process of the GCS. */
export type StoragePlace =
  | { readonly kind: 'memory' }
  | { readonly kind: 'lmdb'; readonly folder: string }
  | { readonly kind: 'redis'; readonly url: string; readonly namespace: string }

/** `folder` is where LMDB goes when nothing, or `lmdb`, was said. Throws a SessionError. */
export function storagePlace(text: string | undefined, folder: string): StoragePlace {
  if (text === undefined || text === 'lmdb') return { kind: 'lmdb', folder }
  if (text === 'memory') return { kind: 'memory' }
  if (text.startsWith('lmdb:')) {
    const path = text.slice('lmdb:'.length)
    if (path.startsWith('/')) return { kind: 'lmdb', folder: path }
  } else if (/^rediss?:\/\//.test(text)) return redisPlace(text)
  throw new SessionError(
    `The storage ${text} is not known: it is memory, lmdb, lmdb:/an/absolute/folder, or ` +
      `redis://host:port/db?namespace=name.`,
  )
}

function redisPlace(text: string): StoragePlace {
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw new SessionError(
      'The address of Redis cannot be read: it is redis://:password@host:port/db.',
      { cause },
    )
  }
  const namespace = url.searchParams.get('namespace') ?? 'default'
  for (const name of url.searchParams.keys()) {
    if (name === 'namespace') continue
    throw new SessionError(`The address of Redis has no option ${name}; there is namespace.`)
  }
  if (!/^[\w.-]{1,100}$/.test(namespace)) {
    throw new SessionError(
      `The namespace ${JSON.stringify(namespace)} must be 1 to 100 letters, digits, _, . or -.`,
    )
  }
  url.search = ''
  return { kind: 'redis', url: url.href, namespace }
}

/** What it loads is loaded only here: most sessions need none of it. */
export async function openStorage(place: StoragePlace): Promise<GcsStorage> {
  switch (place.kind) {
    case 'memory':
      return new MemoryStorage()
    case 'lmdb': {
      const { LmdbStorage } = await import('./lmdb-storage.js')
      return LmdbStorage.open(place.folder)
    }
    case 'redis': {
      const { RedisStorage } = await import('./redis-storage.js')
      return RedisStorage.open(place)
    }
  }
}
