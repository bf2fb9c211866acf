// Files written to this machine, or to a file system that all machines of the cluster mount.
//
// Everything of a write is in one folder, whose name begins with a dot, below the folder that is
// written to: a rename never leaves the file system. When the write is over that folder is renamed
// before it is removed, so that a task that does not know yet finds no place to write to, and
// leaves nothing behind.
//
// A program that is killed leaves the folder. It says which process it is of, and the next write to
// the same place removes those of processes that have ended.

import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { RayError } from '../../base/errors.js'
import { stagedIdleMsMax } from '../../base/limits.js'
import type { FolderSink } from '../logical/write-step.js'
import { extensionOf } from './output-extension.js'
import type { OutputStorage } from './output-storage.js'
import { makeFolders, removeEmpty, statOf } from './local-folders.js'
import { hasEnded } from './process-mark.js'

const beginning = '.typeray-write-'

const stagingOf = ({ folder, writeId }: FolderSink): string => {
  return path.join(folder, `${beginning}${writeId}`)
}

/** In the staging folder: names the process that writes. */
const writerFile = 'writer'

/** In the staging folder: names the outermost folder that the write has made. */
const madeFile = 'made'

/** A task that does not know yet that the write is over may still be adding to the folder. */
const removal = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 } as const

export const localOutput: OutputStorage = {
  isStagedInPlace: true,
  async begin(sink) {
    refuseFile(sink.folder)
    removeAbandoned(sink.folder)
    const staging = stagingOf(sink)
    const made = makeFolders(staging)
    try {
      fs.writeFileSync(path.join(staging, writerFile), sink.writer)
      fs.writeFileSync(path.join(staging, madeFile), made)
    } catch (error) {
      remove(staging)
      removeEmpty(sink.folder, made)
      throw error
    }
  },
  openAttempt(sink) {
    const staging = stagingOf(sink)
    if (!fs.existsSync(staging)) {
      throw new RayError(`The write to ${sink.folder} is over.`, {
        fields: { path: sink.folder },
      })
    }
    // Not a folder of its own: making and removing those takes longer than the rest of publishing.
    const attempt = `attempt-${randomBytes(8).toString('hex')}-`
    return {
      path: (slice) => path.join(staging, `${attempt}${slice}.${extensionOf(sink.format)}`),
      remove: () => removeAll(staging, (name) => name.startsWith(attempt)),
    }
  },
  async stage(from, to) {
    return { path: to, key: from }
  },
  async publish(files) {
    const made = new Set<string>()
    for (const { path: to, key: from } of files) {
      const folder = path.dirname(to)
      if (!made.has(folder)) fs.mkdirSync(folder, { recursive: true })
      made.add(folder)
      rename(from, to)
    }
  },
  async end(sink) {
    const staging = stagingOf(sink)
    const made = textOf(path.join(staging, madeFile))
    remove(staging)
    if (made !== undefined) removeEmpty(sink.folder, made)
  },
}

/** Removes what a folder has under certain names; it may be gone. */
function removeAll(folder: string, isGone: (name: string) => boolean): void {
  for (const name of namesIn(folder)) {
    if (isGone(name)) fs.rmSync(path.join(folder, name), removal)
  }
}

/** None where there is no folder. */
function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder)
  } catch (error) {
    if (!isMissing(error)) throw error
    return []
  }
}

function remove(staging: string): void {
  const over = `${staging}-over`
  fs.rmSync(over, removal)
  try {
    fs.renameSync(staging, over)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  fs.rmSync(over, removal)
}

function refuseFile(folder: string): void {
  if (statOf(folder)?.isFile() !== true) return
  throw new RayError(
    `${folder} is a file, and parts are written into a folder: name another one.`,
    {
      fields: { path: folder },
    },
  )
}

/** Removes what writes have staged that nobody will publish. */
function removeAbandoned(folder: string): void {
  for (const name of namesIn(folder)) {
    if (!name.startsWith(beginning)) continue
    const staging = path.join(folder, name)
    try {
      if (isAbandoned(staging)) remove(staging)
    } catch (error) {
      // It goes at this moment, or belongs to somebody else: either way it is not in the way.
      if (!isMissing(error) && !isForbidden(error)) throw error
    }
  }
}

function isAbandoned(staging: string): boolean {
  const mark = textOf(path.join(staging, writerFile))
  const ended = mark === undefined ? undefined : hasEnded(mark)
  if (ended !== undefined) return ended
  const names = fs.readdirSync(staging).map((name) => path.join(staging, name))
  const changed = Math.max(...[staging, ...names].map((each) => fs.statSync(each).mtimeMs))
  return Date.now() - changed > stagedIdleMsMax
}

function textOf(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** The same when it was done already: by a task that died before it could say so. */
function rename(from: string, to: string): void {
  try {
    fs.renameSync(from, to)
  } catch (error) {
    if (!isMissing(error) || !fs.existsSync(to)) throw error
  }
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function isForbidden(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
}
