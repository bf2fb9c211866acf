// What is at a path of this machine; folders that a write makes, and takes away again if it comes
// to nothing.

import fs from 'node:fs'
import path from 'node:path'
import { RayError } from '../../base/errors.js'

/** A folder above may be removed while those below are made; not for ever. */
const triesMax = 10

/**
 * Makes a folder and those above it; gives the outermost one that was not there. Not `mkdir` with
 * `recursive`: below a folder that takes no others, such as /proc, Node tries that for ever.
 */
export function makeFolders(folder: string): string {
  for (let tries = 1; ; tries++) {
    try {
      return makeMissing(path.resolve(folder))
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      if (code === 'ENOENT' && tries < triesMax) continue
      throw new RayError(`${path.dirname(folder)} cannot be written to: ${message}`, {
        fields: { path: path.dirname(folder) },
        cause,
      })
    }
  }
}

function makeMissing(folder: string): string {
  const above = path.dirname(folder)
  const made = fs.existsSync(above) ? undefined : makeMissing(above)
  try {
    fs.mkdirSync(folder)
  } catch (error) {
    // Somebody else makes it at the same time.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return made ?? folder
}

/** Removes a folder and those above it, up to `outermost`, as far as there is nothing in them. */
export function removeEmpty(folder: string, outermost: string): void {
  let each = path.resolve(folder)
  while (each === outermost || each.startsWith(`${outermost}${path.sep}`)) {
    try {
      fs.rmdirSync(each)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? ''
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY'].includes(code)) return
      throw error
    }
    each = path.dirname(each)
  }
}

/** Undefined where there is nothing, as below a file. */
export function statOf(file: string): fs.Stats | undefined {
  try {
    return fs.statSync(file, { throwIfNoEntry: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw error
  }
}
