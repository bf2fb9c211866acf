// Where things are in the checkout, and whether the build is of the present sources.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
export const sourceFolders = ['src', 'test', 'bench', 'examples']
export const cacheFolder = path.join(root, 'dist', '.cache')
export const fingerprintFile = path.join(cacheFolder, 'build-fingerprint')

/** Files below `dir` that the build looks at; fixtures are data. */
export function sourcesBelow(dir) {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(dir, entry.name)
    if (entry.isDirectory()) return entry.name === 'fixtures' ? [] : sourcesBelow(file)
    return /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [file] : []
  })
}

/** Changes when a source file, or the way it is built, changes. */
export function sourceFingerprint() {
  const files = sourceFolders.flatMap((folder) => sourcesBelow(path.join(root, folder)))
  const hash = createHash('sha256')
  const builders = ['build.mjs', 'bundle.mjs'].map((name) => path.join(root, 'scripts', name))
  for (const file of [...files, ...builders]) {
    const { mtimeMs, size } = statSync(file)
    hash.update(`${path.relative(root, file)} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex')
}

/** True in the file that Node was started with. */
export function isMain(url) {
  return process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === url
}
