// What the folders of a path say of the rows in its files: `year=2024/month=2/rides.parquet`.

import path from 'node:path'
import { RayError } from '../../base/errors.js'
import type {
  FilesSource,
  Partitioning,
  PartitionType,
  PartitionValues,
  SqlColumn,
} from './files.js'
import { namedValue } from './named-value.js'

/** What writers put for null, here and in Hive, Spark and Arrow. */
const hiveNull = '__HIVE_DEFAULT_PARTITION__'

/** The values that the folders of a file give. */
export function partitionValues(file: string, partitioning: Partitioning): PartitionValues {
  const folders = foldersBelow(partitioning.baseDir, file)
  if (partitioning.style === 'hive') {
    const pairs = folders.flatMap((folder) => {
      const equals = folder.indexOf('=')
      if (equals <= 0) return []
      return [[decode(folder.slice(0, equals)), valueOf(folder.slice(equals + 1))] as const]
    })
    return Object.fromEntries(pairs)
  }
  const names = partitioning.fieldNames ?? []
  if (folders.length > 0 && folders.length !== names.length) {
    throw new RayError(
      `${file} has the folders ${folders.join('/')}, and partitioning names ${names.length}: ` +
        `${names.join(', ')}. Say with baseDir below which folder they begin.`,
      { fields: { path: file } },
    )
  }
  return Object.fromEntries(names.map((name, i) => [name, valueOf(folders[i] ?? hiveNull)]))
}

/** Folders of a file, from a base on; none if it is elsewhere, as its folders then say nothing. */
function foldersBelow(base: string | undefined, file: string): readonly string[] {
  const folders = foldersOf(file)
  if (base === undefined || base === '') return folders
  // A base on this machine may be relative, as paths may; files have their whole path.
  const whole = /^[a-z][a-z0-9+.-]*:/i.test(base) ? base : path.resolve(base)
  const above = foldersOf(`${whole}/file`)
  const isBelow = above.every((folder, i) => folder === folders[i])
  return isBelow ? folders.slice(above.length) : []
}

function foldersOf(file: string): readonly string[] {
  // `s3://anonymous@bucket/key` is where `s3://bucket/key` is.
  const withoutScheme = file.replace(/^[a-z][a-z0-9+.-]*:\/\/(?:[^@/]*@)?/i, '')
  return withoutScheme
    .split('/')
    .slice(0, -1)
    .filter((folder) => folder !== '')
}

function valueOf(text: string): string | null {
  return text === hiveNull ? null : decode(text)
}

/** Writers escape what file systems do not take as `%2F`; a lone percent sign stays one. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const sqlTypes: Readonly<Record<PartitionType, string>> = {
  string: 'VARCHAR',
  int: 'BIGINT',
  float: 'DOUBLE',
  bool: 'BOOLEAN',
}

/** The columns that folders add to those of the files. */
export function partitionColumns(
  source: FilesSource,
  files: readonly { readonly path: string }[],
): readonly SqlColumn[] {
  const { partitioning } = source
  if (partitioning === undefined) return []
  const values = new Map<string, Set<string | null>>()
  for (const file of files) {
    for (const [name, value] of Object.entries(partitionValues(file.path, partitioning))) {
      const known = values.get(name)
      if (known === undefined) values.set(name, new Set([value]))
      else known.add(value)
    }
  }
  return Array.from(values, ([name, seen]) => {
    const given = namedValue(partitioning.fieldTypes, name)
    return { name, type: given === undefined ? typeOf(seen) : sqlTypes[given] }
  })
}

/** Integers where all values are: with leading zeros they are names and not numbers. */
function typeOf(values: ReadonlySet<string | null>): string {
  const present = [...values].filter((value) => value !== null)
  const isInteger = present.every((value) => /^-?(0|[1-9]\d{0,17})$/.test(value))
  return isInteger && present.length > 0 ? 'BIGINT' : 'VARCHAR'
}
