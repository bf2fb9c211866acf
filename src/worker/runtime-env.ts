// The option `runtimeEnv`: what the workers of a task, an actor or a whole program are like.
//
// It becomes a text that is part of the scheduling key, so that workers of different environments
// are never mixed. A worker knows the text that it was started with: what it submits inherits it,
// variable by variable, as in Ray.

import { statSync } from 'node:fs'
import path from 'node:path'
import { didYouMean } from '../base/nearest-name.js'
import type { FolderPackage, OwnEnvironment, SetupHook } from '../wire/messages/terms.js'
import type { CoreWorker } from './core-worker.js'
import type { Code } from './function-exports.js'
import { packFolder, sendPackage } from './working-dir.js'

/** What the workers of a task, an actor or a program are like. Follows `runtime_env`. */
export interface RuntimeEnv {
  /** Variables of the environment, beside those of the driver. */
  readonly envVars?: Readonly<Record<string, string>>
  /**
   * Folder that the workers run in; the driver's by default. Machines that join the cluster get
   * what is in it, but for what .gitignore names and node_modules, and import its modules there.
   */
  readonly workingDir?: string
  /** What other machines do not get of it, as .gitignore would say it. */
  readonly excludes?: readonly string[]
  /**
   * Runs once in every worker, before its first task. When it throws, tasks and actors fail with
   * RuntimeEnvSetupError, whose cause is what it threw.
   */
  readonly setupHook?: () => unknown
  /** How long an asynchronous hook may take, in milliseconds; ten minutes by default. */
  readonly setupTimeoutMs?: number
}

export interface RuntimeEnvConfig {
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string | undefined
  readonly excludes: readonly string[]
  /** A function, or the id under which it was exported. */
  readonly hook: Code | string | undefined
  readonly timeoutMs: number
}

const known = ['envVars', 'workingDir', 'excludes', 'setupHook', 'setupTimeoutMs']
const setupTimeoutMs = 600_000
const exported = 'exported:'

const packages = 'has no counterpart: workers import what the driver imports, from node_modules'
const images = 'is not built: workers are processes of this machine'
const refused: Readonly<Record<string, string>> = {
  pip: packages,
  conda: packages,
  uv: packages,
  pyModules: packages,
  pyExecutable: packages,
  javaJars: packages,
  container: images,
  imageUri: images,
  config: 'is not built: the timeout of the hook is setupTimeoutMs',
}

/** Throws TypeError or RangeError naming what is wrong. */
export function compileRuntimeEnv(value: unknown): RuntimeEnvConfig | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(
      "The option 'runtimeEnv' must be an object such as { envVars: { A: '1' } }.",
    )
  }
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue
    const why = refused[key]
    if (why !== undefined) throw new TypeError(`The option 'runtimeEnv.${key}' ${why}.`)
    throw new TypeError(
      `'${key}' is not an option of runtimeEnv.${didYouMean(key, known)} Options are: ` +
        `${known.join(', ')}.`,
    )
  }
  const env = value as RuntimeEnv
  return {
    env: envVarsOf(env.envVars),
    cwd: folderOf(env.workingDir),
    excludes: excludesOf(env.excludes),
    hook: hookOf(env.setupHook),
    timeoutMs: timeoutOf(env.setupTimeoutMs),
  }
}

function envVarsOf(vars: unknown): Readonly<Record<string, string>> {
  if (vars === undefined) return {}
  if (typeof vars !== 'object' || vars === null || Array.isArray(vars)) {
    throw new TypeError("The option 'runtimeEnv.envVars' must be an object of texts by name.")
  }
  const entries = Object.entries(vars as Record<string, unknown>)
  for (const [name, text] of entries) {
    if (typeof text !== 'string' || name === '' || /[=\0]/.test(name) || text.includes('\0')) {
      throw new TypeError(`The option 'runtimeEnv.envVars.${name}' must be a text.`)
    }
  }
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) as Record<string, string>
}

function folderOf(folder: unknown): string | undefined {
  if (folder === undefined) return undefined
  if (typeof folder !== 'string' || folder === '') {
    throw new TypeError("The option 'runtimeEnv.workingDir' must be the path of a folder.")
  }
  const full = path.resolve(folder)
  if (statSync(full, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new TypeError(`The option 'runtimeEnv.workingDir' names ${full}, which is no folder.`)
  }
  return full
}

function excludesOf(excludes: unknown): readonly string[] {
  if (excludes === undefined) return []
  if (Array.isArray(excludes) && excludes.every((each) => typeof each === 'string')) return excludes
  throw new TypeError("The option 'runtimeEnv.excludes' must be a list of patterns.")
}

function hookOf(hook: unknown): Code | string | undefined {
  if (hook === undefined || typeof hook === 'function') return hook
  if (typeof hook === 'string' && hook.startsWith(exported)) return hook.slice(exported.length)
  throw new TypeError("The option 'runtimeEnv.setupHook' must be a function.")
}

function timeoutOf(ms: unknown): number {
  if (ms === undefined) return setupTimeoutMs
  if (typeof ms !== 'number' || !(ms > 0)) {
    throw new RangeError(
      `The option 'runtimeEnv.setupTimeoutMs' must be a number above zero, not ${String(ms)}.`,
    )
  }
  return ms
}

/** What this process was started with beyond its job: its tasks inherit it. */
let inherited: { readonly text: string; readonly own: OwnEnvironment } = { text: '', own: {} }

/** Reads and hides what the raylet has said about the environment of this worker. */
export function takeEnvironment(): SetupHook | undefined {
  const text = process.env['TYPERAY_ENVIRONMENT'] ?? ''
  const setup = process.env['TYPERAY_SETUP']
  delete process.env['TYPERAY_ENVIRONMENT']
  delete process.env['TYPERAY_SETUP']
  inherited = { text, own: text === '' ? {} : (JSON.parse(text) as OwnEnvironment) }
  return setup === undefined ? undefined : (JSON.parse(setup) as SetupHook)
}

/** The environment of a task or an actor, as the scheduling key has it. */
export function environmentOf(core: CoreWorker, config: RuntimeEnvConfig | undefined): string {
  if (config === undefined) return inherited.text
  const { own } = inherited
  const env = { ...own.env, ...config.env }
  const cwd = config.cwd ?? own.cwd
  const setup = setupOf(core, config) ?? own.setup
  const folder = config.cwd === undefined ? own.folder : folderFor(core, config.cwd, config)
  const whole: OwnEnvironment = {
    ...(Object.keys(env).length > 0 && { env }),
    ...(cwd !== undefined && { cwd }),
    ...(setup !== undefined && { setup }),
    ...(folder !== undefined && { folder }),
  }
  return Object.keys(whole).length === 0 ? '' : JSON.stringify(whole)
}

function folderFor(
  core: CoreWorker,
  cwd: string,
  { excludes }: RuntimeEnvConfig,
): FolderPackage | undefined {
  if (core.welcome.isCluster !== true) return undefined
  const folder = packFolder(cwd, excludes)
  sendPackage(core, folder)
  return folder
}

function setupOf(core: CoreWorker, { hook, timeoutMs }: RuntimeEnvConfig): SetupHook | undefined {
  if (hook === undefined) return undefined
  const id = typeof hook === 'string' ? hook : core.functions.idOf(hook, hook.name || 'setupHook')
  return { hook: id, timeoutMs }
}

/** The same option in a form that travels as text. */
export function portableRuntimeEnv(core: CoreWorker, env: RuntimeEnv): RuntimeEnv {
  const { setupHook } = env
  if (typeof setupHook !== 'function') return env
  const id = core.functions.idOf(setupHook, setupHook.name || 'setupHook')
  return { ...env, setupHook: `${exported}${id}` as unknown as () => unknown }
}
