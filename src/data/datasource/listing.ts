// Finds the files that paths name: files, folders and globs, wherever they are.

import { RayError } from '../../base/errors.js'
import type { FilesSource, ListedFile } from './files.js'
import { partitionValues } from './partitioning.js'
import { storageOf } from './storage.js'

export interface FilesFound {
  /** In the order in which they are read. */
  readonly files: readonly ListedFile[]
  /** How many there are, with those that the partition filter leaves out. */
  readonly count: number
}

/** All files of a source. */
export async function listFiles(source: FilesSource): Promise<FilesFound> {
  const { operator, paths, partitioning, partitionFilter } = source
  if (paths.length === 0) throw new RayError(`${operator} was given no paths.`)
  const lists = await Promise.all(paths.map((given) => filesOf(source, given)))
  const found = lists.flat()
  const count = found.length
  if (partitionFilter === undefined || partitioning === undefined) return { files: found, count }
  const files = found.filter((file) => partitionFilter(partitionValues(file.path, partitioning)))
  return { files, count }
}

async function filesOf(source: FilesSource, given: string): Promise<readonly ListedFile[]> {
  const { operator } = source
  const storage = await storageOf(operator, given, source.filesystem)
  const listing = await storage.list(given)
  if (listing === undefined) {
    if (source.ignoreMissingPaths === true) return []
    throw new RayError(`${operator}: there is no file or folder ${given}.`, {
      fields: { path: given },
    })
  }
  const { files, isFolder } = listing
  const wanted = isFolder ? files.filter((file) => hasExtension(source, file.path)) : files
  if (wanted.length > 0 || source.ignoreMissingPaths === true) return wanted
  if (!isFolder) throw new RayError(`${operator}: no file matches ${given}.`)
  const kinds = source.fileExtensions?.map((extension) => `.${extension}`).join(', ')
  throw new RayError(`${operator}: there are no ${kinds ?? ''} files in ${given}.`, {
    fields: { path: given },
  })
}

/** What a compressed file of any format may have behind its extension. */
const compressed = /\.(gz|gzip|zst|zstd|br)$/i

function hasExtension(source: FilesSource, file: string): boolean {
  const { fileExtensions } = source
  if (fileExtensions === undefined) return true
  const name = file.toLowerCase()
  const inner = source.format.kind === 'parquet' ? name : name.replace(compressed, '')
  return fileExtensions.some((extension) => {
    return [name, inner].some((each) => each.endsWith(`.${extension.toLowerCase()}`))
  })
}
