// A store that cannot have the memory or the disk that it wants.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { cpusAreFree, storeIsEmpty, withMark, withSession } from './fault-session.js'

const library = new URL('../../src/index.js', import.meta.url).href
const mb = 1024 * 1024

/** Runs the body with a folder of its own small disk; undefined where that is not allowed. */
async function withSmallDisk(
  bytes: number,
  run: (folder: string) => Promise<void>,
): Promise<boolean> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'fault-disk-'))
  const args = ['-t', 'tmpfs', '-o', `size=${bytes}`, 'fault', folder]
  const isMounted = spawnSync('mount', args).status === 0
  try {
    if (isMounted) await run(folder)
  } finally {
    if (isMounted) spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  }
  return isMounted
}

test('a put against a full store and a full disk fails, and the session goes on', async (t) => {
  const isDone = await withSmallDisk(24 * mb, async (disk) => {
    const spill = path.join(disk, 'spill')
    mkdirSync(spill)
    await withSession({ objectStoreMemory: 32 * mb, objectSpillingDirectory: spill }, async () => {
      const refs: ray.ObjectRef<Uint8Array>[] = []
      let error: unknown
      for (let i = 0; i < 40 && error === undefined; i++) {
        try {
          refs.push(ray.put(new Uint8Array(4 * mb).fill(i)))
        } catch (thrown) {
          error = thrown
        }
      }
      assert.ok(
        error instanceof ray.OutOfDiskError || error instanceof ray.ObjectStoreFullError,
        String(error),
      )
      assert.ok(error.message.includes(spill), error.message)
      assert.ok(refs.length >= 7, `${refs.length} objects fit`)
      assert.deepEqual(await firstBytes(refs), [...refs.keys()], 'what was stored is all there')

      const make = ray.remote({ maxRetries: 0 }, (n: number) => new Uint8Array(n).fill(1))
      const failure = await ray.get(make.remote(20 * mb)).catch((thrown: unknown) => thrown)
      const cause = failure instanceof ray.RayTaskError ? failure.cause : failure
      assert.ok(
        cause instanceof ray.OutOfDiskError || cause instanceof ray.ObjectStoreFullError,
        String(failure),
      )
      assert.ok(cause.message.includes(spill), cause.message)

      ray.free(refs.splice(0))
      await storeIsEmpty()
      assert.deepEqual(await firstBytes([make.remote(20 * mb)]), [1])
      assert.deepEqual(await firstBytes([ray.put(new Uint8Array(20 * mb).fill(9))]), [9])
      await cpusAreFree()
    })
  })
  if (!isDone) t.skip('mounting a small disk needs more rights')
})

/** In a function of its own, so that the views do not live on in a variable. */
async function firstBytes(
  refs: readonly ray.ObjectRef<Uint8Array>[],
): Promise<(number | undefined)[]> {
  return (await ray.get(refs)).map((value) => value[0])
}

test('an object larger than everything says so', async (t) => {
  const isDone = await withSmallDisk(8 * mb, async (disk) => {
    await withSession({ objectStoreMemory: 8 * mb, objectSpillingDirectory: disk }, () => {
      assert.throws(
        () => ray.put(new Uint8Array(64 * mb)),
        (error: unknown) => {
          assert.ok(error instanceof ray.ObjectStoreFullError, String(error))
          assert.match(error.message, /larger than everything/)
          assert.ok(error.message.includes(disk), error.message)
          return true
        },
      )
      return Promise.resolve()
    })
  })
  if (!isDone) t.skip('mounting a small disk needs more rights')
})

test('an object store larger than the machine is refused', async () => {
  await withMark(async () => {
    const objectStoreMemory = 2 * os.totalmem()
    const error = await ray.init({ objectStoreMemory }).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof ray.SessionError, String(error))
    assert.match(error.message, new RegExp(`objectStoreMemory of ${objectStoreMemory}`))
    assert.equal(ray.isInitialized(), false)
  })
})

test('a spill folder that cannot be made is named', async () => {
  await withMark(async () => {
    const error = await ray
      .init({ objectSpillingDirectory: '/dev/null/spill', objectStoreMemory: 8 * mb })
      .catch((thrown: unknown) => thrown)
    assert.ok(error instanceof ray.SessionError, String(error))
    assert.match(error.message, /The spill folder \/dev\/null\/spill cannot be made/)
  })
})

interface Limited {
  readonly kilobytes: number
  readonly options: string
  readonly body: string
}

async function runLimited({ kilobytes, options, body }: Limited): Promise<string> {
  let said = ''
  await withMark(({ environment }) => {
    const program = `import * as ray from ${JSON.stringify(library)}
      try { await ray.init({ numCpus: 1, ${options} }); ${body} }
      catch (error) { console.log(error.name, error.message) }`
    const command = `ulimit -f ${kilobytes}; exec "$0" --input-type=module --eval "$1"`
    const args = ['-c', command, process.execPath, program]
    const result = spawnSync('bash', args, { env: environment, encoding: 'utf8', timeout: 90_000 })
    said = result.stdout
    assert.equal(result.status, 0, `${result.stdout}\n${result.stderr}`)
    return Promise.resolve()
  })
  return said
}

test('a limit on file sizes below what was asked for is an error that says so', async () => {
  const said = await runLimited({
    kilobytes: 65_536,
    options: 'objectStoreMemory: 128e6',
    body: '',
  })
  assert.match(said, /SessionError objectStoreMemory of 128000000 .*67108864/)
})

test('under a limit on file sizes the store is smaller, and says what does not fit', async () => {
  const said = await runLimited({
    kilobytes: 32_768,
    options: '',
    body: `
      const refs = Array.from({ length: 12 }, (_, i) => ray.put(new Uint8Array(5e6).fill(i)))
      const values = await ray.get(refs)
      console.log(values.every((value, i) => value[0] === i))
      try { ray.put(new Uint8Array(80e6)) } catch (error) { console.log(error.name, error.message) }
      console.log(await ray.get(ray.remote(() => 'alive').remote()))`,
  })
  assert.match(said, /^true\n(OutOfDiskError|ObjectStoreFullError) .*\nalive\n$/)
})

test('a limit on file sizes that leaves no room for any store is named', async () => {
  const said = await runLimited({ kilobytes: 512, options: '', body: '' })
  assert.match(said, /SessionError .*(524288|file size)/)
})
