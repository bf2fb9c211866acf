// A cluster of `typeray start --head` for a test: in a temporary folder of its own, so that no
// other program finds it, and ended with everything that it has started.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { assertNoFiles } from '../../src/testing/left-files.js'
import { SessionTraces } from '../../src/testing/session-traces.js'
import {
  type Driver,
  type DriverEnd,
  type DriverOptions,
  startDriver,
} from '../../src/testing/index.js'

const entry = fileURLToPath(new URL('../../src/cli/cli-main.js', import.meta.url))

export interface Head {
  readonly folder: string
  /** Environment in which programs find the cluster. */
  readonly environment: Readonly<Record<string, string>>
  /** Runs a command to its end. */
  cli(...args: readonly string[]): Promise<DriverEnd>
  /** Starts a driver; `ray` is imported in it. */
  driver(source: string, options?: DriverOptions): Driver
  /** What the driver wrote; it must end well. */
  run(source: string, options?: DriverOptions): Promise<string>
}

export function runCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  within: readonly string[] = [],
): Promise<DriverEnd> {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...inherited } = process.env
  const [command = '', ...rest] = [...within, process.execPath, entry, ...args]
  const child = spawn(command, rest, {
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

/** A place where no cluster runs yet. */
export async function withFolder(
  body: (head: Head, traces: SessionTraces) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'head-'))
  const traces = new SessionTraces()
  const environment = { ...traces.environment, TYPERAY_TMPDIR: folder, TYPERAY_ADDRESS: '' }
  const header = `import * as ray from 'typeray'\n`
  const driver = (source: string, options: DriverOptions = {}): Driver => {
    const env = { TYPERAY_TMPDIR: folder, TYPERAY_ADDRESS: '', ...options.env }
    return startDriver(header + source, { ...options, env })
  }
  const run = async (source: string, options: DriverOptions = {}): Promise<string> => {
    const end = await driver(source, options).ended
    assert.equal(end.code, 0, end.stdout + end.stderr)
    return end.stdout
  }
  const cli = (...args: readonly string[]): Promise<DriverEnd> => runCli(args, environment)
  try {
    await body({ folder, environment, cli, driver, run }, traces)
  } finally {
    await cli('stop')
    await traces.assertNone()
    assertNoFiles(folder)
    rmSync(folder, { recursive: true })
  }
}

/** A cluster with two CPUs, unless said otherwise. */
export function withHead(
  args: readonly string[],
  body: (head: Head, traces: SessionTraces) => Promise<void>,
): Promise<void> {
  return withFolder(async (head, traces) => {
    const store = ['--object-store-memory', '64000000']
    const started = await head.cli('start', '--head', '--num-cpus', '2', ...store, ...args)
    assert.equal(started.code, 0, started.stderr)
    await body(head, traces)
  })
}
