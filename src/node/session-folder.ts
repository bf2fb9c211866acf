// The folder of a session: its logs, and whatever else is worth a look after its end.
//
// `<temporary folder>/typeray-<user>/session_<time>_<pid>`, for the eyes of its user only. It stays
// when the session has ended; a later session removes it once it is old or one of many. The
// temporary folder may be anybody's, so nothing there is trusted: the folder of the user must be a
// real one and his own, and that of the session must not exist yet.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { SessionError } from '../base/errors.js'
import { sessionFolderAgeMs, sessionFoldersMax, sessionFoldersPrunedMax } from '../base/limits.js'

const latestName = 'session_latest'
const namePattern = /^session_.*_(\d+)$/

/** Points to the folder of the session that was started last. */
export function latestSession(root: string): string {
  return path.join(root, latestName)
}

/** Where the folders of sessions are: the one asked for, that of TYPERAY_TMPDIR, or the usual. */
export function sessionsFolder(tempDir?: string): string {
  const asked = tempDir ?? process.env['TYPERAY_TMPDIR']
  if (asked !== undefined && asked !== '') return path.resolve(asked)
  return path.join(os.tmpdir(), `typeray-${os.userInfo().uid}`)
}

/** `session_2026-01-31_23-59-59_999_<pid>`: sorts by time. */
export function sessionNameAt(date: Date, pid: number): string {
  const [day = '', time = ''] = date.toISOString().slice(0, -1).split('T')
  return `session_${day}_${time.replaceAll(':', '-').replace('.', '_')}_${pid}`
}

/**
 * Makes the folder of a session, with `logs` in it.
 *
 * @throws SessionError when it cannot be made, or would be made where others can change it.
 */
export function createSessionFolder(root: string, sessionName: string): string {
  const folder = path.join(root, sessionName)
  try {
    makeFolders(root)
    checkOwner(root)
    mkdirSync(folder, { mode: 0o700 })
    mkdirSync(path.join(folder, 'logs'), { mode: 0o700 })
    pointTo(root, sessionName)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SessionError(
      `The folder of the session, ${folder}, cannot be made: ${why}. Name another place for it ` +
        'with the option tempDir of ray.init, or with TYPERAY_TMPDIR.',
      { cause },
    )
  }
  return folder
}

/**
 * One folder after the other: below /proc, where nothing can be made, Node's own `recursive` goes
 * on for ever.
 */
export function makeFolders(folder: string): void {
  if (existsSync(folder)) return
  makeFolders(path.dirname(folder))
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Another program may have been faster.
    if (!existsSync(folder)) throw error
  }
}

function checkOwner(root: string): void {
  const found = lstatSync(root)
  const { uid } = os.userInfo()
  const isUsual = path.basename(root) === `typeray-${uid}`
  // A folder that the user names is what the user says it is.
  if (!isUsual) return
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o022) !== 0) {
    throw new Error(`${root} is not a folder that only the user ${uid} can write to`)
  }
}

/** Renaming replaces the link that was there; making one would not. */
function pointTo(root: string, sessionName: string): void {
  const made = path.join(root, `.${sessionName}`)
  symlinkSync(sessionName, made)
  try {
    renameSync(made, latestSession(root))
  } catch (error) {
    rmSync(made, { force: true })
    throw error
  }
}

/**
 * Removes what is left of sessions that have ended: the oldest beyond a number, and all beyond an
 * age. Does not throw: a folder that cannot be removed now is one for the next session.
 */
export async function pruneSessions(root: string, now: number): Promise<void> {
  const ended = readdirSync(root)
    .filter((name) => namePattern.test(name) && !isAlive(name))
    .sort()
  const excess = Math.max(0, ended.length - sessionFoldersMax)
  let removed = 0
  for (const [index, name] of ended.entries()) {
    if (removed === sessionFoldersPrunedMax) return
    const folder = path.join(root, name)
    const age = await stat(folder).then(
      ({ mtimeMs }) => now - mtimeMs,
      () => 0,
    )
    if (index >= excess && age < sessionFolderAgeMs) continue
    removed++
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** Its name ends with the process id of its raylet. */
function isAlive(sessionName: string): boolean {
  const pid = Number(namePattern.exec(sessionName)?.[1])
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
