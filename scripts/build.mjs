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
import { mkdirSync, readdirSync, readFileSync, rmSync, existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { tokenizer, tokTypes } from 'acorn'
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

// Node looks for it in the line that it would print above an error that nobody caught.
const silentMark = '//node-do-not-add-exception-line'

/**
 * Above an error that nobody caught Node prints the line that threw it: of a bundle, that tells a
 * user nothing. So lines that throw end with the comment that tells Node not to.
 */
function markThrowingLines(text) {
  const tokens = [...tokenizer(text, { ecmaVersion: 'latest', sourceType: 'module' })]
  // Texts may go on in the next line.
  const broken = tokens.filter(({ start, end }) => text.slice(start, end).includes('\n'))
  const ends = new Set()
  for (const { type, start } of tokens) {
    if (type !== tokTypes._throw) continue
    const end = text.indexOf('\n', start)
    if (!broken.some((each) => each.start <= end && end < each.end)) ends.add(end)
  }
  let marked = ''
  let from = 0
  for (const end of ends) {
    marked += text.slice(from, end) + silentMark
    from = end
  }
  return marked + text.slice(from)
}

async function bundleDoors() {
  const { metafile } = await build({
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
    metafile: true,
    absWorkingDir: root,
  })
  for (const output of Object.keys(metafile.outputs)) {
    if (!output.endsWith('.js')) continue
    const file = path.join(root, output)
    writeFileSync(file, markThrowingLines(readFileSync(file, 'utf8')))
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
  await bundleDoors()
  mkdirSync(cacheFolder, { recursive: true })
  writeFileSync(fingerprintFile, fingerprint)
}

if (isMain(import.meta.url)) await buildAll()
