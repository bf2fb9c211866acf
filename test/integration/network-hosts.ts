// Several hosts on this machine for a test: network namespaces with addresses of their own, joined
// by a bridge in a namespace of its own. Everything is gone after the test.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {
  type Driver,
  type DriverEnd,
  type DriverOptions,
  startDriver,
} from '../../src/testing/index.js'
import { assertNoFiles } from '../../src/testing/left-files.js'
import { SessionTraces } from '../../src/testing/session-traces.js'
import { runCli } from './head-cluster.js'

export interface Host {
  readonly ip: string
  /** Where its sessions have their folders. */
  readonly folder: string
  cli(...args: readonly string[]): Promise<DriverEnd>
  /** Starts a driver; `ray` is imported in it. */
  driver(source: string, options?: DriverOptions): Driver
  /** What the driver wrote; it must end well. */
  run(source: string, options?: DriverOptions): Promise<string>
  /** All that the node has logged. */
  log(): string
  /** Takes the host off the network, and puts it back. */
  cut(): void
  heal(): void
}

const token = 'token-for-the-hosts-of-a-test'

const ip = (...args: readonly string[]): void => {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Why there can be no hosts here; undefined when there can. */
export function noHosts(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  try {
    const name = `typeray-try-${process.pid}`
    ip('netns', 'add', name)
    ip('netns', 'del', name)
    return undefined
  } catch (error) {
    return `no network namespaces here: ${String(error)}`
  }
}

/** The first host is linked to all others; the last is linked to the first alone if `isRemote`. */
export async function withHosts(
  { count, isRemote = false }: { readonly count: number; readonly isRemote?: boolean },
  body: (hosts: readonly Host[]) => Promise<void>,
): Promise<void> {
  const id = `tr${process.pid}`
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hosts-'))
  const traces = new SessionTraces()
  const names = Array.from({ length: count }, (_, n) => `${id}-${n}`)
  const bridge = `${id}-br`
  try {
    makeNetwork({ bridge, names, isRemote })
    const hosts = names.map((name, n) => host(name, { n, bridge, folder, traces }))
    try {
      await body(hosts)
    } finally {
      for (const each of [...hosts].reverse()) await each.cli('stop')
      await traces.assertNone()
      assertNoFiles(folder)
    }
  } finally {
    for (const name of [...names, bridge]) removeNamespace(name)
    rmSync(folder, { recursive: true })
  }
}

interface Network {
  readonly bridge: string
  readonly names: readonly string[]
  readonly isRemote: boolean
}

function makeNetwork({ bridge, names, isRemote }: Network): void {
  ip('netns', 'add', bridge)
  ip('-n', bridge, 'link', 'add', 'br0', 'type', 'bridge')
  ip('-n', bridge, 'link', 'set', 'br0', 'up')
  for (const [n, name] of names.entries()) {
    ip('netns', 'add', name)
    ip('-n', name, 'link', 'set', 'lo', 'up')
    if (isRemote && n === names.length - 1) continue
    const peer = `v${n}`
    ip('-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', peer, 'netns', bridge)
    ip('-n', bridge, 'link', 'set', peer, 'master', 'br0', 'up')
    ip('-n', name, 'addr', 'add', `${addressOf(n)}/24`, 'dev', 'eth0')
    ip('-n', name, 'link', 'set', 'eth0', 'up')
  }
  const [head = ''] = names
  const last = names.at(-1) ?? ''
  if (!isRemote) return
  ip('-n', last, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far', 'netns', head)
  ip('-n', head, 'addr', 'add', '10.214.0.1/24', 'dev', 'far')
  ip('-n', head, 'link', 'set', 'far', 'up')
  ip('-n', last, 'addr', 'add', '10.214.0.2/24', 'dev', 'eth0')
  ip('-n', last, 'link', 'set', 'eth0', 'up')
  ip('-n', last, 'route', 'add', `${addressOf(0)}/32`, 'via', '10.214.0.1')
}

function removeNamespace(name: string): void {
  try {
    ip('netns', 'del', name)
  } catch {
    // It was never made.
  }
}

const addressOf = (n: number): string => `10.213.0.${n + 1}`

interface Place {
  readonly n: number
  readonly bridge: string
  readonly folder: string
  readonly traces: SessionTraces
}

function host(name: string, { n, bridge, folder: root, traces }: Place): Host {
  const within = ['ip', 'netns', 'exec', name]
  const folder = path.join(root, name)
  mkdirSync(folder)
  const environment = { TYPERAY_TMPDIR: folder, TYPERAY_TOKEN: token, TYPERAY_ADDRESS: '' }
  const driver = (source: string, options: DriverOptions = {}): Driver => {
    const env = { ...environment, ...options.env }
    return startDriver(`import * as ray from 'typeray'\n${source}`, { ...options, env, within })
  }
  return {
    ip: addressOf(n),
    folder,
    driver,
    cli: (...args) => runCli(args, { ...traces.environment, ...environment }, within),
    run: async (source, options) => {
      const end = await driver(source, options).ended
      assert.equal(end.code, 0, end.stdout + end.stderr)
      return end.stdout
    },
    log: () =>
      readdirSync(folder)
        .filter((each) => each.startsWith('session_'))
        .map((each) => readFileSync(path.join(folder, each, 'logs', 'raylet.log'), 'utf8'))
        .join(''),
    cut: () => ip('-n', bridge, 'link', 'set', `v${n}`, 'down'),
    heal: () => ip('-n', bridge, 'link', 'set', `v${n}`, 'up'),
  }
}
