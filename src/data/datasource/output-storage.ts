// How the files of a write come to be where readers see them: all at once, when all are complete.
//
// The obvious way is a file under another name that is renamed when it is whole. Then nobody reads
// half a file, but a write that fails in the middle leaves some of its parts, among those of an
// earlier write that it has not replaced yet. So the tasks only stage files: locally in a folder
// that readers pass over, in S3 as uploads that are not completed. The program that writes
// publishes what its tasks staged when all of them are done, and removes everything that it did not
// publish: files of attempts that failed, or that ran twice.
//
// Publishing takes a rename or a request per file and is not one step: who reads during it may see
// new parts beside old ones.

import type { FolderSink } from '../logical/write-step.js'

/** A complete file that readers do not see yet. */
export interface StagedFile {
  /** The name that it will have. */
  readonly path: string
  /** What the storage knows it by until then. */
  readonly key: string
  /** In S3, what the parts of the upload are called. */
  readonly parts?: readonly string[]
}

/** Where one task, in one of its attempts, puts files before they are staged. */
export interface WriteAttempt {
  /** Names a file, or a folder, of this machine that nobody has. */
  path(slice: number): string
  /** Removes all of them. */
  remove(): void
}

export interface OutputStorage {
  /** Before anything is staged. */
  begin(sink: FolderSink): Promise<void>
  /** For the files of one attempt to write a block. */
  openAttempt(sink: FolderSink): WriteAttempt
  /** Makes a file of an attempt one that can be published. */
  stage(from: string, to: string): Promise<StagedFile>
  /** Whether staged files stay where their attempt has put them. */
  readonly isStagedInPlace: boolean
  /** Gives files the names that they are to have; those that have them already are passed over. */
  publish(files: readonly StagedFile[]): Promise<void>
  /** Removes what was staged and not published. */
  end(sink: FolderSink): Promise<void>
}
