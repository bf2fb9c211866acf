// Whether what is read may lie where something is written, as far as paths say it.

import path from 'node:path'
import { isLocal } from './storage.js'

const globCharacter = /[*?[\]{}]/

/**
 * Whether a file that `given` finds, which is a file, a folder or a glob, may lie below `folder`,
 * an absolute path or a URL. False only where none can; what it finds has to be looked at
 * otherwise.
 */
export function mayFindBelow(given: string, folder: string): boolean {
  if (isLocal(given) !== isLocal(folder)) return false
  // Relative paths are resolved by whoever lists them, and one bucket has several names.
  if (!path.isAbsolute(given)) return true
  const absolute = path.normalize(given)
  const at = absolute.search(globCharacter)
  const fixed = at === -1 ? below(absolute) : absolute.slice(0, at)
  return fixed.startsWith(below(folder)) || below(folder).startsWith(fixed)
}

function below(folder: string): string {
  return folder.endsWith('/') ? folder : `${folder}/`
}
