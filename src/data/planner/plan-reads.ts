// How files are divided among the tasks that read them.

import { dataBlockBytes, dataBlockBytesGood, dataBlockBytesMin } from '../../base/limits.js'
import {
  type FilePiece,
  type FoundFile,
  groupPieces,
  sharePieces,
  sumOf,
} from '../datasource/files.js'

/** Tasks per CPU where there is enough for them, so that CPUs finish together. */
const tasksPerCpu = 4

/** The pieces that each task reads; `asked` if the user says how many blocks there are to be. */
export function piecesOfTasks(
  files: readonly FoundFile[],
  asked: number | undefined,
  cpus: number,
): readonly (readonly FilePiece[])[] {
  const total = sumOf(files.flatMap((file) => file.pieces))
  const count = asked ?? tasksFor(total, cpus)
  const shared = sharePieces(files, count)
  if (shared !== undefined) return shared
  const share = total / count
  return groupPieces(files, asked === undefined ? Math.min(dataBlockBytes, share) : share)
}

/**
 * Every CPU has the same number of tasks, which are no larger than blocks may be. A task of its own
 * costs some milliseconds: several per CPU must be worth it, the first has to do less for that.
 */
function tasksFor(bytes: number, cpus: number): number {
  const needed = Math.ceil(bytes / dataBlockBytes / cpus)
  const worth = Math.floor(bytes / dataBlockBytesGood / cpus)
  const each = Math.max(needed, Math.min(tasksPerCpu, worth))
  if (each > 0 && bytes >= cpus * dataBlockBytesMin) return each * cpus
  return Math.max(1, Math.min(cpus, Math.floor(bytes / dataBlockBytesMin)))
}
