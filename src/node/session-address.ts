// Which session an address means.
//
// An address is the folder of a session on this machine; the name of a session stands for its
// folder in the usual place. A cluster of several machines is named by `host:port` of its head,
// which no folder is. Whoever says nothing gets the address in TYPERAY_ADDRESS, else the cluster
// that `typeray start` has started, else a session of its own.

import path from 'node:path'
import { SessionError } from '../base/errors.js'
import { isCompatible, packageVersion, wireVersion } from '../base/version.js'
import { parseHostPort } from '../wire/address.js'
import {
  currentSessionDir,
  isAlive,
  liveSessions,
  readSession,
  type SessionFile,
} from './session-file.js'
import { sessionsFolder } from './session-folder.js'

const startHint = 'Start one with: typeray start --head'

/**
 * A program can only talk to a cluster that speaks as it does.
 *
 * @throws SessionError that names both versions.
 */
export function checkVersion({ sessionDir, version, wireVersion: wire }: SessionFile): void {
  const theirs = { version: version ?? 'unknown', wireVersion: wire ?? 0 }
  if (isCompatible({ version: packageVersion, wireVersion }, theirs)) return
  throw new SessionError(
    `The session at ${sessionDir} runs typeray ${theirs.version} (wire version ` +
      `${theirs.wireVersion}), and this program uses typeray ${packageVersion} (wire version ` +
      `${wireVersion}). Use the same typeray for both, or start a session of this program's own ` +
      "with the address 'local'.",
    { fields: { version: packageVersion, sessionVersion: theirs.version } },
  )
}

/**
 * The session to join; undefined: start one; a text: the head of a cluster to which no node of this
 * machine belongs.
 */
export function sessionToJoin(
  address: string | undefined,
  tempDir?: string,
): SessionFile | string | undefined {
  const asked = address ?? environmentAddress()
  if (asked === 'local') return undefined
  const root = sessionsFolder(tempDir)
  if (asked === undefined) return living(currentSessionDir(root))
  if (asked === 'auto') return currentSession(root)
  if (parseHostPort(asked) === undefined) return sessionAt(asked, root)
  return nodeOf(asked, root) ?? asked
}

/** Living sessions of this machine. */
export function sessionsOf(tempDir?: string): SessionFile[] {
  return liveSessions(sessionsFolder(tempDir))
}

/** A node of this machine in the cluster with this head. */
function nodeOf(head: string, root: string): SessionFile | undefined {
  const nodes = liveSessions(root).filter((session) => session.isStarted)
  return nodes.find((session) => [session.clusterAddress, session.headAddress].includes(head))
}

/**
 * The session that a question from outside is for: as for a program, but a session that some
 * program has started for itself will do when there is exactly one.
 */
export function sessionToObserve(address: string | undefined, tempDir?: string): SessionFile {
  const asked = address ?? environmentAddress()
  const root = sessionsFolder(tempDir)
  if (asked !== undefined && asked !== 'auto' && asked !== 'local') {
    if (parseHostPort(asked) === undefined) return sessionAt(asked, root)
    const node = nodeOf(asked, root)
    if (node !== undefined) return node
    throw new SessionError(`No node of this machine belongs to the cluster at ${asked}.`)
  }
  const current = asked === 'local' ? undefined : living(currentSessionDir(root))
  if (current !== undefined) return current
  const live = liveSessions(root)
  const [only] = live
  if (only === undefined) throw new SessionError(`No session is running. ${startHint}`)
  if (live.length === 1) return only
  const names = live.map(({ sessionName }) => `  ${sessionName}`).join('\n')
  throw new SessionError(`Several sessions are running; choose one by --address:\n${names}`)
}

function environmentAddress(): string | undefined {
  const { TYPERAY_ADDRESS } = process.env
  return TYPERAY_ADDRESS === '' ? undefined : TYPERAY_ADDRESS
}

function currentSession(root: string): SessionFile {
  const folder = currentSessionDir(root)
  if (folder === undefined) throw new SessionError(`No cluster is running. ${startHint}`)
  return sessionAt(folder, root)
}

function living(folder: string | undefined): SessionFile | undefined {
  const session = folder === undefined ? undefined : readSession(folder)
  return session !== undefined && isAlive(session) ? session : undefined
}

function sessionAt(address: string, root: string): SessionFile {
  if (/^\w+:\/\//.test(address)) {
    throw new SessionError(
      `The address ${address} is not one of typeray, also not for a program on a machine without ` +
        "a node: write host:port of the head, as 'typeray start --head' has printed it.",
    )
  }
  const folder = path.resolve(root, address)
  const session = readSession(folder)
  if (session === undefined) {
    throw new SessionError(
      `There is no session at ${folder}: it has ended, or never was. ${startHint}`,
    )
  }
  if (!isAlive(session)) {
    throw new SessionError(
      `The session at ${folder} is dead: its process ${session.pid} is gone. ${startHint}`,
    )
  }
  return session
}
