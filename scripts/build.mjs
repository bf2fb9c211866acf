// Turns every TypeScript file of the repository into JavaScript below dist/, one file to one file,
// in about a tenth of a second. Types are checked elsewhere (`npm run types`); declarations are
// written by tsc when the package is packed.
//
// The doors of the core and the entries of its processes are then bundled over their files, see
// `bundle.mjs`.
//
// Files are overwritten in place and orphans removed afterwards: a program that runs from dist/
// never finds its folder gone.
import { mkdirSync, readdirSync, rmSync, existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build } from 'esbuild'
import { bundle } from './bundle.mjs'
import {
  cacheFolder,
  fingerprintFile,
  isMain,
  root,
  sourceFingerprint,
  sourceFolders,
  sourcesBelow,
} from './sources.mjs'

const outputEnding = /(\.c?js|\.c?js\.map|\.d\.ts)$/

function outputsBelow(dir) {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && outputEnding.test(entry.name))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
}

/** Removes outputs whose source is gone, so that a deleted test does not keep on passing. */
function removeOrphans(sources) {
  const known = new Set(sources.map((file) => path.relative(root, file).replace(/\.tsx?$/, '')))
  for (const folder of sourceFolders) {
    for (const file of outputsBelow(path.join(root, 'dist', folder))) {
      const source = path.relative(path.join(root, 'dist'), file).replace(outputEnding, '')
      if (!known.has(source)) rmSync(file)
    }
  }
}

export async function buildAll() {
  const fingerprint = sourceFingerprint()
  const entryPoints = sourceFolders.flatMap((folder) => sourcesBelow(path.join(root, folder)))
  await build({
    entryPoints,
    outdir: path.join(root, 'dist'),
    outbase: root,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  })
  removeOrphans(entryPoints)
  await bundle()
  mkdirSync(cacheFolder, { recursive: true })
  writeFileSync(fingerprintFile, fingerprint)
}

if (isMain(import.meta.url)) await buildAll()
