// Loads a bundle of this package together with what V8 compiled of it at an earlier start.
//
// Half of what a worker costs to start is V8 reading half a megabyte of JavaScript. V8 can write
// down its compiled code and take it back (`cachedData`), but only the very same V8 with the same
// flags understands it, so it cannot be published with the package: the first process of a kind on
// a machine compiles as ever and leaves its code for the next ones, in a file of the user's
// temporary folder. It does so after it has done its work once, so that all functions that such a
// process needs at its start are in it.
//
// Nothing here may fail or wait: without a folder, or with a file that does not fit, code is
// compiled. V8 believes what it is given, so
//   - the folder must belong to the user, and nobody else may write to it;
//   - the name of a file has the version and flags of V8, and the size, time and inode of the
//     bundle in it;
//   - a file gets its name when it is complete and on disk, and ends with a mark that says so.
//
// NODE_DISABLE_COMPILE_CACHE and NODE_COMPILE_CACHE mean what they mean to later versions of Node:
// no such files, or another folder for them.

import {
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import v8 from 'node:v8'
import vm from 'node:vm'

/** What a process does, and so which functions it needs at its start. */
export type ProcessKind = 'driver' | 'worker' | 'node' | 'gcs'

/** Files of code that are kept; each is under a megabyte. */
const codeFilesMax = 32
/** A driver or node that is this old, in milliseconds, has done what is done at a start. */
const keepAfterMs = 2000
const completeMark = 'typeray code ends'

const require = createRequire(import.meta.url)
const parameters = ['exports', 'require', 'module', '__filename', '__dirname']
const loaded = new Map<string, unknown>()
/** What to do to keep the code of each bundle that was loaded without. */
const unkept = new Set<() => void>()
let kindOfProcess: ProcessKind | undefined
let hasWorked = false

/**
 * The exports of a CommonJS bundle, which is evaluated once in this process. The first says what
 * the process does.
 */
export function loadBundle(file: string, kind?: ProcessKind): unknown {
  kindOfProcess ??= kind ?? 'driver'
  if (!loaded.has(file)) loaded.set(file, isSandboxed() ? require(file) : load(file, kindOfProcess))
  return loaded.get(file)
}

/** What was compiled until now is worth keeping. Without effect when it has been kept. */
export function keepCode(): void {
  hasWorked = true
  for (const keep of unkept) keep()
}

/** A test runner's sandbox has intrinsics of its own, and its `require` evaluates code there. */
function isSandboxed(): boolean {
  return vm.runInThisContext('globalThis') !== globalThis
}

function load(file: string, kind: ProcessKind): unknown {
  const { source, version } = readBundle(file)
  const tag = v8.cachedDataVersionTag()
  const folder = codeFolder()
  const code = folder && path.join(folder.path, `${kind}-${tag}-${version}`)
  // One that was not there when it was looked at may be anybody's by now.
  const cachedData = code !== undefined && folder?.isThere ? readCode(code) : undefined
  const script = new vm.Script(`(function (${parameters.join(', ')}) {${source}\n})`, {
    filename: pathToFileURL(file).href,
    ...(cachedData !== undefined && { cachedData }),
  })
  const isFresh = cachedData === undefined || script.cachedDataRejected === true
  if (code !== undefined && isFresh) keepLater(script, { code, tag, kind })
  const module = { exports: {} }
  const run = script.runInThisContext() as (...args: unknown[]) => void
  run(module.exports, createRequire(file), module, file, path.dirname(file))
  return module.exports
}

function readBundle(file: string): { source: string; version: string } {
  const fd = openSync(file, 'r')
  try {
    const { size, mtimeMs, ino } = fstatSync(fd)
    // The build writes ASCII, which V8 then keeps as bytes.
    return { source: readFileSync(fd, 'latin1'), version: `${size}-${mtimeMs}-${ino}` }
  } finally {
    closeSync(fd)
  }
}

interface CodeFile {
  readonly code: string
  readonly tag: number
  readonly kind: ProcessKind
}

function keepLater(script: vm.Script, { code, tag, kind }: CodeFile): void {
  const keep = (): void => {
    if (!unkept.delete(keep)) return
    process.off('exit', keep)
    // With other flags than it was started with, its code would be refused.
    if (v8.cachedDataVersionTag() === tag) writeCode(code, script.createCachedData())
  }
  unkept.add(keep)
  process.once('exit', keep)
  // A worker says itself when it has done its first work.
  if (kind !== 'worker' || hasWorked) setTimeout(keep, keepAfterMs).unref()
}

interface CodeFolder {
  readonly path: string
  readonly isThere: boolean
}

/** Undefined where there is to be no such folder, or it cannot be trusted. */
function codeFolder(): CodeFolder | undefined {
  const { NODE_DISABLE_COMPILE_CACHE, NODE_COMPILE_CACHE } = process.env
  const user = process.getuid?.()
  if (user === undefined || NODE_DISABLE_COMPILE_CACHE === '1') return undefined
  const parent = NODE_COMPILE_CACHE || path.join(os.tmpdir(), `typeray-${user}`)
  const folder = path.join(parent, 'typeray-code')
  const above = ownerOf(parent)
  if (above === 'nobody') return { path: folder, isThere: false }
  const owner = above === user ? ownerOf(folder) : 'others'
  if (owner === 'nobody') return { path: folder, isThere: false }
  return owner === user ? { path: folder, isThere: true } : undefined
}

/** Who alone writes to a folder; 'nobody' when there is none, 'others' when that cannot be said. */
function ownerOf(folder: string): number | 'nobody' | 'others' {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (found === undefined) return 'nobody'
  return found.isDirectory() && (found.mode & 0o022) === 0 ? found.uid : 'others'
}

function readCode(file: string): Buffer | undefined {
  try {
    const bytes = readFileSync(file)
    const end = bytes.length - completeMark.length
    return bytes.toString('latin1', end) === completeMark ? bytes.subarray(0, end) : undefined
  } catch {
    return undefined
  }
}

function writeCode(file: string, code: Buffer): void {
  const draft = `${file}.${process.pid}`
  try {
    const folder = path.dirname(file)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    removeOldest(folder)
    const fd = openSync(draft, 'wx', 0o600)
    try {
      writeSync(fd, code)
      writeSync(fd, completeMark)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(draft, file)
  } catch {
    // A full or read-only disk: the next start compiles as this one did.
    rmSync(draft, { force: true })
  }
}

/** Bundles and versions of Node that were are not coming back. */
function removeOldest(folder: string): void {
  const files = readdirSync(folder).map((name) => path.join(folder, name))
  if (files.length < codeFilesMax) return
  const ages = files.map((file) => ({ file, writtenMs: statSync(file).mtimeMs }))
  ages.sort((a, b) => a.writtenMs - b.writtenMs)
  for (const { file } of ages.slice(0, files.length - codeFilesMax + 1)) rmSync(file)
}
