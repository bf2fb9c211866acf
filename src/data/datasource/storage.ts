// Where files are: on this machine, on a web server, or in S3. The port that each implements, and
// the choice by the beginning of a path.

import { RayError } from '../../base/errors.js'
import type { FilesystemOptions, ListedFile } from './files.js'
import type { OutputStorage } from './output-storage.js'

/** Bytes of a file from `start`. */
export interface ByteRange {
  readonly start: number
  readonly length: number
  /** Of this content: where the file has another by now, reading it is an error. */
  readonly tag?: string | undefined
}

export interface Listing {
  /** A folder is read for the names that fit its format; a file or a glob is read as it is. */
  readonly isFolder: boolean
  readonly files: readonly ListedFile[]
}

export interface Storage {
  /** The files of a path, a folder or a glob, in order; undefined if there is no such thing. */
  list(path: string): Promise<Listing | undefined>
  /** The bytes of a file, or some of them. */
  read(path: string, range?: ByteRange): Promise<Buffer>
  /** Absent where nothing can be written. */
  readonly output?: OutputStorage
  remove?(path: string): Promise<void>
}

/** Whether the engine can open the path by itself. */
export function isLocal(path: string): boolean {
  return schemeOf(path) === ''
}

function schemeOf(path: string): string {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(path)?.[1]?.toLowerCase() ?? ''
  return scheme === 'file' ? '' : scheme
}

/** The storage of a path, loaded when it is first needed. */
export async function storageOf(
  operator: string,
  path: string,
  options: FilesystemOptions | undefined,
): Promise<Storage> {
  const scheme = schemeOf(path)
  const { timeoutMs = 1 } = options ?? {}
  if (!(timeoutMs > 0)) {
    throw new RayError(
      `${operator}: filesystem.timeoutMs must be milliseconds, more than 0, not ${timeoutMs}.`,
    )
  }
  switch (scheme) {
    case '':
      return (await import('./local-storage.js')).localStorage
    case 's3':
      return (await import('./s3-storage.js')).s3Storage(options)
    case 'http':
    case 'https':
      return (await import('./http-storage.js')).httpStorage(options)
    default:
      throw new RayError(
        `${operator}: ${path} begins with "${scheme}://", which Typeray does not know. ` +
          'It knows local paths, file://, http://, https:// and s3://.',
        { fields: { path } },
      )
  }
}
