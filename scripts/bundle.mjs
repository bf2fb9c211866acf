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
// Datasets are a bundle of their own, with Apache Arrow in it: 380 modules otherwise. Their functions
// run in workers by reference, as exports of the bundle. Other libraries are not bundled, and run by
// reference to their modules as they are written.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { tokenizer, tokTypes } from 'acorn'
import { build } from 'esbuild'
import { root, sourcesBelow } from './sources.mjs'

const doors = ['src/index.ts', 'src/ray/index.ts', 'src/state/index.ts']
/** Datasets have a bundle of their own, in which all of their modules are. */
const ofData = /^src\/data\//
const dataDoor = 'src/data/index.ts'
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

/** Packages stay outside, but for those that every process with such a bundle needs. */
function packagesBut(inside) {
  return {
    name: 'packages',
    setup({ onResolve }) {
      onResolve({ filter: /^[^./]/ }, ({ path: name, kind }) =>
        kind === 'entry-point' || inside.test(name) ? undefined : { external: true },
      )
    },
  }
}

const rayDoor = 'src/ray/index.ts'

/**
 * Datasets reach the core by its door alone: variables, as imports are, so that functions that are
 * sent to workers have references to what they use of it.
 */
const coreDoor = (names) => ({
  name: 'core door',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/ray\/index\.js$/ }, () => ({ path: 'core', namespace: 'core door' }))
    onResolve({ filter: /\/core-entry\.cjs$/ }, ({ path: name }) => ({
      path: name,
      external: true,
    }))
    onLoad({ filter: /.*/, namespace: 'core door' }, () => ({
      contents:
        `import{core}from'./core-entry.cjs';` +
        `export const{${names.join(',')}}=core[${JSON.stringify(rayDoor)}]`,
    }))
  },
})

const inCore = {
  plugins: [packagesBut(/^msgpackr/)],
  notice: 'Contains msgpackr, (c) Kris Zyp, MIT licence: see licences/msgpackr.txt.',
}
/** Arrow without what ties it to streams of Node, which keeps twice as much of it. */
const plainArrow = {
  name: 'plain Arrow',
  setup({ onResolve }) {
    const file = path.join(root, 'node_modules', 'apache-arrow', 'Arrow.mjs')
    onResolve({ filter: /^apache-arrow$/ }, () => ({ path: file, sideEffects: false }))
  },
}
const inData = (names) => ({
  plugins: [coreDoor(names), plainArrow, packagesBut(/^(flatbuffers|tslib)$/)],
  notice:
    'Contains Apache Arrow, (c) The Apache Software Foundation, and FlatBuffers, (c) Google Inc., ' +
    'Apache License 2.0, and tslib, (c) Microsoft Corporation, 0BSD: see licences/.',
})

function writeCommonJs(name, contents, { plugins, notice } = inCore) {
  return write({
    stdin: { contents, resolveDir: root, sourcefile: `${name}.ts`, loader: 'ts' },
    outfile: path.join(root, 'dist', 'src', 'chunks', `${name}.cjs`),
    format: 'cjs',
    plugins,
    define: { 'import.meta.url': 'ownUrl' },
    banner: {
      js: `/* ${notice} */\n` + `const ownUrl=require('node:url').pathToFileURL(__filename).href;`,
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

/** An ES module that exports what is in the core, or in the bundle of datasets. */
function facade(file, names, isDoor) {
  const bundle = ofData.test(file) ? 'data' : 'core'
  const chunks = path.relative(path.dirname(file), 'src/chunks').replace(/^(?!\.)/, './')
  return [
    "import{createRequire}from'node:module'",
    ...(isDoor ? ["import*as door from'./index.js'"] : []),
    'const require=createRequire(import.meta.url)',
    'let entry',
    `try{entry=require.resolve('${chunks}/core-entry.cjs')}`,
    `catch{throw new Error(${JSON.stringify(swallowed)})}${silentMark}`,
    'const{core}=require(entry)',
    ...(bundle === 'data' ? [`const{data}=require('${chunks}/data-entry.cjs')`] : []),
    `export const{${names.join(',')}}=${bundle}[${JSON.stringify(file)}]`,
    ...(isDoor ? ['core.rememberDoor(import.meta.url,door)'] : []),
    '',
  ].join('\n')
}

const loading = (bundle, kind) =>
  `require('../chunks/code-cache.cjs').loadBundle(require.resolve('../chunks/${bundle}.cjs')` +
  `${kind === undefined ? '' : `,'${kind}'`})`

const entries = {
  'src/worker/worker-main.cjs':
    `${loading('core', 'worker')}.core.startWorker(` +
    `require('../chunks/code-cache.cjs').keepCode)\n`,
  'src/node/node-main.cjs': `${loading('node', 'node')}\n`,
  'src/node/gcs-main.cjs': `${loading('gcs', 'gcs')}\n`,
  // In a worker it is loaded already.
  'src/chunks/core-entry.cjs': `exports.core=${loading('core', 'driver')}.core\n`,
  'src/chunks/data-entry.cjs':
    `const{data}=${loading('data')}\n` +
    'exports.data=data\n' +
    `const{core}=require('./core-entry.cjs')\n` +
    `core.rememberModules(__filename,['data'],data)\n` +
    `core.rememberModules(require.resolve('./core-entry.cjs'),['core'],` +
    `{'${rayDoor}':core['${rayDoor}']})\n`,
}

async function writePrograms(names) {
  const resolve = (file) =>
    doors.includes(file)
      ? { path: `../${path.relative('src', file).replace(/\.ts$/, '.js')}`, external: true }
      : { path: file, namespace: 'core', pluginData: facade(file, names.get(file), false) }
  await write(asPrograms(resolve))
}

/** Code that exports several modules as one object, by the names of their files. */
function tableOf(name, modules, more = []) {
  const imports = modules.map((file, i) => `import * as m${i} from './${file}'`)
  const table = modules.map((file, i) => `${JSON.stringify(file)}: m${i}`)
  return [...imports, `export const ${name} = { ${[...more, ...table].join(', ')} }`]
}

function modulesOfData() {
  const files = sourcesBelow(path.join(root, 'src', 'data'))
  return files.map((file) => path.relative(root, file)).filter((file) => !/\.test\.ts$/.test(file))
}

/** What the licences of bundled libraries ask to be given along. */
const licences = {
  msgpackr: ['LICENSE'],
  'apache-arrow': ['NOTICE.txt', 'LICENSE.txt'],
  flatbuffers: ['LICENSE'],
  tslib: ['LICENSE.txt'],
}

function writeLicences() {
  const folder = path.join(root, 'dist', 'src', 'chunks', 'licences')
  mkdirSync(folder, { recursive: true })
  for (const [name, files] of Object.entries(licences)) {
    const texts = files.map((file) =>
      readFileSync(path.join(root, 'node_modules', name, file), 'utf8'),
    )
    writeFileSync(path.join(folder, `${name}.txt`), texts.join('\n'))
  }
}

export async function bundle() {
  const modules = [...new Set([...doors, ...(await modulesOfCore())])]
  const dataModules = modulesOfData()
  const names = await namesOf([...modules, ...dataModules])
  const core = [
    "import { startWorker } from './src/worker/worker-main.ts'",
    "import { rememberDoor, rememberModules } from './src/closure/index.ts'",
    ...tableOf('core', modules, ['startWorker', 'rememberDoor', 'rememberModules']),
  ]
  await Promise.all([
    writeCommonJs('core', core.join('\n')),
    // All of its modules: their functions and classes run in workers by reference.
    writeCommonJs('data', tableOf('data', dataModules).join('\n'), inData(names.get(rayDoor))),
    writeCommonJs('node', "import './src/node/node-main.ts'"),
    writeCommonJs('gcs', "import './src/node/gcs-main.ts'"),
    writeCommonJs('code-cache', "export * from './src/base/code-cache.ts'"),
    writePrograms(names),
  ])
  writeLicences()
  const texts = { ...entries }
  for (const file of [...doors, ...dataModules]) {
    const isDoor = file === dataDoor || doors.includes(file)
    texts[file.replace(/\.ts$/, '.js')] = facade(file, names.get(file), isDoor)
  }
  for (const [file, text] of Object.entries(texts)) {
    const output = path.join(root, 'dist', file)
    mkdirSync(path.dirname(output), { recursive: true })
    writeFileSync(output, text)
  }
}
