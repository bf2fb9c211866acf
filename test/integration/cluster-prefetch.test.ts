// Arguments come from other nodes while other tasks still run.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import * as ray from '../../src/index.js'
import { until } from '../../src/testing/index.js'
import { on, onNodes } from './on-nodes.js'
import { storeOf } from './store-rows.js'

/** A function that returns when the test says so, and says that it has begun. */
function gate(t: TestContext): {
  readonly open: () => void
  readonly begun: () => boolean
  readonly files: readonly [string, string]
} {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'gate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const files = [path.join(folder, 'begun'), path.join(folder, 'open')] as const
  return {
    files,
    open: () => writeFileSync(files[1], ''),
    begun: () => existsSync(files[0]),
  }
}

const MB = 1e6

/** Waits for the file `open`. Its argument is read before that, if it has one. */
async function passGate(
  [begun, open]: readonly [string, string],
  bytes?: Uint8Array,
): Promise<number> {
  const fs = await import('node:fs')
  fs.writeFileSync(begun, '')
  while (!fs.existsSync(open)) await new Promise((resolve) => setTimeout(resolve, 5))
  return bytes?.length ?? 0
}

const lengthOf = (bytes: Uint8Array): number => bytes.length

// Tasks that may not run twice stay with their owner when their request goes to another node.
for (const maxRetries of [3, 0]) {
  void test(`arguments of tasks that wait come meanwhile, maxRetries ${maxRetries}`, (t) =>
    onNodes(1, async (_nodes, [there = assert.fail()]) => {
      const { files, begun, open } = gate(t)
      const first = ray.remote(passGate).options(on(there)).remote(files)
      await until(begun)
      const refs = [1, 2].map((n) => ray.put(new Uint8Array(8 * MB).fill(n)))
      const length = ray.remote(lengthOf).options({ ...on(there), maxRetries })
      const lengths = refs.map((ref) => length.remote(ref))
      await until(async () => (await storeOf(there)).objects === 2)
      open()
      assert.deepEqual(await ray.get([first, ...lengths]), [0, 8 * MB, 8 * MB])
    }))
}

void test('arguments of calls that wait for their turn at an actor come while one runs', (t) =>
  onNodes(1, async (_nodes, [there = assert.fail()]) => {
    const { files, begun, open } = gate(t)
    class Counter {
      pass(): Promise<number> {
        return passGate(files)
      }
      length(bytes: Uint8Array): number {
        return bytes.length
      }
    }
    const actor = ray.remote(Counter).options(on(there)).remote()
    const first = actor.pass.remote()
    await until(begun)
    const byRef = actor.length.remote(ray.put(new Uint8Array(8 * MB)))
    const byValue = actor.length.remote(new Uint8Array(9 * MB))
    await until(async () => (await storeOf(there)).objects === 2)
    open()
    assert.deepEqual(await ray.get([first, byRef, byValue]), [0, 8 * MB, 9 * MB])
  }))

void test('no more comes ahead than the store has room for, and each task gets its own', (t) =>
  onNodes(
    1,
    async (_nodes, [there = assert.fail()]) => {
      const { files, begun, open } = gate(t)
      const first = ray.remote(passGate).options(on(there)).remote(files)
      await until(begun)
      const refs = Array.from({ length: 12 }, (_, n) => ray.put(new Uint8Array((8 + n) * MB)))
      const lengths = refs.map((ref) => ray.remote(lengthOf).options(on(there)).remote(ref))
      // Half of the store is for what comes from other nodes.
      await until(async () => (await storeOf(there)).usedBytes > 16 * MB)
      const { usedBytes, spilledBytesTotal } = await storeOf(there)
      assert.ok(usedBytes <= 32 * MB, String(usedBytes))
      assert.equal(spilledBytesTotal, 0)
      open()
      const expected = refs.map((_, n) => (8 + n) * MB)
      assert.deepEqual(await ray.get([first, ...lengths]), [0, ...expected])
    },
    { objectStoreMemory: 64 * MB },
  ))
