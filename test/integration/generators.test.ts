import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { until } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import { collectGarbage, inCluster, rejection } from './in-cluster.js'

const count = ray.remote(function* (n: number) {
  for (let i = 0; i < n; i++) yield i
})

const folder = mkdtempSync(path.join(os.tmpdir(), 'typeray-generators-'))
process.once('exit', () => rmSync(folder, { recursive: true }))

async function items<T>(refs: AsyncIterable<ray.ObjectRef<T>>): Promise<T[]> {
  const values: T[] = []
  for await (const ref of refs) values.push(await ref.get())
  return values
}

inCluster(
  'Generators',
  { numCpus: 2, objectStoreMemory: 30e6 },
  {
    async 'every item is a ref, in order'() {
      const stream = count.options({ numReturns: 'streaming' })
      assert.deepEqual(await items(stream.remote(5)), [0, 1, 2, 3, 4])
      assert.deepEqual(await items(stream.remote(0)), [])
      assert.equal((await items(stream.remote(5000))).length, 5000)
    },

    async 'asynchronous generators and plain iterables stream too'() {
      const slow = ray.remote(async function* (n: number) {
        for (let i = 0; i < n; i++) {
          await new Promise((resolve) => setTimeout(resolve, 1))
          yield { i }
        }
      })
      assert.deepEqual(await items(slow.options({ numReturns: 'streaming' }).remote(3)), [
        { i: 0 },
        { i: 1 },
        { i: 2 },
      ])
    },

    async 'an item is there before the next one is made'() {
      const waits = ray.remote(async function* (file: string) {
        yield 'first'
        const fs = await import('node:fs')
        while (!fs.existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 10))
        yield 'second'
      })
      const file = path.join(folder, 'go')
      const stream = waits.options({ numReturns: 'streaming' }).remote(file)
      const first = await stream.next()
      assert.equal(await first.value?.get(), 'first')
      writeFileSync(file, '')
      const second = await stream.next()
      assert.equal(await second.value?.get(), 'second')
      assert.equal((await stream.next()).done, true)
    },

    async 'a generator that is dropped is cancelled when it waits to be read'() {
      const made = path.join(folder, 'made')
      const ended = path.join(folder, 'dropped')
      const endless = ray.remote(async function* (files: { made: string; ended: string }) {
        const fs = await import('node:fs')
        try {
          for (let i = 0; ; i++) {
            fs.writeFileSync(files.made, String(i))
            yield i
          }
        } finally {
          fs.writeFileSync(files.ended, '')
        }
      })
      const options = { numReturns: 'streaming', generatorBackpressureNumObjects: 3 } as const
      const drop = (): void => void endless.options(options).remote({ made, ended })
      drop()
      await until(() => {
        void collectGarbage()
        return existsSync(ended)
      })
      assert.equal(readFileSync(made, 'utf8'), '2')
    },

    async 'a generator that somebody waits for is not dropped'() {
      const file = path.join(folder, 'late')
      const waits = ray.remote(async function* (go: string) {
        const fs = await import('node:fs')
        while (!fs.existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 10))
        yield 'late'
      })
      const first = waits.options({ numReturns: 'streaming' }).remote(file).next()
      for (let i = 0; i < 5; i++) await collectGarbage()
      writeFileSync(file, '')
      assert.equal(await (await first).value?.get(), 'late')
    },

    async 'the producer waits when its consumer does not read'() {
      const Progress = ray.remote(
        class {
          made = 0
          note(i: number) {
            this.made = i
          }
          read() {
            return this.made
          }
        },
      )
      const progress = Progress.options({ numCpus: 0 }).remote()
      const make = ray.remote(function* (p: [typeof progress]) {
        for (let i = 1; i <= 100; i++) {
          p[0].note.remote(i)
          yield i
        }
      })
      const options = { numReturns: 'streaming', generatorBackpressureNumObjects: 4 } as const
      const stream = make.options(options).remote([progress])
      await stream.next()
      await until(async () => (await ray.get(progress.read.remote())) >= 4)
      assert.ok((await ray.get(progress.read.remote())) <= 8)
      let read = 1
      for await (const ref of stream) {
        assert.equal(await ref.get(), ++read)
        const made = await ray.get(progress.read.remote())
        assert.ok(made <= read + 8, `${made} made, ${read} read`)
      }
      assert.equal(read, 100)
    },

    async 'items that are asked for at once come in order'() {
      const stream = count.options({ numReturns: 'streaming' }).remote(2)
      const steps = await Promise.all([stream.next(), stream.next(), stream.next()])
      const [first, second, last] = steps.map(({ value }) => value)
      assert.deepEqual([await first?.get(), await second?.get(), last], [0, 1, undefined])
    },

    async 'an error in the middle is the last item'() {
      const broken = ray.remote(function* () {
        yield 1
        yield 2
        throw new RangeError('no three')
      })
      const stream = broken.options({ numReturns: 'streaming' }).remote()
      assert.equal(await (await stream.next()).value?.get(), 1)
      assert.equal(await (await stream.next()).value?.get(), 2)
      const third = await stream.next()
      assert.equal(third.done, false)
      const error = await rejection(third.value!.get())
      assert.ok(error instanceof ray.RayTaskError, String(error))
      assert.ok(error.cause instanceof RangeError)
      assert.equal((await stream.next()).done, true)
    },

    async 'leaving the loop cancels the generator and runs its finally'() {
      const file = path.join(folder, 'cleaned')
      const endless = ray.remote(async function* (at: string) {
        const fs = await import('node:fs')
        try {
          for (let i = 0; ; i++) yield i
        } finally {
          fs.writeFileSync(at, '')
        }
      })
      const options = { numReturns: 'streaming', generatorBackpressureNumObjects: 2 } as const
      for await (const ref of endless.options(options).remote(file)) {
        if ((await ref.get()) === 3) break
      }
      await until(() => existsSync(file))
      assert.equal(await ray.get(ray.remote(() => 1).remote()), 1)
    },

    async 'large items go through the store and are freed when dropped'({ spillFiles }) {
      const make = ray.remote(function* (n: number) {
        for (let i = 0; i < n; i++) yield new Uint8Array(5e6).fill(i)
      })
      const options = { numReturns: 'streaming', generatorBackpressureNumObjects: 2 } as const
      let n = 0
      for await (const ref of make.options(options).remote(40)) {
        assert.equal((await ref.get())[9], n++)
        ref.free()
      }
      assert.equal(n, 40)
      await until(async () => {
        await collectGarbage()
        return spillFiles().length === 0
      })
    },

    async 'methods of actors stream too, also when the actor is killed'() {
      const Source = ray.remote(
        class {
          *numbers(n: number) {
            for (let i = 0; i < n; i++) yield i
          }
        },
      )
      const source = Source.remote()
      const stream = source.numbers.options({ numReturns: 'streaming' })
      assert.deepEqual(await items(stream.remote(3)), [0, 1, 2])
      const endless = stream.remote(1e9)
      assert.equal(await (await endless.next()).value?.get(), 0)
      ray.kill(source)
      let failure: unknown
      for await (const ref of endless) failure = await ref.get().catch((error: unknown) => error)
      assert.ok(failure instanceof ray.ActorDiedError, String(failure))
    },

    async 'an actor serves others when a consumer is killed in the middle of its stream'() {
      const Source = ray.remote(
        class {
          closed = false
          isClosed() {
            return this.closed
          }
          *numbers() {
            try {
              for (let i = 0; ; i++) yield i
            } finally {
              this.closed = true
            }
          }
        },
      )
      const source = Source.options({ numCpus: 0 }).remote()
      const consume = ray.remote({ maxRetries: 0 }, async (from: typeof source) => {
        const stream = from.numbers.options({ numReturns: 'streaming' }).remote()
        await (await stream.next()).value?.get()
        process.kill(process.pid, 'SIGKILL')
      })
      const error = await rejection(ray.get(consume.remote(source)))
      assert.ok(error instanceof ray.WorkerCrashedError, String(error))
      assert.equal(await ray.get(source.isClosed.remote(), { timeoutMs: 60_000 }), true)
    },

    async 'a generator that is given to a task by its refs'() {
      const refs: ray.ObjectRef<number>[] = []
      const stream = count.options({ numReturns: 'streaming' }).remote(10)
      for await (const ref of stream) refs.push(ref)
      const sum = ray.remote((...all: number[]) => all.reduce((a, b) => a + b, 0))
      assert.equal(await ray.get(sum.remote(...refs)), 45)
    },
  },
)
