// What a new user gets: the packed tarball in an empty folder, and the first program of the README.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { withGuide } from '../docs/guide.js'
import { missingLines } from '../docs/page-program.js'
import { Consumer, root } from './consumer.js'
import { asCommonJs, asModule, readProgram } from './readme.js'

const { program, output } = readProgram(readFileSync(path.join(root, 'README.md'), 'utf8'))
const expected = `${output.join('\n')}\n`

const typesProgram = `
import * as ray from 'typeray'
const square = ray.remote((x: number) => x * x)
export const four: Promise<number> = ray.get(square.remote(2))
// @ts-expect-error the result of square is a number
export const wrong: Promise<string> = ray.get(square.remote(2))
// @ts-expect-error square takes a number
square.remote('2')
`
const commonJsTypesProgram = `
import ray = require('typeray')
export const four: Promise<number> = ray.get(ray.remote((x: number) => x * x).remote(2))
`
const utilProgram = `
import * as ray from 'typeray'
import { mapUnordered, Queue } from 'typeray/util'
await ray.init({ numCpus: 1 })
const queue = new Queue(10, { actorOptions: { numCpus: 0 } })
for await (const _ of mapUnordered((x) => queue.put(x * x), [1, 2, 3]));
console.log((await queue.getNowaitBatch(3)).sort((a, b) => a - b))
await ray.shutdown()
`

function typesConfig(resolution: object, files: readonly string[]): string {
  const compilerOptions = {
    ...resolution,
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules', '@types')],
  }
  return JSON.stringify({ compilerOptions, files })
}

describe('the packed package', () => {
  const consumer = new Consumer()
  before(() => consumer.install())
  after(() => consumer.remove())

  test('holds what is published and nothing else', () => {
    const files = consumer.files()
    for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md', 'dist/src/index.d.ts']) {
      assert.ok(files.includes(name), `${name} is missing`)
    }
    for (const library of ['msgpackr', 'apache-arrow', 'flatbuffers', 'tslib']) {
      const licence = `dist/src/chunks/licences/${library}.txt`
      assert.ok(files.includes(licence), `the package contains ${library}, and not its licence`)
    }
    const strange = files.filter((name) => /\.test\.|\.map$|(^|\/)fixtures\//.test(name))
    assert.deepEqual(strange, [])
  })

  test('says in the README what its first program prints', () => {
    assert.ok(output.length >= 3, 'each console.log(...) is followed by a comment with its line')
  })

  test('runs the README as a module', async () => {
    consumer.write('readme.mjs', await asModule(program))
    assert.equal(await consumer.run('readme.mjs'), expected)
  })

  test('runs the README as TypeScript under tsx', async () => {
    consumer.write('readme.ts', program)
    assert.equal(await consumer.runTool('tsx/dist/cli.mjs', 'readme.ts'), expected)
  })

  test('runs the README as CommonJS', async () => {
    consumer.write('readme.cjs', await asCommonJs(program))
    assert.equal(await consumer.run('readme.cjs'), expected)
  })

  test('has a command that says what it does', async () => {
    const help = await consumer.run('node_modules/.bin/typeray', '--help')
    assert.match(help, /^Usage: typeray/)
    assert.match(help, /typeray start --head/)
  })

  test('can be required, and loads without starting anything', async () => {
    const text = `const ray = require('typeray'); console.log(typeof ray.remote, typeof ray.get)`
    assert.equal(await consumer.run('--eval', text), 'function function\n')
  })

  test('has types for Node resolution, in modules and in CommonJS', async () => {
    consumer.write('types.ts', typesProgram)
    consumer.write('types.cts', commonJsTypesProgram)
    consumer.write('readme-types.ts', program)
    const nodenext = { module: 'nodenext', moduleResolution: 'nodenext' }
    const files = ['types.ts', 'types.cts', 'readme-types.ts']
    consumer.write('nodenext.json', typesConfig(nodenext, files))
    assert.equal(await consumer.runTool('typescript/bin/tsc', '-p', 'nodenext.json'), '')
  })

  test('has the door typeray/util', async () => {
    consumer.write('util.mjs', utilProgram)
    assert.equal(await consumer.run('util.mjs'), '[ 1, 4, 9 ]\n')
  })

  test('runs the examples of the lectures', async () => {
    const built = path.join(root, 'dist', 'examples')
    const lectures = { iris: /^written: 60 rows/m, taxi: /^byExpressions: 6968 of 9000 trips$/m }
    for (const name of ['samples/iris.js', 'samples/trips.js']) {
      consumer.write(name, readFileSync(path.join(built, name), 'utf8'))
    }
    const printed = { ...lectures, 'prepare-for-model': /^8809 trips, mean tip 0\.973$/m }
    for (const [name, line] of Object.entries(printed)) {
      consumer.write(`${name}.js`, readFileSync(path.join(built, `${name}.js`), 'utf8'))
      assert.match(await consumer.run(`${name}.js`), line)
    }
  })

  test('runs every example of the guide to datasets', () =>
    withGuide(root, async ({ page, source, env }) => {
      consumer.write('guide.mjs', source)
      assert.deepEqual(missingLines(page, await consumer.runIn(env, 'guide.mjs')), [])
    }))

  test('has types for bundlers', async () => {
    consumer.write('types.ts', typesProgram)
    const bundler = { module: 'esnext', moduleResolution: 'bundler' }
    consumer.write('bundler.json', typesConfig(bundler, ['types.ts']))
    assert.equal(await consumer.runTool('typescript/bin/tsc', '-p', 'bundler.json'), '')
  })
})
