// Runs a program that uses Typeray, as its user would, and looks at what is left of it afterwards.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { assertNoFiles } from './left-files.js'
import { SessionTraces } from './session-traces.js'
import { until } from './until.js'

/** How a driver program is run. */
export interface DriverOptions {
  /** Arguments of the program. */
  readonly args?: readonly string[]
  /** Variables beside those of the test. */
  readonly env?: Readonly<Record<string, string>>
  /** A command that runs the program, such as `['ip', 'netns', 'exec', 'a']`. */
  readonly within?: readonly string[]
  /** Options of Node. */
  readonly execArgv?: readonly string[]
  /** What the source is: an ES module, or CommonJS. */
  readonly type?: 'module' | 'commonjs'
  /** The program is killed after this time, in milliseconds; two minutes by default. */
  readonly timeoutMs?: number
}

/** How a driver program ended, and what it wrote. */
export interface DriverEnd {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null
  /** The signal that ended it, if one did. */
  readonly signal: NodeJS.Signals | null
  /** All that it wrote to standard output. */
  readonly stdout: string
  /** All that it wrote to standard error. */
  readonly stderr: string
}

const timeoutMsDefault = 120_000
const packageRoot = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * A program under way.
 *
 * @example
 * const driver = startDriver(`import * as ray from 'typeray'; await ray.init(); console.log('up')`)
 * await driver.said('up')
 * driver.kill('SIGKILL')
 * await driver.ended // rejects if a process or socket is left
 */
export class Driver {
  readonly #child: ChildProcess
  readonly #traces: SessionTraces
  /** For the folder of its session, which goes with it. */
  readonly #tempDir: string
  #stdout = ''
  #stderr = ''
  /** It has ended, and all that it wrote has been read, which may be later. */
  #isOver = false
  /** Resolves when the program has ended and nothing of it is left; rejects if something is. */
  readonly ended: Promise<DriverEnd>

  constructor(program: { readonly file: string; readonly remove: () => void }, how: DriverOptions) {
    const { args = [], env = {}, execArgv = [], timeoutMs = timeoutMsDefault, within = [] } = how
    this.#traces = new SessionTraces()
    this.#tempDir = mkdtempSync(path.join(os.tmpdir(), 'typeray-test-'))
    const [command = '', ...rest] = [
      ...within,
      process.execPath,
      ...execArgv,
      program.file,
      ...args,
    ]
    this.#child = spawn(command, rest, {
      env: {
        ...environment(),
        TYPERAY_TMPDIR: this.#tempDir,
        TYPERAY_ADDRESS: 'local',
        ...env,
        ...this.#traces.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.ended = this.#end(timeoutMs).finally(() => {
      rmSync(this.#tempDir, { recursive: true, force: true })
      program.remove()
    })
    // Whoever starts a driver awaits its end, but perhaps not from the first moment.
    this.ended.catch(() => undefined)
  }

  /** Process id of the program. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** All that was written to stdout so far. */
  get stdout(): string {
    return this.#stdout
  }

  /** All that was written to stderr so far. */
  get stderr(): string {
    return this.#stderr
  }

  /** Processes of the session: the raylet and the workers. */
  processes(): number[] {
    return this.#traces.processes().filter((pid) => pid !== this.pid)
  }

  /** Sends a signal to the program, and to it alone. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Waits until the program has written this. */
  async said(text: string, timeoutMs = timeoutMsDefault): Promise<void> {
    await until(() => this.#stdout.includes(text) || this.#isOver, { timeoutMs, what: text })
    if (this.#stdout.includes(text)) return
    throw new Error(`The program ended before it wrote '${text}':\n${this.#stdout}${this.#stderr}`)
  }

  async #end(timeoutMs: number): Promise<DriverEnd> {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      this.#child.kill('SIGKILL')
    }, timeoutMs)
    const { code, signal } = await this.#exit()
    clearTimeout(timer)
    await this.#traces.assertNone()
    assertNoFiles(this.#tempDir)
    const end: DriverEnd = { code, signal, stdout: this.#stdout, stderr: this.#stderr }
    if (isLate) {
      throw new Error(`The program did not end within ${timeoutMs} ms:\n${end.stdout}${end.stderr}`)
    }
    return end
  }

  #exit(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => {
        this.#isOver = true
        resolve({ code, signal })
      })
    })
  }
}

/**
 * Starts a driver program: a file, or the source of one, which may import 'typeray'. It ends as any
 * program ends; await `driver.ended`.
 *
 * @example
 * const driver = startDriver(new URL('./my-program.js', import.meta.url), { args: ['--fast'] })
 * const { code } = await driver.ended
 */
export function startDriver(program: string | URL, options: DriverOptions = {}): Driver {
  if (program instanceof URL) {
    return new Driver({ file: fileURLToPath(program), remove: () => undefined }, options)
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), 'typeray-driver-'))
  const { type = 'module' } = options
  mkdirSync(path.join(folder, 'node_modules'))
  symlinkSync(packageRoot, path.join(folder, 'node_modules', 'typeray'))
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ type }))
  const file = path.join(folder, 'driver.js')
  writeFileSync(file, program)
  return new Driver({ file, remove: () => rmSync(folder, { recursive: true }) }, options)
}

/**
 * Runs a driver program to its end. Throws if a process or a socket of it is left.
 *
 * @example
 * const { stdout } = await runDriver(`
 *   import * as ray from 'typeray'
 *   console.log(await ray.get(ray.put(1)))
 * `)
 */
export function runDriver(program: string | URL, options: DriverOptions = {}): Promise<DriverEnd> {
  return startDriver(program, options).ended
}

/** A test runner tells its children by the environment that they are its own; a driver is not. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...rest } = process.env
  return rest
}
