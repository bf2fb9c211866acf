// Turns every TypeScript file of the repository into JavaScript below dist/, one file to one file,
// in about a tenth of a second. Types are checked elsewhere (`npm run types`); declarations are
// written by tsc when the package is packed.
//
// The doors of the core and the entries of its processes are then bundled over their files: loading
// a hundred modules costs 50 ms, and every process pays it. What they share is in dist/src/chunks/,
// so that a class is the same through every door. Libraries are not bundled: their functions run in
// workers by reference, which needs their modules as they are written.
//
// Files are overwritten in place and orphans removed afterwards: a program that runs from dist/
// never finds its folder gone.
import { mkdirSync, readdirSync, rmSync, existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build } from 'esbuild'
import {
  cacheFolder,
  fingerprintFile,
  isMain,
  root,
  sourceFingerprint,
  sourceFolders,
  sourcesBelow,
} from './sources.mjs'

const outputEnding = /(\.js|\.js\.map|\.d\.ts)$/

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

const doors = [
  'src/index.ts',
  'src/ray/index.ts',
  'src/testing/index.ts',
  'src/state/index.ts',
  'src/node/node-main.ts',
  'src/node/gcs-main.ts',
  'src/worker/worker-main.ts',
  'src/cli/cli-main.ts',
]

async function bundleDoors() {
  await build({
    entryPoints: doors.map((file) => path.join(root, file)).filter((file) => existsSync(file)),
    outdir: path.join(root, 'dist'),
    outbase: root,
    bundle: true,
    splitting: true,
    chunkNames: 'src/chunks/[name]-[hash]',
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Without a pointer in the code: workers run with source maps enabled for the user's sake, and
    // Node would read and parse ours at every start.
    // What remains is read by people now and then, in a stack; what goes is parsed at every start.
    minifyWhitespace: true,
    lineLimit: 120,
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'warning',
  })
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
  await bundleDoors()
  mkdirSync(cacheFolder, { recursive: true })
  writeFileSync(fingerprintFile, fingerprint)
}

if (isMain(import.meta.url)) await buildAll()
