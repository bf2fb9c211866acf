// A cluster of several nodes on this machine for a test, each on a loopback address of its own, and
// ended with everything that it has started.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { ClusterConfig, NodeOptions } from '../../src/node/node-config.js'
import { isAlive, type SessionFile } from '../../src/node/session-file.js'
import { startHead, stopSession } from '../../src/node/start-head.js'
import { assertNoFiles } from '../../src/testing/left-files.js'
import { SessionTraces } from '../../src/testing/session-traces.js'
import { type Driver, type DriverOptions, startDriver, until } from '../../src/testing/index.js'

export interface Nodes {
  readonly token: string
  /** The head, then those that joined, in order. */
  readonly sessions: readonly SessionFile[]
  /** One more node. */
  join(options?: NodeOptions): Promise<SessionFile>
  /** Ends the process of a node without any warning. */
  kill(session: SessionFile): Promise<void>
  /** Starts a driver on a node, the head unless said otherwise; `ray` is imported in it. */
  driver(source: string, options?: DriverOptions & { readonly on?: SessionFile }): Driver
  /** What the driver wrote; it must end well. */
  run(source: string, options?: DriverOptions & { readonly on?: SessionFile }): Promise<string>
}

const token = 'token-for-the-nodes-of-a-test'

export interface Surroundings extends Pick<ClusterConfig, 'tls'> {
  /** Variables in the environment of the nodes. */
  readonly variables?: Readonly<Record<string, string>>
}

/** `count` nodes with one CPU each, unless `options` say otherwise. */
export async function withNodes(
  count: number,
  body: (nodes: Nodes) => Promise<void>,
  options: NodeOptions = {},
  { tls, variables = {} }: Surroundings = {},
): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nodes-'))
  const traces = new SessionTraces()
  const sessions: SessionFile[] = []
  const usual = { numCpus: 1, objectStoreMemory: 64_000_000, validate: true }
  const start = async (more: NodeOptions, head?: string): Promise<SessionFile> => {
    const tempDir = path.join(folder, `node${sessions.length + 1}`)
    mkdirSync(tempDir, { recursive: true })
    const host = `127.0.0.${sessions.length + 1}`
    const cluster = {
      ...(tls && { tls }),
      host,
      port: 0,
      token,
      ...(head !== undefined && { head }),
    }
    const environment = { ...traces.environment, ...variables }
    Object.assign(process.env, environment)
    const spillFolder = path.join(tempDir, 'spill')
    const all = { ...usual, tempDir, spillFolder, cluster, ...options, ...more }
    const { session } = await startHead(all)
    for (const name of Object.keys(environment)) Reflect.deleteProperty(process.env, name)
    sessions.push(session)
    return session
  }
  const join = (more: NodeOptions = {}): Promise<SessionFile> =>
    start(more, sessions[0]?.clusterAddress ?? '')
  const driver: Nodes['driver'] = (source, { on = sessions[0], ...more } = {}) => {
    const env = { TYPERAY_ADDRESS: on?.sessionDir ?? '', ...more.env }
    return startDriver(`import * as ray from 'typeray'\n${source}`, { ...more, env })
  }
  const run: Nodes['run'] = async (source, more) => {
    const end = await driver(source, more).ended
    assert.equal(end.code, 0, end.stdout + end.stderr)
    return end.stdout
  }
  const kill = async (session: SessionFile): Promise<void> => {
    process.kill(session.pid, 'SIGKILL')
    await until(() => !isAlive(session))
  }
  try {
    await start({})
    for (let n = 1; n < count; n++) await join()
    await body({ token, sessions, join, kill, driver, run })
  } finally {
    for (const session of [...sessions].reverse()) await stopSession(session)
    await traces.assertNone()
    assertNoFiles(folder)
    rmSync(folder, { recursive: true })
  }
}
