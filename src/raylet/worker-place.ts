// Where a worker runs whose program is on another machine.

import { statSync } from 'node:fs'
import path from 'node:path'
import type { FolderPackage, WorkerEnvironment } from '../wire/messages/terms.js'

/**
 * The environment of a program of another machine, as it is here. `unpacked` is where the program's
 * folder is here; without one the worker runs in `fallback` if there is no folder of that name.
 */
export function environmentHere(
  environment: WorkerEnvironment,
  unpacked: string | undefined,
  fallback: string,
): WorkerEnvironment {
  const { cwd, env, folder } = environment
  if (folder === undefined || unpacked === undefined) {
    const isHere = statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true
    return isHere ? environment : { ...environment, cwd: fallback }
  }
  const moved = JSON.stringify([folder.root, unpacked])
  return {
    ...environment,
    cwd: cwdHere(cwd, folder, unpacked),
    env: { ...env, TYPERAY_MOVED: moved },
  }
}

function cwdHere(cwd: string, { root }: FolderPackage, unpacked: string): string {
  const below = path.relative(root, cwd)
  return below.startsWith('..') ? unpacked : path.join(unpacked, below)
}
