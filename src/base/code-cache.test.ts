import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { keepCode, loadBundle } from './code-cache.js'

let folder = ''
let bundle = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'code-'))
  bundle = path.join(folder, 'bundle.cjs')
  writeFileSync(bundle, 'exports.answer = () => 42; exports.path = require("node:path")')
})
afterEach(() => rmSync(folder, { recursive: true }))

const cache = (): string => path.join(folder, 'cache', 'typeray-code')
const files = (): string[] => (existsSync(cache()) ? readdirSync(cache()) : [])
const written = (): string => path.join(cache(), files()[0] ?? 'none')

/** Loads the bundle in a process of its own, and says what it answers. */
function answer(flags: readonly string[] = [], variables: Record<string, string> = {}): string {
  const module = JSON.stringify(new URL('code-cache.js', import.meta.url).href)
  const program =
    `const { loadBundle } = await import(${module});` +
    `console.log(loadBundle(${JSON.stringify(bundle)}, 'driver').answer())`
  const env = { ...process.env, NODE_COMPILE_CACHE: path.join(folder, 'cache'), ...variables }
  const args = [...flags, '--input-type=module', '--eval', program]
  return execFileSync(process.execPath, args, { env, encoding: 'utf8' }).trim()
}

test('evaluates a bundle once, with a require that works', () => {
  const first = loadBundle(bundle, 'driver') as { answer(): number; path: unknown }
  keepCode()
  assert.equal(first.answer(), 42)
  assert.equal(first.path, path)
  assert.equal(loadBundle(bundle, 'driver'), first)
})

test('keeps the code of a process, which the next one takes as it is', () => {
  assert.equal(answer(), '42')
  const { ino, mtimeMs } = statSync(written())
  assert.equal(answer(), '42')
  assert.deepEqual(files().length, 1)
  assert.deepEqual(
    { ino: statSync(written()).ino, mtimeMs: statSync(written()).mtimeMs },
    { ino, mtimeMs },
  )
})

test('gives each version of a bundle and each set of flags code of its own', () => {
  answer()
  answer(['--stack-size=2000'])
  assert.equal(files().length, 2)
  writeFileSync(bundle, 'exports.answer = () => 43; exports.path = undefined')
  assert.equal(answer(), '43')
  assert.equal(files().length, 3)
})

test('replaces code that was not written to its end', () => {
  answer()
  const whole = readFileSync(written()).length
  truncateSync(written(), whole - 20)
  assert.equal(answer(), '42')
  assert.equal(readFileSync(written()).length, whole)
})

test('keeps no code where others could put theirs, and none when told so', () => {
  answer([], { NODE_DISABLE_COMPILE_CACHE: '1' })
  assert.deepEqual(files(), [])
  answer()
  rmSync(written())
  chmodSync(cache(), 0o777)
  assert.equal(answer(), '42')
  assert.deepEqual(files(), [])
})

test('compiles as ever where no folder can be made', () => {
  const file = path.join(folder, 'file')
  writeFileSync(file, '')
  assert.equal(answer([], { NODE_COMPILE_CACHE: file }), '42')
})
