// Folders for files on their way to another machine.
//
// A process that is killed leaves its folder behind. Its name says which process it is of, so that
// the next one to make such a folder removes those of processes that are no more.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { processSpace } from './process-mark.js'

const beginning = 'typeray-output-'
let isSwept = false

/** An empty folder of this process. */
export function openTemporaryFolder(): string {
  const root = os.tmpdir()
  // Processes of another container may share the folder, and their numbers mean nothing here.
  const space = processSpace()
  if (!isSwept) sweep(root, space)
  isSwept = true
  return fs.mkdtempSync(path.join(root, `${beginning}${space}-${process.pid}-`))
}

function sweep(root: string, space: string): void {
  for (const name of fs.readdirSync(root)) {
    const [, of, pid] = /^typeray-output-(\d+)-(\d+)-/.exec(name) ?? []
    if (of !== space || pid === undefined || fs.existsSync(`/proc/${pid}`)) continue
    fs.rmSync(path.join(root, name), { recursive: true, force: true })
  }
}
