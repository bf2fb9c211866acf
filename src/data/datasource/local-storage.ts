// Files of this machine, or of a file system that all machines of the cluster mount.

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ListedFile } from './files.js'
import { globPattern, isGlob } from './glob.js'
import { isHiddenName } from './hidden-name.js'
import { statOf } from './local-folders.js'
import { localOutput } from './local-output.js'
import type { Storage } from './storage.js'

export const localStorage: Storage = {
  async list(given) {
    const absolute = localPath(given)
    const stat = statOf(absolute)
    if (stat?.isFile() === true) return { isFolder: false, files: [listed(absolute, stat)] }
    if (stat?.isDirectory() === true) return { isFolder: true, files: filesBelow(absolute) }
    if (!isGlob(absolute)) return undefined
    const found = expand(absolute).sort()
    return { isFolder: false, files: found.map((file) => listed(file, fs.statSync(file))) }
  },
  async read(file, range) {
    if (range === undefined) return fs.readFileSync(file)
    const descriptor = fs.openSync(file, 'r')
    try {
      const bytes = Buffer.allocUnsafeSlow(range.length)
      let read = 0
      while (read < range.length) {
        const count = fs.readSync(descriptor, bytes, read, range.length - read, range.start + read)
        if (count === 0) break
        read += count
      }
      return bytes.subarray(0, read)
    } finally {
      fs.closeSync(descriptor)
    }
  },
  async remove(file) {
    fs.rmSync(file, { force: true })
  },
  output: localOutput,
}

/** The absolute path of `file://` URLs and of relative paths. */
export function localPath(given: string): string {
  return given.startsWith('file://') ? fileURLToPath(given) : path.resolve(given)
}

function listed(file: string, { size, mtimeMs }: fs.Stats): ListedFile {
  return { path: file, size, modifiedMs: mtimeMs }
}

function filesBelow(folder: string): ListedFile[] {
  const files: ListedFile[] = []
  const folders = [folder]
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of fs.readdirSync(at, { withFileTypes: true })) {
      if (isHiddenName(entry.name)) continue
      const full = path.join(at, entry.name)
      if (entry.isDirectory()) folders.push(full)
      else if (entry.isFile()) files.push(listed(full, fs.statSync(full)))
      else if (entry.isSymbolicLink()) addLinked(full, files, folders)
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function addLinked(link: string, files: ListedFile[], folders: string[]): void {
  const stat = fs.statSync(link, { throwIfNoEntry: false })
  if (stat?.isDirectory() === true && !isAround(link)) folders.push(link)
  else if (stat?.isFile() === true) files.push(listed(link, stat))
}

/** Whether a link leads back to a folder that it is in, and so to itself. */
function isAround(link: string): boolean {
  const folder = `${fs.realpathSync(path.dirname(link))}/`
  return folder.startsWith(`${fs.realpathSync(link)}/`)
}

/** The files that a glob matches: folder by folder, so that only folders that match are read. */
function expand(glob: string): string[] {
  let at = ['/']
  const segments = glob.split('/').filter((segment) => segment !== '')
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1
    at = at.flatMap((folder) => matches(folder, segment, isLast))
  }
  return [...new Set(at)]
}

function matches(folder: string, segment: string, isLast: boolean): string[] {
  if (segment === '**') {
    const below = foldersBelow(folder)
    return isLast ? below.flatMap((each) => matches(each, '*', true)) : below
  }
  if (!isGlob(segment)) {
    const full = path.join(folder, segment)
    const stat = fs.statSync(full, { throwIfNoEntry: false })
    return stat !== undefined && (isLast ? stat.isFile() : stat.isDirectory()) ? [full] : []
  }
  const pattern = globPattern(segment)
  const seesHidden = isHiddenName(segment)
  return entriesOf(folder)
    .filter((name) => pattern.test(name) && (seesHidden || !isHiddenName(name)))
    .map((name) => path.join(folder, name))
    .filter((full) => {
      const stat = fs.statSync(full, { throwIfNoEntry: false })
      return stat !== undefined && (isLast ? stat.isFile() : stat.isDirectory())
    })
}

function entriesOf(folder: string): string[] {
  try {
    return fs.readdirSync(folder)
  } catch (error) {
    // A glob passes by folders that it may not read; one that is named is refused elsewhere.
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return []
    throw error
  }
}

function foldersBelow(folder: string): string[] {
  const folders = [folder]
  for (const at of folders) {
    for (const entry of fs.readdirSync(at, { withFileTypes: true })) {
      if (entry.isDirectory() && !isHiddenName(entry.name)) folders.push(path.join(at, entry.name))
    }
  }
  return folders
}
