// A folder with nothing in it but the packed package, as a new user has it.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../..', import.meta.url))
const installMsMax = 180_000
const runMsMax = 120_000

interface Run {
  readonly cwd: string
  readonly timeoutMs: number
  readonly env?: Readonly<Record<string, string>>
}

/** Runs Node and resolves to its standard output; rejects with all that it wrote otherwise. */
function runNode(
  args: readonly string[],
  { cwd, timeoutMs, env: more = {} }: Run,
): Promise<string> {
  const env = { ...process.env, NO_COLOR: '1', ...more }
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  let output = ''
  let all = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    all += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    all += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0) resolve(output)
      else reject(new Error(`node ${args.join(' ')}: ${signal ?? `exit code ${code}`}\n${all}`))
    })
  })
}

export class Consumer {
  readonly folder: string

  constructor() {
    this.folder = mkdtempSync(path.join(tmpdir(), 'consumer-'))
  }

  /** Packs the checkout and installs the tarball with its dependencies. */
  async install(): Promise<void> {
    const npm = path.join(root, 'scripts', 'npm.mjs')
    const run = { cwd: root, timeoutMs: installMsMax }
    await runNode([npm, 'pack', '--silent', '--pack-destination', this.folder], run)
    const tarball = readdirSync(this.folder).find((name) => name.endsWith('.tgz'))
    if (tarball === undefined) throw new Error('npm pack made no tarball')
    this.write('package.json', JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
    // Nothing of Typeray may depend on the install script of a dependency.
    const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--silent']
    const install = [npm, 'install', ...options, `./${tarball}`]
    await runNode(install, { ...run, cwd: this.folder })
  }

  write(name: string, text: string): void {
    const file = path.join(this.folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  /** Files of the installed package, relative to it. */
  files(): string[] {
    const entries = readdirSync(path.join(this.folder, 'node_modules', 'typeray'), {
      withFileTypes: true,
      recursive: true,
    })
    const prefix = path.join(this.folder, 'node_modules', 'typeray')
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(prefix, path.join(entry.parentPath, entry.name)))
  }

  run(...args: string[]): Promise<string> {
    return this.runIn({}, ...args)
  }

  /** Runs a program with more variables in its environment. */
  runIn(env: Readonly<Record<string, string>>, ...args: string[]): Promise<string> {
    return runNode(args, { cwd: this.folder, timeoutMs: runMsMax, env })
  }

  /** Runs a program of a development package of the checkout, which users have of their own. */
  runTool(tool: string, ...args: string[]): Promise<string> {
    return this.run(path.join(root, 'node_modules', tool), ...args)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
