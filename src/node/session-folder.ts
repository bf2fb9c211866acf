// Where the sessions of a user on this machine are, and which of them live.
//
// Every session has a folder of its own below `<temporary folder>/typeray-<uid>`, which belongs to
// the user alone: its file `session.json` holds the token that lets a process join. The file
// `current` names the folder of the cluster that `typeray start --head` has started last, so that
// programs find it without being told. A file may outlive what it speaks of, so a session is alive
// only when its process is there and started when the file says: process ids are used again.

import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { SessionError } from '../base/errors.js'

/** What a process must know to join a session, and who may end it. */
export interface SessionFile {
  readonly sessionName: string
  /** The folder, which is also the address that users pass around. */
  readonly sessionDir: string
  /** Abstract socket of the raylet; `@` stands for the NUL that it begins with. */
  readonly rayletAddress: string
  readonly token: string
  readonly nodeId: string
  readonly pid: number
  /** When that process started, in clock ticks since the machine did. */
  readonly startTicks: string
  readonly startedAtMs: number
  /** Started by `typeray start --head`: it outlives its drivers. */
  readonly isHead: boolean
}

/** The folder of all sessions of this user. Made when it is missing, and refused if not ours. */
export function sessionRoot(tempDir: string = os.tmpdir()): string {
  const uid = process.getuid?.() ?? 0
  const root = path.resolve(tempDir, `typeray-${uid}`)
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const stat = lstatSync(root)
  if (!stat.isDirectory() || stat.uid !== uid) {
    throw new SessionError(
      `${root} is not a folder of yours, so no session can be kept in it. Remove it, or set ` +
        `TMPDIR to a folder of your own.`,
    )
  }
  if ((stat.mode & 0o077) !== 0) chmodSync(root, 0o700)
  return root
}

/** Makes the folder of a new session of this process. Its name is the name of the session. */
export function createSessionFolder(root: string): { sessionName: string; sessionDir: string } {
  const time = new Date().toISOString().replace('T', '_').replace('Z', '').replaceAll(/[:.]/g, '-')
  const sessionName = `session_${time}_${process.pid}`
  const sessionDir = path.join(root, sessionName)
  mkdirSync(sessionDir, { mode: 0o700 })
  return { sessionName, sessionDir }
}

/** The session is over: it cannot be joined any more. What it logged stays. */
export function retireSession(sessionDir: string): void {
  rmSync(path.join(sessionDir, fileName), { force: true })
  const pointer = path.join(path.dirname(sessionDir), currentName)
  if (readText(pointer) === sessionDir) rmSync(pointer, { force: true })
  try {
    rmdirSync(sessionDir)
  } catch {
    // It holds logs.
  }
}

const fileName = 'session.json'
const currentName = 'current'

/** Whoever reads the file sees all of it or nothing. */
function replaceFile(file: string, text: string): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, text, { mode: 0o600 })
  renameSync(draft, file)
}

export function writeSession(session: SessionFile): void {
  replaceFile(path.join(session.sessionDir, fileName), JSON.stringify(session, null, 1))
}

/** Undefined when the folder has no session that could be joined; its process may be dead. */
export function readSession(sessionDir: string): SessionFile | undefined {
  const text = readText(path.join(sessionDir, fileName))
  return text === undefined ? undefined : (JSON.parse(text) as SessionFile)
}

/** Programs that are not told where to go find this session from now on. */
export function makeCurrent(session: SessionFile): void {
  replaceFile(path.join(path.dirname(session.sessionDir), currentName), session.sessionDir)
}

/** The folder that `typeray start --head` named last. */
export function currentSessionDir(root: string): string | undefined {
  return readText(path.join(root, currentName))
}

/** Sessions below the folder whose processes live, the oldest first. */
export function liveSessions(root: string): SessionFile[] {
  return readdirSync(root)
    .filter((name) => name.startsWith('session_'))
    .sort()
    .map((name) => readSession(path.join(root, name)))
    .filter((session) => session !== undefined && isAlive(session)) as SessionFile[]
}

export function isAlive(session: SessionFile): boolean {
  return startTicksOf(session.pid) === session.startTicks
}

/** When a process started; undefined when there is none. It cannot be forged by using its id. */
export function startTicksOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // Behind the name, which may contain anything but ends with the last parenthesis.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' ? undefined : fields[18]
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
