import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { type TestCluster, until, withCluster } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import { collectGarbage, rejection } from './in-cluster.js'

// An object larger than the whole store lives in a file of its own: the file is there exactly as
// long as the object is.
const options = { numCpus: 2, objectStoreMemory: 10e6 }
const large = (n: number): Uint8Array => new Uint8Array(20e6).fill(n)

async function gone({ spillFiles }: TestCluster): Promise<void> {
  const isGone = async () => {
    await collectGarbage()
    return spillFiles().length === 0
  }
  await until(isGone, { timeoutMs: 40_000, what: 'the object is gone' })
}

test('a ref inside a list keeps its object alive until the borrower has finished', () =>
  withCluster(options, async (cluster) => {
    const gate = ray
      .remote(
        class {
          #open: (() => void)[] = []
          pass() {
            return new Promise<void>((resolve) => this.#open.push(resolve))
          }
          open() {
            for (const go of this.#open) go()
            return this.#open.length
          }
        },
      )
      .options({ maxConcurrency: 2, numCpus: 0 })
      .remote()
    const borrow = ray.remote(async (refs: ray.ObjectRef<Uint8Array>[], g: [typeof gate]) => {
      await ray.get(g[0].pass.remote())
      return (await ray.get(refs[0]!))[7]
    })
    const result = borrow.remote([ray.put(large(3))], [gate])
    await collectGarbage()
    await until(async () => (await ray.get(gate.open.remote())) === 1)
    assert.equal(await ray.get(result), 3)
    await gone(cluster)
  }))

test('the same through five levels of nested tasks', () =>
  withCluster(options, async (cluster) => {
    const down = ray.remote(
      async (refs: ray.ObjectRef<Uint8Array>[], depth: number): Promise<number> => {
        if (depth === 0) return (await ray.get(refs[0]!))[7]!
        return ray.get(down.remote(refs, depth - 1))
      },
    )
    const result = down.remote([ray.put(large(5))], 5)
    await collectGarbage()
    assert.equal(await ray.get(result), 5)
    await gone(cluster)
  }))

test('a borrower that crashes gives back what it held', () =>
  withCluster(options, async (cluster) => {
    const crash = ray.remote(async (refs: ray.ObjectRef<Uint8Array>[]) => {
      await ray.get(refs[0]!)
      process.kill(process.pid, 'SIGKILL')
    })
    const error = await rejection(
      ray.get(crash.options({ maxRetries: 0 }).remote([ray.put(large(1))])),
    )
    assert.ok(error instanceof ray.WorkerCrashedError)
    await gone(cluster)
  }))

test('an outer object keeps the inner one alive, and dropping the outer frees it', () =>
  withCluster(options, async (cluster) => {
    await (async () => {
      const outer = ray.put([ray.put(large(9))])
      await collectGarbage()
      assert.ok(cluster.spillFiles().length > 0)
      const [inner] = await ray.get(outer)
      assert.equal((await ray.get(inner!))[3], 9)
    })()
    await gone(cluster)
  }))

test('a ref that a task returns stays alive as long as the result', () =>
  withCluster(options, async (cluster) => {
    await (async () => {
      const make = ray.remote((n: number) => [ray.put(new Uint8Array(20e6).fill(n))])
      const outer = make.remote(4)
      const inner = (await ray.get(outer))[0]!
      await collectGarbage()
      assert.equal((await ray.get(inner))[3], 4)
    })()
    await gone(cluster)
  }))

test('an actor that keeps a ref keeps the object, and dropping it frees it', () =>
  withCluster(options, async (cluster) => {
    const Keeper = ray.remote(
      class {
        kept: ray.ObjectRef<Uint8Array>[] = []
        keep(refs: ray.ObjectRef<Uint8Array>[]) {
          this.kept = refs
        }
        async read() {
          return (await ray.get(this.kept[0]!))[0]
        }
        drop() {
          this.kept = []
        }
      },
    )
    const keeper = Keeper.remote()
    await ray.get(keeper.keep.remote([ray.put(large(6))]))
    await collectGarbage()
    assert.equal(await ray.get(keeper.read.remote()), 6)
    await ray.get(keeper.drop.remote())
    await gone(cluster)
  }))

test('a ref captured by a function is borrowed as long as the function lives', () =>
  withCluster(options, async () => {
    const ref = ray.put(large(8))
    const read = ray.remote(async () => (await ray.get(ref))[1])
    assert.deepEqual(await ray.get([read.remote(), read.remote()]), [8, 8])
  }))

test('using releases a ref at the end of its block', () =>
  withCluster(options, async ({ spillFiles }) => {
    {
      using ref = ray.put(large(2))
      assert.equal(spillFiles().length, 1)
      assert.ok(ref.id.length > 0)
    }
    await until(() => spillFiles().length === 0)
  }))

test('results that nobody waits for are freed', () =>
  withCluster(options, async (cluster) => {
    const make = ray.remote(() => new Uint8Array(20e6))
    await (async () => {
      const refs = [make.remote(), make.remote()]
      await ray.wait(refs, { numReturns: 2 })
    })()
    await gone(cluster)
  }))

test('refs returned 200 deep unwrap', () =>
  withCluster(options, async () => {
    type Nested = number | [ray.ObjectRef<Nested>]
    const wrap = ray.remote((inner: [ray.ObjectRef<Nested>]): Nested => inner)
    let ref: ray.ObjectRef<Nested> = ray.put<Nested>(42) as ray.ObjectRef<Nested>
    for (let i = 0; i < 200; i++) ref = wrap.remote([ref]) as ray.ObjectRef<Nested>
    let value = await ray.get(ref)
    let depth = 0
    for (; Array.isArray(value); depth++) value = await ray.get(value[0])
    assert.deepEqual([value, depth], [42, 200])
  }))

test('a borrower waits for the retries of the task, and does not see its first failure', () =>
  withCluster(options, async () => {
    const flaky = ray
      .remote(() => {
        if (ray.getRuntimeContext().attempt < 2) throw new Error('not yet')
        return 'at last'
      })
      .options({ retryExceptions: true, maxRetries: 3 })
    const read = ray.remote(async (refs: ray.ObjectRef<string>[]) => ray.get(refs[0]!))
    assert.equal(await ray.get(read.remote([flaky.remote()])), 'at last')
  }))

test('the error of the last attempt at a call reaches a borrower while the owner computes', () =>
  withCluster(options, async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'typeray-references-'))
    const [last, computing, told] = ['last', 'computing', 'told'].map((name) =>
      path.join(folder, name),
    ) as [string, string, string]
    const Flaky = ray.remote(
      class {
        async fail(begun: string, go: string) {
          const fs = await import('node:fs')
          if (ray.getRuntimeContext().attempt < 1) throw new Error('first')
          fs.writeFileSync(begun, '')
          while (!fs.existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 5))
          throw new Error('last')
        }
      },
    )
    const actor = Flaky.options({ maxTaskRetries: 1 }).remote()
    const ref = actor.fail.options({ retryExceptions: true }).remote(last, computing)
    const read = ray.remote(async (refs: ray.ObjectRef[], file: string) => {
      const error: unknown = await ray.get(refs[0]!).catch((thrown: unknown) => thrown)
      const { writeFileSync } = await import('node:fs')
      writeFileSync(file, String((error as Error).cause))
    })
    const reading = read.remote([ref], told)
    await until(() => existsSync(last))
    // No turn of the event loop from here on: the owner can help nobody.
    writeFileSync(computing, '')
    for (const end = Date.now() + 30_000; !existsSync(told) && Date.now() < end;);
    assert.equal(existsSync(told), true)
    await reading.get()
    assert.match(readFileSync(told, 'utf8'), /last/)
    rmSync(folder, { recursive: true })
    await rejection(ref.get())
  }))

test('a task that has nothing but a ref can get and free its value', () =>
  withCluster(options, async () => {
    const read = ray.remote(async (refs: ray.ObjectRef<number>[]) => {
      const value = await refs[0]!.get({ timeoutMs: 60_000 })
      refs[0]!.free()
      const error: unknown = await refs[0]!.get().catch((thrown: unknown) => thrown)
      return [value, (error as Error).name]
    })
    assert.deepEqual(await ray.get(read.remote([ray.put(7)])), [7, 'ObjectFreedError'])
  }))

test('a pending ref that escapes is settled for its borrower', () =>
  withCluster(options, async () => {
    const slow = ray.remote(async (ms: number) => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      return 'done'
    })
    const read = ray.remote(async (refs: ray.ObjectRef<string>[]) => ray.get(refs[0]!))
    assert.equal(await ray.get(read.remote([slow.remote(200)])), 'done')
    const give = ray.remote(() => [slow.remote(200)])
    const [inner] = await ray.get(give.remote())
    assert.equal(await ray.get(inner!), 'done')
  }))

test('a process that has printed does not keep what it submitted before', () =>
  withCluster(options, async () => {
    const child = ray.remote({ numCpus: 0 }, () => 1)
    const Printer = ray.remote(
      class {
        ref: WeakRef<object> | null = null
        async print() {
          const ref = child.remote()
          this.ref = new WeakRef(ref)
          console.log(await ray.get(ref))
        }
        async isCollected() {
          const { setFlagsFromString } = await import('node:v8')
          const { runInNewContext } = await import('node:vm')
          setFlagsFromString('--expose-gc')
          const gc = runInNewContext('gc') as () => void
          for (let i = 0; i < 50 && this.ref?.deref() !== undefined; i++) {
            await new Promise((resolve) => setImmediate(resolve))
            gc()
          }
          return this.ref?.deref() === undefined
        }
      },
    )
    const printer = Printer.remote()
    await ray.get(printer.print.remote())
    assert.equal(await ray.get(printer.isCollected.remote()), true)
  }))
