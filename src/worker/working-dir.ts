// The folder of the program, packed for machines that do not have it.
//
// A package is named by the hash of what is in it, so that it travels and is kept once. Left out is
// what .gitignore names, what the user excludes, and node_modules: packages belong to the machine
// that runs them, and are taken from where its node was started.

import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import type ignoreModule from 'ignore'
import type * as Tar from 'tar'
import { RuntimeEnvSetupError } from '../base/errors.js'
import { packageBytesMax, packageChunkBytes } from '../base/limits.js'
import type { CoreWorker } from './core-worker.js'

export interface PackedFolder {
  /** Names the contents. */
  readonly hash: string
  /** Where the files are on the machine of the program. */
  readonly root: string
}

type Ignore = ReturnType<typeof ignoreModule>

const always = ['.git', 'node_modules']
const packed = new Map<string, PackedFolder & { readonly bytes: Buffer }>()
const sent = new WeakMap<CoreWorker, Set<string>>()
const load = createRequire(import.meta.url)

/**
 * Packs a folder, once for each process.
 *
 * @throws RuntimeEnvSetupError when it is too large.
 */
export function packFolder(root: string, excludes: readonly string[]): PackedFolder {
  const key = [root, ...excludes].join('\0')
  const known = packed.get(key)
  if (known !== undefined) return { hash: known.hash, root }
  const files = filesIn(root, excludes)
  const draft = mkdtempSync(path.join(os.tmpdir(), 'typeray-package-'))
  try {
    const file = path.join(draft, 'package.tgz')
    const tar = load('tar') as typeof Tar
    const options = {
      cwd: root,
      file,
      gzip: true,
      sync: true,
      portable: true,
      noMtime: true,
    } as const
    tar.create({ ...options, follow: true, noDirRecurse: true }, files.length > 0 ? files : ['.'])
    const bytes = readFileSync(file)
    const { createHash } = process.getBuiltinModule('node:crypto')
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32)
    packed.set(key, { hash, root, bytes })
    return { hash, root }
  } finally {
    rmSync(draft, { recursive: true })
  }
}

/** Gives a package to the cluster, unless this process has done so before. */
export function sendPackage(core: CoreWorker, { hash }: PackedFolder): void {
  const known = sent.get(core) ?? new Set()
  sent.set(core, known)
  const bytes = [...packed.values()].find((each) => each.hash === hash)?.bytes
  if (bytes === undefined || known.has(hash)) return
  known.add(hash)
  const count = Math.max(1, Math.ceil(bytes.length / packageChunkBytes))
  for (let index = 0; index < count; index++) {
    const chunk = bytes.subarray(index * packageChunkBytes, (index + 1) * packageChunkBytes)
    core.raylet.send({ kind: 'exportPackage', hash, index, count, bytes: chunk })
  }
}

/** Relative paths of all files that belong to the package, in order. */
function filesIn(root: string, excludes: readonly string[]): string[] {
  const ignore = load('ignore') as typeof ignoreModule
  const rules = ignore().add([...always, ...ignoredBy(root), ...excludes])
  const files: { readonly name: string; readonly bytes: number }[] = []
  walk({ root, rules, files, seen: new Set() }, '')
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
  if (total > packageBytesMax) throw tooLarge(root, total, files)
  return files.map(({ name }) => name).sort()
}

interface Walk {
  readonly root: string
  readonly rules: Ignore
  readonly files: { readonly name: string; readonly bytes: number }[]
  /** Real paths of the folders that are being walked through: links may lead in circles. */
  readonly seen: Set<string>
}

function walk(at: Walk, folder: string): void {
  const full = path.join(at.root, folder)
  const real = realpathSync(full)
  if (at.seen.has(real)) return
  at.seen.add(real)
  for (const entry of readdirSync(full).sort()) {
    const name = path.join(folder, entry)
    const stat = statSync(path.join(at.root, name), { throwIfNoEntry: false })
    if (stat?.isDirectory() === true) {
      if (!at.rules.ignores(`${name}/`)) walk(at, name)
    } else if (stat?.isFile() === true && !at.rules.ignores(name)) {
      at.files.push({ name, bytes: stat.size })
    }
  }
  at.seen.delete(real)
}

function ignoredBy(root: string): string[] {
  const file = path.join(root, '.gitignore')
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return []
  return readFileSync(file, 'utf8').split('\n')
}

function tooLarge(
  root: string,
  total: number,
  files: readonly { readonly name: string; readonly bytes: number }[],
): RuntimeEnvSetupError {
  const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`
  const largest = [...files].sort((a, b) => b.bytes - a.bytes).slice(0, 5)
  const list = largest.map(({ name, bytes }) => `  ${name}: ${megabytes(bytes)}`).join('\n')
  return new RuntimeEnvSetupError(
    `The working folder ${root} has ${megabytes(total)} of files, and ` +
      `${megabytes(packageBytesMax)} can be sent to other machines. Name what they do not need ` +
      `in runtimeEnv.excludes or .gitignore. The largest are:\n${list}`,
    { fields: { folder: root, bytes: total } },
  )
}
