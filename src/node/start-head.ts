// Starts a node that outlives its drivers, and stops one.

import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { closeSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { SessionError } from '../base/errors.js'
import { nodeStartMs, shutdownMs } from '../base/limits.js'
import { compileNodeOptions, type NodeOptions } from './node-config.js'
import { isAlive, readSession, retireSession, type SessionFile } from './session-file.js'
import { makeFolders } from './session-folder.js'
import type { NodeReady } from './start-node.js'

export interface HeadHandle {
  readonly session: SessionFile
  /** Settles when the node is gone. */
  readonly ended: Promise<void>
}

/**
 * With `endsWith: 'parent'` the node ends with this process, however that ends; else it goes on
 * without. What it has to say of its own troubles goes to a file in the session's folder.
 */
export async function startHead(options: NodeOptions): Promise<HeadHandle> {
  const config = compileNodeOptions({ endsWith: 'stop', ...options })
  const entry = fileURLToPath(new URL('../node/node-main.cjs', import.meta.url))
  makeFolders(config.tempDir)
  const draft = path.join(config.tempDir, `starting-${process.pid}.err`)
  const stderr = openSync(draft, 'w', 0o600)
  const isTied = config.endsWith === 'parent'
  const child = spawn(process.execPath, [entry], {
    detached: true,
    stdio: [isTied ? 'pipe' : 'ignore', 'pipe', stderr],
    env: { ...process.env, TYPERAY_NODE: JSON.stringify(config) },
  })
  closeSync(stderr)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  try {
    const ready = await readyLine(child.stdout)
    renameSync(draft, path.join(ready.sessionDir, 'logs', 'node.err'))
    if (!isTied) child.unref()
    const session = readSession(ready.sessionDir)
    if (session === undefined) throw new SessionError('The node ended as soon as it had started.')
    return { session, ended }
  } catch (cause) {
    child.kill('SIGKILL')
    const said = readFileSync(draft, 'utf8').trim()
    rmSync(draft, { force: true })
    const why = said === '' ? String(cause) : said
    throw new SessionError(`The node could not be started: ${why}`, { cause })
  }
}

function readyLine(stdout: NodeJS.ReadableStream | null): Promise<NodeReady> {
  return new Promise((resolve, reject) => {
    let text = ''
    const late = `it did not start within ${nodeStartMs} ms`
    const timer = setTimeout(() => reject(new Error(late)), nodeStartMs)
    stdout?.setEncoding('utf8')
    stdout?.on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end < 0) return
      clearTimeout(timer)
      ;(stdout as Socket).destroy()
      resolve(JSON.parse(text.slice(0, end)) as NodeReady)
    })
    stdout?.on('end', () => {
      clearTimeout(timer)
      reject(new Error('it ended while it started'))
    })
  })
}

const pollMs = 20

/**
 * Ends the session's node, and with it everything that runs there: asked first, killed when it does
 * not. Returns when it is gone. True when it had to be killed.
 */
export async function stopSession(session: SessionFile): Promise<boolean> {
  let isForced = false
  const deadline = performance.now() + 2 * shutdownMs
  if (isAlive(session)) process.kill(session.pid, 'SIGTERM')
  // The start time is looked at each time: the id may belong to somebody else by now.
  while (isAlive(session)) {
    if (!isForced && performance.now() > deadline - shutdownMs) {
      isForced = true
      process.kill(session.pid, 'SIGKILL')
    }
    if (performance.now() > deadline) {
      throw new SessionError(`The node process ${session.pid} cannot be ended.`)
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  retireSession(session.sessionDir)
  return isForced
}
