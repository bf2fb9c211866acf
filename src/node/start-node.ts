// Starts the node process for a driver.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { SessionError } from '../base/errors.js'
import { nodeStartMs, shutdownMs } from '../base/limits.js'
import { withoutCertificates } from './extra-certificates.js'
import { compileNodeOptions, type NodeConfig, type NodeOptions } from './node-config.js'

/** What the node says when it listens. Addresses are abstract: they begin with NUL. */
export interface NodeReady {
  readonly address: string
  readonly storeAddress: string
  readonly token: string
  readonly nodeId: string
  readonly nodeNumber: number
  /** `host:port` for other nodes; '' when it is alone. */
  readonly clusterAddress: string
  readonly sessionName: string
  /** '' when the session has no folder. */
  readonly sessionDir: string
  readonly pid: number
}

export interface NodeHandle extends NodeReady {
  /** Settles when the process is gone. Does not keep the program alive. */
  readonly ended: Promise<void>
  /** Ends the node and all its workers. Idempotent. */
  stop(): Promise<void>
}

/** The program of the node. A bundle that swallows the package has no such file beside it. */
function nodeEntry(): string {
  const entry = fileURLToPath(new URL('../node/node-main.cjs', import.meta.url))
  if (existsSync(entry)) return entry
  throw new SessionError(
    `${entry} does not exist: typeray starts programs of its own and cannot be part of a bundle. ` +
      `Keep it external, as in 'esbuild --bundle --packages=external', or install it again.`,
  )
}

function variablesOf(config: NodeConfig): NodeJS.ProcessEnv {
  const variables = { ...process.env, TYPERAY_NODE: JSON.stringify(config) }
  return config.cluster === undefined ? withoutCertificates(variables) : variables
}

const stderrCharsMax = 16 * 1024

/**
 * The node runs until its drivers are gone. Nothing of it keeps the event loop of this process
 * alive.
 */
export function startNode(options: NodeOptions = {}): Promise<NodeHandle> {
  const config = compileNodeOptions(options)
  const entry = nodeEntry()
  const child = spawn(process.execPath, [entry], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: variablesOf(config),
  })
  return new Promise((resolve, reject) => {
    let stdout = ''
    let stderr = ''
    const fail = (what: string): void => {
      clearTimeout(timeout)
      child.kill('SIGKILL')
      const said = stderr.trim()
      reject(
        new SessionError(
          `The node process ${what}. ` +
            `${said === '' ? 'It wrote nothing to stderr.' : `It wrote:\n${said}`}`,
          { fields: { pid: child.pid } },
        ),
      )
    }
    const timeout = setTimeout(() => fail(`did not start within ${nodeStartMs} ms`), nodeStartMs)
    const onEarlyStderr = (text: string): void => {
      stderr = (stderr + text).slice(-stderrCharsMax)
    }
    // `close` and not `exit`: what it wrote last may still be in the pipe.
    const onClose = (code: number | null, signal: string | null): void =>
      fail(`ended while it started (${signal ?? `exit code ${code}`})`)
    child.once('error', (error) => fail(`could not be started: ${error.message}`))
    child.once('close', onClose)
    child.stderr.setEncoding('utf8').on('data', onEarlyStderr)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      const line = stdout.indexOf('\n')
      if (line < 0) return
      clearTimeout(timeout)
      child.off('close', onClose)
      child.stderr.off('data', onEarlyStderr)
      child.stdout.destroy()
      resolve(handleOf(child, JSON.parse(stdout.slice(0, line)) as NodeReady))
    })
  })
}

/**
 * The same, blocking this thread (about a tenth of a second), for a program whose first call comes
 * before any await. The node writes its line to a file without a name.
 */
export function startNodeSync(options: NodeOptions = {}): NodeHandle {
  const config = compileNodeOptions(options)
  const entry = nodeEntry()
  const folder = mkdtempSync(path.join(os.tmpdir(), 'typeray-start-'))
  const file = path.join(folder, 'ready')
  const fd = openSync(file, 'w+', 0o600)
  rmSync(folder, { recursive: true })
  try {
    const child = spawn(process.execPath, [entry], {
      detached: true,
      stdio: ['pipe', fd, 'inherit'],
      env: variablesOf(config),
    })
    return handleOf(child, readReady(fd, child))
  } finally {
    closeSync(fd)
  }
}

function readReady(fd: number, child: ChildProcess): NodeReady {
  const bytes = Buffer.alloc(64 * 1024)
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (let waitedMs = 0; waitedMs < nodeStartMs; waitedMs++) {
    const line = bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0))
    if (line.includes('\n')) return JSON.parse(line.slice(0, line.indexOf('\n'))) as NodeReady
    Atomics.wait(pause, 0, 0, 1)
  }
  child.kill('SIGKILL')
  throw new SessionError(`The node process did not start within ${nodeStartMs} ms; see stderr.`)
}

function handleOf(child: ChildProcess, ready: NodeReady): NodeHandle {
  // What the node has to say from now on is about its own troubles, and belongs on the terminal.
  child.stderr?.on('data', (text: string) => process.stderr.write(text))
  unref(child.stderr)
  // Stays open: when this process dies before it has said hello, the node sees its stdin end.
  child.stdin?.on('error', () => {})
  unref(child.stdin)
  child.unref()
  const ended = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    child.kill('SIGTERM')
    const timeout = setTimeout(() => child.kill('SIGKILL'), shutdownMs)
    await ended
    clearTimeout(timeout)
  }
  return { ...ready, ended, stop }
}

/** The pipes of a child are sockets, though their type does not say so. */
function unref(pipe: unknown): void {
  if (typeof pipe === 'object' && pipe !== null && 'unref' in pipe) (pipe as Socket).unref()
}
