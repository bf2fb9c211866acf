// Drivers without a file, drivers inside test runners, and what workers inherit of a driver's
// start.

import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import { tsxLoader } from '../closure/programs.js'
import {
  apiPrograms,
  type Ended,
  fixture,
  repository,
  runCommand,
  vitestCommand,
} from './driver-programs.js'

const node = process.execPath
const libSource = readFileSync(path.join(repository, 'test/closure/fixtures/lib.ts'), 'utf8')

/** Prints the execArgv and folder of a worker, and what preloads and conditions do there. */
const inspection = `
  const look = ray.remote(async () => ({
    execArgv: process.execArgv,
    cwd: process.cwd(),
    preloads: [globalThis.wasImported, globalThis.wasRequired],
    heapMb: require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20,
    chosen: (await import('conditional')).default,
  }))
  ray.get(look.remote()).then((seen) => console.log('@seen ' + JSON.stringify(seen)))
`

interface Seen {
  readonly execArgv: string[]
  readonly cwd: string
  readonly preloads: unknown[]
  readonly heapMb: number
  readonly chosen: string
}

function seenBy({ stdout, stderr }: Ended): Seen {
  const line = stdout.split('\n').find((text) => text.startsWith('@seen '))
  assert.ok(line, stdout + stderr)
  return JSON.parse(line.slice('@seen '.length)) as Seen
}

/** Vitest takes a package that is a link for source code of the project, and compiles it. */
function installCopy(modules: string): void {
  const target = path.join(modules, 'typeray')
  mkdirSync(path.join(target, 'dist'), { recursive: true })
  cpSync(path.join(repository, 'dist/src'), path.join(target, 'dist/src'), { recursive: true })
  cpSync(path.join(repository, 'package.json'), path.join(target, 'package.json'))
  symlinkSync(path.join(repository, 'node_modules'), path.join(target, 'node_modules'))
}

describe('a driver', { concurrency: 2 }, () => {
  const programs = apiPrograms()
  after(() => programs.remove())
  const cwd = programs.folder
  const imported = programs.write('imported.mjs', 'globalThis.wasImported = true')
  const required = programs.write('required.cjs', 'globalThis.wasRequired = true')
  programs.write(
    'node_modules/conditional/package.json',
    '{"name":"conditional","exports":{"special":"./special.cjs","default":"./plain.cjs"}}',
  )
  programs.write('node_modules/conditional/special.cjs', `module.exports = 'special'`)
  programs.write('node_modules/conditional/plain.cjs', `module.exports = 'plain'`)
  const file = programs.write('look.cjs', `const ray = require('typeray')\n${inspection}`)

  it('works as CommonJS given to --eval', async () => {
    const text = `const ray = require('typeray'), k = 3
      const f = ray.remote(async (x) => x * k + (await ray.get(ray.remote(() => k).remote())))
      ray.get(f.remote(4)).then((answer) => console.log('answer', answer, require('path').sep))`
    assert.match((await runCommand([node, '--eval', text], { cwd })).stdout, /answer 15 \//)
  })

  const moduleText = `import * as ray from 'typeray'
    import { sep } from 'node:path'
    const k = 3
    class Failed extends Error {}
    const f = ray.remote((x) => { if (x < 0) throw new Failed('x'); return x * k + sep })
    const error = await ray.get(f.remote(-1)).catch((e) => e)
    console.log('answer', await ray.get(f.remote(4)), error.cause instanceof Failed)`

  it('works as a module given to --eval', async () => {
    const command = [node, '--input-type=module', '--eval', moduleText]
    assert.match((await runCommand(command, { cwd })).stdout, /answer 12\/ true/)
  })

  it('works as a script given on standard input', async () => {
    const asModule = [node, '--input-type=module', '-']
    const { stdout } = await runCommand(asModule, { cwd, stdin: moduleText })
    assert.match(stdout, /answer 12\/ true/)
    const text = `const ray = require('typeray'), k = 3
      ray.get(ray.remote((x) => x * k).remote(4)).then((answer) => console.log('answer', answer))`
    assert.match((await runCommand([node], { cwd, stdin: text })).stdout, /answer 12/)
  })

  it('works inside node --test', async () => {
    const test = programs.write('runner/driver.test.mjs', fixture('node-test-driver.txt'))
    const { stdout } = await runCommand([node, '--test', test], { cwd })
    assert.match(stdout, /pass 2/)
    assert.match(stdout, /fail 0/)
  })

  it('works inside vitest', async () => {
    programs.write('vitest/driver.test.ts', fixture('vitest-driver.txt'))
    programs.write('vitest/lib.ts', libSource)
    programs.write('vitest/package.json', '{"type":"module"}')
    const root = path.join(cwd, 'vitest')
    installCopy(path.join(root, 'node_modules'))
    // By default a test has 5 s and a hook 10 s: on a busy machine that is too little.
    const patience = ['--testTimeout', '60000', '--hookTimeout', '60000']
    const command = [node, vitestCommand, 'run', '--root', root, ...patience]
    assert.match((await runCommand(command, { cwd: root })).stdout, /Tests +4 passed/)
  })

  it('gives its folder, preloads, conditions and heap size to its workers', async () => {
    const folder = path.dirname(programs.write('elsewhere/keep', ''))
    const options = [`--import=${imported}`, '--require', required, '-C', 'special']
    const command = [node, ...options, '--max-old-space-size=300', file]
    const seen = seenBy(await runCommand(command, { cwd: folder }))
    assert.deepEqual([seen.cwd, seen.preloads, seen.chosen], [folder, [true, true], 'special'])
    assert.ok(seen.heapMb < 500, String(seen.heapMb))
  })

  it('gives NODE_OPTIONS to its workers', async () => {
    const env = { NODE_OPTIONS: `--require ${required} --conditions=special` }
    const seen = seenBy(await runCommand([node, file], { cwd, env }))
    assert.deepEqual([seen.preloads, seen.chosen], [[null, true], 'special'])
  })

  it('keeps --eval, --inspect, --test and the like to itself', async () => {
    const text = `const ray = require('typeray')\n${inspection}`
    const own = ['--inspect=0', '--test-reporter=tap', '--trace-exit']
    const seen = seenBy(await runCommand([node, ...own, '--eval', text], { cwd }))
    assert.deepEqual([seen.execArgv, seen.chosen], [['--enable-source-maps'], 'plain'])
  })

  for (const kind of ['mjs', 'cjs', 'ts']) {
    it(`may not submit at the top level of an imported module (${kind})`, async () => {
      const isModule = kind !== 'cjs'
      const ray = isModule ? `import * as ray from 'typeray'` : `const ray = require('typeray')`
      const eager = `ray.remote(() => 1).remote()`
      const out = isModule ? 'export const twice = (x) => 2 * x' : 'exports.twice = (x) => 2 * x'
      programs.write(`eager/eager.${kind}`, `${ray}\n${out}\n${eager}\n`)
      const load = isModule ? `await import('./eager.${kind}')` : `require('./eager.cjs')`
      const main = programs.write(
        `eager/main.${kind}`,
        `${ray}\nasync function main() {
          const { twice } = ${load}
          try { await ray.get(ray.remote(twice).remote(4)) }
          catch (error) { console.log('refused', error.message) }
        }\nmain()\n`,
      )
      programs.write('eager/package.json', '{"type":"module"}')
      const command = kind === 'ts' ? [node, '--import', tsxLoader, main] : [node, main]
      const { stdout } = await runCommand(command, { cwd })
      assert.match(stdout, /refused.*task was submitted while a worker imports.*eager\./)
    })
  }
})
