import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { create } from 'tar'
import { systemClock } from '../base/clock.js'
import { until } from '../testing/until.js'
import { PackageCache } from './package-cache.js'

/** A package with one file of 1000 bytes. */
function archive(folder: string, name: string): Buffer {
  const source = path.join(folder, `source-${name}`)
  mkdirSync(source)
  writeFileSync(path.join(source, 'file'), name.repeat(1000).slice(0, 1000))
  const file = path.join(folder, `${name}.tgz`)
  create({ cwd: source, file, gzip: true, sync: true }, ['file'])
  return readFileSync(file)
}

const hashOf = (name: string): string => name.repeat(32)

void test('the least recently used packages go, but not those in which workers run', async (t) => {
  const base = mkdtempSync(path.join(os.tmpdir(), 'package-cache-'))
  t.after(() => rmSync(base, { recursive: true }))
  const folder = path.join(base, 'packages')
  const fetched: string[] = []
  const cache = new PackageCache({
    clock: systemClock,
    folder,
    bytesMax: 2500,
    fetch: (hash) => {
      const name = hash[0] ?? ''
      fetched.push(name)
      const bytes = archive(mkdtempSync(path.join(base, 'made-')), name)
      queueMicrotask(() => cache.arrived({ kind: 'packageFound', hash, index: 0, count: 1, bytes }))
    },
  })
  const has = (name: string): boolean => existsSync(path.join(folder, hashOf(name), 'file'))
  const use = async (name: string): Promise<void> => {
    await cache.acquire(hashOf(name))
    assert.ok(has(name))
  }
  await use('a')
  await use('b')
  cache.release(hashOf('a'))
  cache.release(hashOf('b'))
  // It is used again, so that the other is the oldest.
  await use('a')
  cache.release(hashOf('a'))
  assert.deepEqual(fetched, ['a', 'b'])
  await use('c')
  await until(() => !has('b'))
  assert.ok(has('a') && has('c'))
  await use('b')
  await until(() => !has('a'))
  await use('d')
  // All of these are in use, which is more than there should be.
  assert.deepEqual(readdirSync(folder).sort(), ['b', 'c', 'd'].map(hashOf))
  cache.release(hashOf('c'))
  await until(() => !has('c'))
  assert.deepEqual(fetched, ['a', 'b', 'c', 'b', 'd'])
  await cache.close()
  assert.ok(!existsSync(folder))
})
