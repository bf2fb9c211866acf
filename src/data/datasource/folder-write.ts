// Runs as tasks, around the tasks that write blocks: what is in a folder before, and what is to be
// there after.

import type { FolderSink, SaveMode } from '../logical/write-step.js'
import { outputOf } from './file-writer.js'
import type { StagedFile } from './output-storage.js'
import { isPart } from './part-files.js'
import { storageOf } from './storage.js'

/**
 * Makes ready for a write, unless the mode forbids it. Gives the parts that are there; where the
 * mode is 'append' and names are our own it does not look, because they cannot meet.
 */
export async function beginWrite(
  name: string,
  sink: FolderSink,
  mode: SaveMode,
): Promise<readonly string[]> {
  const output = await outputOf(name, sink)
  const isApart = mode === 'append' && sink.filenameProvider === undefined
  const present = isApart ? [] : await partsIn(name, sink)
  const isForbidden = present.length > 0 && (mode === 'ignore' || mode === 'error')
  if (!isForbidden) await output.begin(sink)
  return present
}

/** The parts that a folder has in the format of the sink. */
async function partsIn(name: string, sink: FolderSink): Promise<readonly string[]> {
  const storage = await storageOf(name, sink.folder, sink.filesystem)
  const listing = await storage.list(sink.folder)
  const files = listing?.files.map((file) => file.path) ?? []
  return files.filter((file) => isPart(file.slice(file.lastIndexOf('/') + 1), sink))
}

/** What is to be seen, and what no more. */
export interface Publication {
  readonly staged: readonly StagedFile[]
  /** Parts of an earlier run: a shorter dataset must not read as the two together. */
  readonly stale: readonly string[]
}

/** Shows the files of a write, and ends it. */
export async function publishWrite(
  name: string,
  sink: FolderSink,
  { staged, stale }: Publication,
): Promise<void> {
  const output = await outputOf(name, sink)
  await output.publish(staged)
  const storage = await storageOf(name, sink.folder, sink.filesystem)
  for (const file of stale) await storage.remove?.(file)
  await output.end(sink)
}

/** Ends a write that failed: what it staged goes. */
export async function endWrite(name: string, sink: FolderSink): Promise<void> {
  const output = await outputOf(name, sink)
  await output.end(sink)
}
