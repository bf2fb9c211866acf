// Bundles what is loaded at the start of a process: reading a hundred modules costs 50 ms, and
// every process pays it.
//
// The core, the node and the GCS are one CommonJS file each, in dist/src/chunks/, so that they can be
// loaded with the code that V8 compiled of them before (`src/base/code-cache.ts`) and without
// Node's loader of ES modules. The core is in programs and in workers; its doors (`typeray`,
// `typeray/state`) are small ES modules that export what is in it, so that a class is the same
// whichever way it was reached. The kit for tests and the command line are ES modules, which take
// from the core what has to be the same there and have copies of the rest.
//
// Libraries are not bundled: their functions run in workers by reference, which needs their modules
// as they are written.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { tokenizer, tokTypes } from 'acorn'
import { build } from 'esbuild'
import { root } from './sources.mjs'

const doors = ['src/index.ts', 'src/ray/index.ts', 'src/state/index.ts']
const programs = ['src/testing/index.ts', 'src/cli/cli-main.ts']
/** What programs and their tests must not have a copy of. */
const ofCore = /^src\/(ray|state|worker|closure)\//

// Node looks for it in the line that it would print above an error that nobody caught.
const silentMark = '//node-do-not-add-exception-line'

/**
 * Above an error that nobody caught Node prints the line that threw it: of a bundle, that tells a
 * user nothing. So lines that throw end with the comment that tells Node not to.
 */
function markThrowingLines(text, sourceType) {
  const tokens = [...tokenizer(text, { ecmaVersion: 'latest', sourceType, allowHashBang: true })]
  // Texts may go on in the next line.
  const broken = tokens.filter(({ start, end }) => text.slice(start, end).includes('\n'))
  const edits = new Map()
  for (const { type, start } of tokens) {
    if (type !== tokTypes._throw) continue
    const joined = []
    let end = text.indexOf('\n', start)
    while (broken.some((each) => each.start <= end && end < each.end)) {
      joined.push(end)
      end = text.indexOf('\n', end + 1)
    }
    // Lines that esbuild broke with a backslash become one; those after it keep their numbers.
    if (joined.some((at) => text[at - 1] !== '\\')) continue
    for (const at of joined) edits.set(at - 1, { to: at + 1, text: '' })
    edits.set(end, { to: end, text: silentMark + '\n'.repeat(joined.length) })
  }
  let marked = ''
  let from = 0
  for (const [at, edit] of [...edits].sort(([a], [b]) => a - b)) {
    marked += text.slice(from, at) + edit.text
    from = edit.to
  }
  return marked + text.slice(from)
}

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  // What remains is read by people now and then, in a stack; what goes is parsed at every start.
  minifyWhitespace: true,
  lineLimit: 120,
  // Without a pointer in the code: workers run with source maps enabled for the user's sake, and
  // Node would read and parse ours at every start.
  sourcemap: 'external',
  sourcesContent: false,
  logLevel: 'warning',
  metafile: true,
  absWorkingDir: root,
}

async function write(options) {
  const { metafile } = await build({ ...common, ...options })
  for (const output of Object.keys(metafile.outputs)) {
    if (!/\.c?js$/.test(output)) continue
    const file = path.join(root, output)
    const sourceType = output.endsWith('.cjs') ? 'script' : 'module'
    writeFileSync(file, markThrowingLines(readFileSync(file, 'utf8'), sourceType))
  }
}

/** Packages stay outside, but for the one that every process needs for its first message. */
const packages = {
  name: 'packages',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path: name, kind }) =>
      kind === 'entry-point' || name.startsWith('msgpackr') ? undefined : { external: true },
    )
  },
}

function writeCommonJs(name, contents) {
  return write({
    stdin: { contents, resolveDir: root, sourcefile: `${name}.ts`, loader: 'ts' },
    outfile: path.join(root, 'dist', 'src', 'chunks', `${name}.cjs`),
    format: 'cjs',
    plugins: [packages],
    define: { 'import.meta.url': 'ownUrl' },
    banner: {
      js:
        `/* Contains msgpackr, (c) Kris Zyp, MIT licence: see node_modules/msgpackr/LICENSE. */\n` +
        `const ownUrl=require('node:url').pathToFileURL(__filename).href;`,
    },
    // Node warns of import() in code that was compiled by itself.
    supported: { 'dynamic-import': false },
  })
}

/** The names that modules export, by module. */
async function namesOf(modules) {
  const { metafile } = await build({
    ...common,
    entryPoints: modules,
    outdir: 'dist',
    format: 'esm',
    packages: 'external',
    splitting: true,
    sourcemap: false,
    write: false,
  })
  const outputs = Object.values(metafile.outputs)
  return new Map(
    modules.map((name) => [name, outputs.find((each) => each.entryPoint === name).exports]),
  )
}

/** Modules of the core that the programs import. */
async function modulesOfCore() {
  const found = new Set()
  const note = (file) => {
    found.add(file)
    return { external: true }
  }
  await build({ ...common, ...asPrograms(note), sourcemap: false, write: false })
  return [...found].sort()
}

function asPrograms(resolve) {
  return {
    entryPoints: programs,
    outdir: 'dist',
    outbase: '.',
    format: 'esm',
    packages: 'external',
    splitting: true,
    chunkNames: 'src/chunks/[name]-[hash]',
    plugins: [
      {
        name: 'core',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^\./ }, ({ path: name, resolveDir, kind }) => {
            if (kind === 'entry-point') return undefined
            const file = path.relative(root, path.resolve(resolveDir, name.replace(/\.js$/, '.ts')))
            return doors.includes(file) || ofCore.test(file) ? resolve(file) : undefined
          })
          onLoad({ filter: /.*/, namespace: 'core' }, ({ pluginData }) => ({
            contents: pluginData,
            resolveDir: root,
          }))
        },
      },
    ],
  }
}

const swallowed =
  'typeray starts programs of its own and cannot be part of a bundle. ' +
  "Keep it external, as in 'esbuild --bundle --packages=external', or install it again."

/** An ES module that exports what is in the core. */
function facade(file, names, isDoor) {
  const from = `core[${JSON.stringify(file)}]`
  const chunks = file === 'src/index.ts' ? './chunks' : '../chunks'
  return [
    "import{createRequire}from'node:module'",
    ...(isDoor ? ["import*as door from'./index.js'"] : []),
    'const require=createRequire(import.meta.url)',
    'let entry',
    `try{entry=require.resolve('${chunks}/core-entry.cjs')}`,
    `catch{throw new Error(${JSON.stringify(swallowed)})}${silentMark}`,
    'const {core}=require(entry)',
    `export const{${names.join(',')}}=${from}`,
    ...(isDoor ? ['core.rememberDoor(import.meta.url,door)'] : []),
    '',
  ].join('\n')
}

const loading = (bundle, kind) =>
  `require('../chunks/code-cache.cjs').loadBundle(require.resolve('../chunks/${bundle}.cjs'),'${kind}')`

const entries = {
  'src/worker/worker-main.cjs':
    `${loading('core', 'worker')}.core.startWorker(` +
    `require('../chunks/code-cache.cjs').keepCode)\n`,
  'src/node/node-main.cjs': `${loading('node', 'node')}\n`,
  'src/node/gcs-main.cjs': `${loading('gcs', 'gcs')}\n`,
  // In a worker it is loaded already.
  'src/chunks/core-entry.cjs': `exports.core=${loading('core', 'driver')}.core\n`,
}

async function writePrograms(names) {
  const resolve = (file) =>
    doors.includes(file)
      ? { path: `../${path.relative('src', file).replace(/\.ts$/, '.js')}`, external: true }
      : { path: file, namespace: 'core', pluginData: facade(file, names.get(file), false) }
  await write(asPrograms(resolve))
}

export async function bundle() {
  const modules = [...new Set([...doors, ...(await modulesOfCore())])]
  const names = await namesOf(modules)
  const imports = modules.map((file, i) => `import * as m${i} from './${file}'`)
  const table = modules.map((file, i) => `${JSON.stringify(file)}: m${i}`)
  const core = [
    ...imports,
    "import { startWorker } from './src/worker/worker-main.ts'",
    "import { rememberDoor } from './src/closure/index.ts'",
    `export const core = { startWorker, rememberDoor, ${table.join(', ')} }`,
  ]
  await Promise.all([
    writeCommonJs('core', core.join('\n')),
    writeCommonJs('node', "import './src/node/node-main.ts'"),
    writeCommonJs('gcs', "import './src/node/gcs-main.ts'"),
    writeCommonJs('code-cache', "export * from './src/base/code-cache.ts'"),
    writePrograms(names),
  ])
  const texts = { ...entries }
  for (const file of doors) {
    texts[file.replace(/\.ts$/, '.js')] = facade(file, names.get(file), true)
  }
  for (const [file, text] of Object.entries(texts)) {
    const output = path.join(root, 'dist', file)
    mkdirSync(path.dirname(output), { recursive: true })
    writeFileSync(output, text)
  }
}
