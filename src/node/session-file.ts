// Which sessions of a user live on this machine, and how to join one.
//
// The folder of every session has a file `session.json` for the eyes of its user only: it holds the
// token that lets a process join. The file `current` beside the folders names that of the cluster
// that `typeray start --head` has started last, so that programs find it without being told. A file
// may outlive what it speaks of, so a session is alive only when its process is there and started
// when the file says: process ids are used again.

import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
const fileName = 'session.json'
const currentName = 'current'
/** The link to the latest session is not one of them. */
const namePattern = /^session_.*_\d+$/

/** What a process must know to join a session, and who may end it. */
export interface SessionFile {
  readonly sessionName: string
  /** The folder, which is also the address that users pass around. */
  readonly sessionDir: string
  /** Abstract socket of the raylet; `@` stands for the NUL that it begins with. */
  readonly rayletAddress: string
  readonly token: string
  readonly nodeId: string
  /** Part of the id of every process of the node. */
  readonly nodeNumber: number
  /** `host:port` of the node for others; '' when it is alone. */
  readonly clusterAddress: string
  /** The same of the cluster's head; '' when the node is alone. */
  readonly headAddress: string
  readonly pid: number
  /** When that process started, in clock ticks since the machine did. */
  readonly startTicks: string
  readonly startedAtMs: number
  /** It outlives its drivers: `typeray start` has started it, and `typeray stop` ends it. */
  readonly isStarted: boolean
  /** Of the package that it was started with. */
  readonly version?: string
  readonly wireVersion?: number
}

/** The session is over: it cannot be joined any more. What it logged stays. */
export function retireSession(sessionDir: string): void {
  rmSync(path.join(sessionDir, fileName), { force: true })
  const pointer = path.join(path.dirname(sessionDir), currentName)
  if (readText(pointer) === sessionDir) rmSync(pointer, { force: true })
}

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
  const file = path.join(sessionDir, fileName)
  const text = readText(file)
  // Whoever can write to the folder could send us to a cluster of his own.
  if (text === undefined || statSync(file).uid !== process.getuid?.()) return undefined
  return JSON.parse(text) as SessionFile
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
  return sessionsIn(root).filter(isAlive)
}

/** Those whose processes were killed before they could take their files away. */
export function deadSessions(root: string): SessionFile[] {
  return sessionsIn(root).filter((session) => !isAlive(session))
}

function sessionsIn(root: string): SessionFile[] {
  return namesIn(root)
    .filter((name) => namePattern.test(name))
    .sort()
    .map((name) => readSession(path.join(root, name)))
    .filter((session) => session !== undefined)
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

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    // No session was ever started here.
    return []
  }
}
