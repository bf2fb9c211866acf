// The architect: layers, cycles, sizes and bans, checked on every run.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkBans, checkTests } from './tidy/bans.js'
import { checkCycles } from './tidy/cycles.js'
import { checkDocstrings, doorsOf } from './tidy/docstrings.js'
import { checkExports } from './tidy/exports.js'
import { checkLayers } from './tidy/layers.js'
import { checkLockFile } from './tidy/lock-file.js'
import type { LockFile } from './tidy/lock-file.js'
import { checkSizes } from './tidy/sizes.js'
import { listFiles, parseSource, readSources } from './tidy/sources.js'
import type { Source, Violation } from './tidy/sources.js'
import { checkWords } from './tidy/words.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const binary = /\.(png|jpg|gif|ico|parquet|arrow|tgz|zip|gz)$/

function expectNone(violations: readonly Violation[]): void {
  if (violations.length > 0) assert.fail(`\n${violations.join('\n')}`)
}

const planted = (files: Record<string, string>): Source[] =>
  Object.entries(files).map(([file, text]) => parseSource(file, text))

describe('the repository', () => {
  const sources = readSources(root)

  test('has source files', () => {
    assert.ok(sources.some((source) => source.path.startsWith('src/base/')))
  })
  test('keeps its layers', () => expectNone(checkLayers(sources)))
  test('has no import cycles', () => expectNone(checkCycles(sources)))
  test('keeps files, lines and functions short', () => expectNone(checkSizes(sources)))
  test('decides without clock, chance or waiting', () => expectNone(checkBans(sources)))
  test('has no focused or unfinished tests', () => expectNone(checkTests(sources)))
  test('exports nothing that nobody imports', () => expectNone(checkExports(sources)))
  test('says of everything public what it is, with an example of how to use it', () => {
    const manifest = readFileSync(path.join(root, 'package.json'), 'utf8')
    const doors = doorsOf(JSON.parse(manifest) as { exports: Record<string, unknown> })
    expectNone(checkDocstrings(sources, doors))
  })
  test('has a complete lock file', () => {
    const text = readFileSync(path.join(root, 'package-lock.json'), 'utf8')
    expectNone(checkLockFile(JSON.parse(text) as LockFile))
  })
  test('has no files that a tool left behind', () => {
    // Only what would be committed counts; without git, as in a tarball, nothing would.
    const { stdout } = spawnSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
    const kept = /\.(ts|md|mjs|cjs|js|json|py|txt)$|(^|\/)(\.[a-z]+|LICENSE|run)$/
    const others = (stdout ?? '').split('\n').filter((file) => file !== '' && !kept.test(file))
    assert.deepEqual(others, [])
  })
  test('names no machine and leaves no notes to itself', () => {
    const files = listFiles(root).filter((file) => !binary.test(file))
    const texts = files.map((file) => ({
      path: file,
      text: readFileSync(path.join(root, file), 'utf8'),
    }))
    expectNone(checkWords(texts))
  })
})

describe('tidy', () => {
  test('sees a folder that reaches up, also by type and by import()', () => {
    const found = checkLayers(
      planted({
        'src/base/ids.ts': `import { get } from '../worker/get.js'`,
        'src/store/arena.ts': `import type { Get } from '../worker/get.js'`,
        'src/gcs/node-table.ts': `export const load = () => import('../worker/get.js')`,
        'src/worker/get.ts': `import { newId } from '../base/ids.js'`,
      }),
    )
    assert.deepEqual(found, [
      'src/base/ids.ts:1: base/ must not import worker/',
      'src/store/arena.ts:1: store/ must not import worker/',
      'src/gcs/node-table.ts:1: gcs/ must not import worker/',
    ])
  })

  test('lets a library see only the index of another folder', () => {
    const found = checkLayers(
      planted({
        'src/data/dataset.ts': `import '../ray/index.js'\nimport '../ray/remote.js'`,
        'src/ray/index.ts': '',
        'src/ray/remote.ts': '',
      }),
    )
    assert.deepEqual(found, ['src/data/dataset.ts:2: data/ may use only ray/index.ts'])
  })

  test('sees loose files, unknown folders, bad names and broken imports', () => {
    const found = checkLayers(
      planted({
        'src/loose.ts': '',
        'src/common/x.ts': '',
        'src/base/types.ts': '',
        'src/base/fooBar.ts': '',
        'src/base/ok.ts': `import './gone.js'`,
      }),
    )
    assert.equal(found.length, 5)
    assert.match(found.join('\n'), /cannot resolve \.\/gone\.js/)
  })

  test('sees a cycle of values and lets a cycle of types be', () => {
    const text = (type: string): Record<string, string> => ({
      'src/base/a.ts': `import ${type} { b } from './b.js'`,
      'src/base/b.ts': `import { a } from './a.js'`,
    })
    assert.equal(checkCycles(planted(text(''))).length, 1)
    assert.deepEqual(checkCycles(planted(text('type'))), [])
  })

  test('sees long files, lines and functions, deep nesting and many parameters', () => {
    const lines = (count: number): string => 'void 0\n'.repeat(count)
    const found = checkSizes(
      planted({
        'src/base/a.ts': lines(601),
        'src/base/b.ts': `// ${'-'.repeat(100)}\n// https://${'-'.repeat(100)}`,
        'src/base/c.ts': `const f = () => {\n${lines(69)}}`,
        'src/base/d.ts': `function g() { for (;;) for (;;) for (;;) for (;;) if (a) b() }`,
        'src/base/e.ts': `function h(a, b, c, d, e) {}`,
        'src/base/f.ts': `function i() { if (a) b(); else if (c) d(); else if (e) f() }`,
      }),
    )
    assert.deepEqual(
      found.map((each) => each.split(':')[0]),
      ['a', 'b', 'c', 'd', 'e'].map((name) => `src/base/${name}.ts`),
    )
  })

  test('sees what is public and not documented, through re-exports and in members', () => {
    const found = checkDocstrings(
      planted({
        'src/index.ts': `export { a, type B, C as D, E } from './ray/index.js'`,
        'src/ray/index.ts': `export { a } from './a.js'\nexport { type B, C, E } from './a.js'`,
        'src/ray/a.ts': [
          'export function a(): void {}',
          '/** Is. */ export interface B { x: number }',
          '/** Is. */ export class C { #y = 2; constructor() {} }',
          '/**\n * Is.\n * @example\n * new E()\n */',
          'export class E { m(): void {} }',
        ].join('\n'),
      }),
      ['src/index.ts'],
    )
    assert.deepEqual(found, [
      'src/ray/a.ts:1: a is public and has no docstring',
      'src/ray/a.ts:2: B.x is public and has no docstring',
      'src/ray/a.ts:3: D is public and has no @example',
      'src/ray/a.ts:9: E.m is public and has no docstring',
    ])
  })

  test('bans clocks, chance, timers and the console, in code and not in comments', () => {
    const text = `Date.now(); performance.now(); Math.random(); setTimeout(f); console.log(1)`
    const found = checkBans(
      planted({
        'src/gcs/kv.ts': `${text} // Date.now()`,
        'src/base/clock.ts': text,
        'src/worker/submitter.ts': `performance.now()`,
        'src/worker/lease-policy.ts': `performance.now()`,
      }),
    )
    const counts = found.map((each) => each.split(':')[0])
    assert.deepEqual(counts, [
      ...Array<string>(5).fill('src/gcs/kv.ts'),
      'src/worker/lease-policy.ts',
    ])
  })

  test('keeps waiting out of decisions and out of the top level', () => {
    const found = checkBans(
      planted({
        'src/raylet/lease-state.ts': `import 'node:fs'\nexport async function f() { await g() }`,
        'src/ray/init.ts': `await init()\nasync function g() { await h() }`,
      }),
    )
    assert.deepEqual(found, [
      'src/raylet/lease-state.ts:1: a decision must not import node:fs',
      'src/raylet/lease-state.ts:2: a decision is synchronous, no async',
      'src/raylet/lease-state.ts:2: a decision is synchronous, no await',
      'src/ray/init.ts:1: no top-level await, require() must work',
    ])
  })

  test('sees exports without a user once there is a public face', () => {
    const files = {
      'src/base/ids.ts': `export const used = 1\nexport function dead() {}\nexport type T = 1`,
      'src/base/bytes.ts': `export const all = 1`,
      'src/ray/index.ts': [
        `export { used } from '../base/ids.js'`,
        `import * as bytes from '../base/bytes.js'`,
      ].join('\n'),
    }
    assert.deepEqual(checkExports(planted(files)), [])
    assert.deepEqual(checkExports(planted({ ...files, 'src/index.ts': '' })), [
      'src/base/ids.ts:2: nobody imports dead',
    ])
  })

  test('sees notes to oneself and paths of one machine', () => {
    const note = ['TO', 'DO'].join('')
    const place = ['/wo', 'rk/main'].join('')
    const found = checkWords([
      { path: 'src/base/a.ts', text: `// ${note}: later` },
      { path: 'README.md', text: `cd ${place}` },
      { path: 'docs/ok.md', text: 'a todo list of network/work items' },
    ])
    assert.equal(found.length, 2)
  })
})
