// Finds the files that paths name: files, folders and globs.

import fs from 'node:fs'
import path from 'node:path'
import { RayError } from '../../base/errors.js'
import { query, quoteText } from '../engine/engine.js'
import type { FilesSource } from './files.js'

const globCharacters = /[*?[\]{}]/

/** The paths of all files of a source, in the order in which they are read. */
export function listFiles(source: FilesSource): readonly string[] {
  const found = source.paths.flatMap((given) => filesOf(source, given))
  if (found.length === 0) throw new RayError(`${source.operator} was given no paths.`)
  return found
}

function filesOf({ operator }: FilesSource, given: string): readonly string[] {
  const absolute = path.resolve(given)
  const stat = fs.statSync(absolute, { throwIfNoEntry: false })
  if (stat?.isFile() === true) return [absolute]
  if (stat?.isDirectory() === true) return filesBelow(operator, absolute)
  if (!globCharacters.test(given)) {
    throw new RayError(`${operator}: there is no file or folder ${absolute}.`, {
      fields: { path: absolute },
    })
  }
  const files = [...query(`SELECT file FROM glob(${quoteText(absolute)}) ORDER BY file`)]
  if (files.length === 0) throw new RayError(`${operator}: no file matches ${absolute}.`)
  return files.map(({ file }) => String(file))
}

function filesBelow(operator: string, folder: string): readonly string[] {
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && /^[^._].*\.parquet$/.test(entry.name))
    .map((entry) => path.join(entry.path, entry.name))
    .sort()
  if (files.length === 0) {
    throw new RayError(`${operator}: there are no .parquet files in ${folder}.`)
  }
  return files
}
