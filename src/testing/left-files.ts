// Files that are left in the folders of sessions that have ended.

import { readdirSync } from 'node:fs'
import path from 'node:path'

/** A test may have files of its own beside the folders of its sessions. */
const ours = /(^|\/)(session_\d[^/]*|spill)\//

/** What is worth a look after the end of a session, or serves the next one. */
const kept = [/(^|\/)logs\/[^/]+$/, /(^|\/)session_latest$/, /(^|\/)gcs\/(data|lock)\.mdb$/]

/** All others below a folder: sockets, spilled objects, unpacked packages. */
function leftFiles(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => ours.test(file) && !kept.some((pattern) => pattern.test(file)))
}

/** Throws if there are any. */
export function assertNoFiles(folder: string): void {
  const left = leftFiles(folder)
  if (left.length > 0) throw new Error(`Files of the session are left:\n${left.join('\n')}`)
}
