// Files written to this machine, or to a file system that all machines of the cluster mount.
//
// Everything of a write is in one folder, whose name begins with a dot, below the folder that is
// written to: a rename never leaves the file system. When the write is over that folder is renamed
// before it is removed, so that a task that does not know yet finds no place to write to, and
// leaves nothing behind.

import fs from 'node:fs'
import path from 'node:path'
import { RayError } from '../../base/errors.js'
import type { FolderSink } from '../logical/write-step.js'
import type { OutputStorage } from './output-storage.js'

const stagingOf = ({ folder, writeId }: FolderSink): string => {
  return path.join(folder, `.typeray-write-${writeId}`)
}

/** A task that does not know yet that the write is over may still be adding to the folder. */
const removal = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 } as const

export const localOutput: OutputStorage = {
  isStagedInPlace: true,
  async begin(sink) {
    fs.mkdirSync(stagingOf(sink), { recursive: true })
  },
  openAttempt(sink) {
    try {
      return fs.mkdtempSync(path.join(stagingOf(sink), 'attempt-'))
    } catch (cause) {
      if (!isMissing(cause)) throw cause
      throw new RayError(`The write to ${sink.folder} is over.`, {
        fields: { path: sink.folder },
        cause,
      })
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
    const over = `${staging}-over`
    fs.rmSync(over, removal)
    try {
      fs.renameSync(staging, over)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    fs.rmSync(over, removal)
  },
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
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
