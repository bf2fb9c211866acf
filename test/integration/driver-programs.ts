// Runs programs that use the package as a user's do, in a folder where it is installed.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type DriverEnd, runDriver } from '../../src/testing/index.js'
import { SessionTraces } from '../../src/testing/session-traces.js'
import { Programs } from '../closure/programs.js'

export const repository = fileURLToPath(new URL('../../../', import.meta.url))

/** The text of a file in the folder of fixtures. */
export const fixture = (name: string): string =>
  readFileSync(path.join(repository, 'test/integration/fixtures', name), 'utf8')

export const vitestCommand = path.join(repository, 'node_modules/vitest/vitest.mjs')

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** The program is killed after this time, in milliseconds. */
  readonly timeoutMs?: number
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Programs that run the closure cases through tasks and actors. */
export function apiPrograms(): Programs {
  const cases = fixture('api-cases.txt')
  const esm = `import * as ray from 'typeray'\nimport { makeShipping } from 'driver-harness'\n`
  const cjs = `const ray = require('typeray'), { makeShipping } = require('driver-harness')\n`
  return new Programs({
    head: { esm: esm + cases, cjs: cjs + cases },
    packages: {
      'driver-harness': {
        'package.json': '{"name":"driver-harness","main":"index.js"}',
        'index.js': fixture('driver-harness.cjs'),
      },
    },
    links: { typeray: repository, vitest: path.join(repository, 'node_modules/vitest') },
  })
}

/** Runs a command to its end, which must be a good one and leave nothing behind. */
export async function runCommand(
  command: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const [file = '', ...args] = command
  const traces = new SessionTraces()
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...inherited } = process.env
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...inherited, NO_COLOR: '1', ...options.env, ...traces.environment },
    // A group of its own: some commands run the program in a child of theirs.
    detached: true,
  })
  const late = setTimeout(
    () => process.kill(-(child.pid ?? 0), 'SIGKILL'),
    options.timeoutMs ?? 100_000,
  )
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // A command that ends at once has no use for what it is given, and its exit code tells why.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.stdin ?? '')
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(late)
  await traces.assertNone()
  assert.equal(code, 0, `ended with ${signal ?? code}:\n${stdout}${stderr}`)
  return { code, stdout, stderr }
}

/**
 * Runs the first of these files, in a folder beside the built sources: packages are found there.
 */
export async function runFiles(files: Readonly<Record<string, string>>): Promise<DriverEnd> {
  const folder = mkdtempSync(path.join(repository, 'dist', 'program-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
    return await runDriver(pathToFileURL(path.join(folder, Object.keys(files)[0] ?? '')))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
