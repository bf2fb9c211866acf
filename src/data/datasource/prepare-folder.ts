// Runs as a task, around the tasks that write: what is in a folder before, and what must go after.

import type { FolderSink } from '../logical/write-step.js'
import { extensionOf } from './file-writer.js'
import { isPart } from './part-files.js'
import { storageOf } from './storage.js'

/** The parts that a folder has in the format of the sink. */
export async function partsIn(sink: FolderSink): Promise<readonly string[]> {
  const storage = await storageOf('write', sink.folder, sink.filesystem)
  const listing = await storage.list(sink.folder)
  const files = listing?.files.map((file) => file.path) ?? []
  const extension = extensionOf(sink.format)
  return files.filter((file) => isPart(file.slice(file.lastIndexOf('/') + 1), extension))
}

/** Removes parts of an earlier run: a shorter dataset must not read as the two together. */
export async function removeParts(sink: FolderSink, files: readonly string[]): Promise<void> {
  const storage = await storageOf('write', sink.folder, sink.filesystem)
  for (const file of files) await storage.remove?.(file)
}
