import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { inCluster, rejection } from './in-cluster.js'

class MyError extends Error {
  readonly place: string

  constructor(message: string, place: string) {
    super(message)
    this.place = place
  }
}

const fail = ray.remote((): number => {
  throw new MyError('boom', 'here')
})

inCluster(
  'Errors',
  { numCpus: 2 },
  {
    async 'what was thrown is the cause, of its own class and with its fields'() {
      const error = await rejection(ray.get(fail.remote()))
      assert.ok(error instanceof ray.RayTaskError)
      assert.ok(error instanceof ray.RayError)
      assert.match(error.message, /MyError/)
      assert.match(error.message, /boom/)
      assert.ok(error.cause instanceof MyError)
      assert.equal(error.cause.place, 'here')
    },

    async 'an error about a value that cannot travel shows the line that passed it'() {
      const pending = Promise.resolve()
      const identity = ray.remote((value: unknown) => typeof value)
      const captures = ray.remote(() => pending)
      let deep: object = { pending }
      for (let i = 0; i < 20; i++) deep = { deep }
      for (const pass of [
        () => ray.put(deep),
        () => identity.remote(deep),
        () => captures.remote(),
      ]) {
        const error = await rejection(Promise.resolve().then((): unknown => pass()))
        assert.ok(error instanceof ray.SerializationError, String(error))
        const [frame] = (error.stack ?? '').split('\n').filter((line) => /^ +at /.test(line))
        assert.match(frame ?? '', /errors\.test/)
      }
    },

    async 'every ref of a task with several returns has the error'() {
      const refs = fail.options({ numReturns: 3 }).remote() as unknown as ray.ObjectRef[]
      assert.equal(refs.length, 3)
      for (const ref of refs) {
        const error = await rejection(ray.get(ref))
        assert.ok(error instanceof ray.RayTaskError)
        assert.ok(error.cause instanceof MyError)
      }
    },

    async 'an error two tasks deep can be caught as itself'() {
      const middle = ray.remote(async () => ray.get(fail.remote()))
      const outer = ray.remote(async () => ray.get(middle.remote()))
      let found: unknown = await rejection(ray.get(outer.remote()))
      while (found instanceof ray.RayTaskError) found = found.cause
      assert.ok(found instanceof MyError)
      assert.equal(found.place, 'here')
    },

    async 'an error passes through a chain of dependent tasks'() {
      const pass = ray.remote((x: number) => x)
      const error = await rejection(ray.get(pass.remote(pass.remote(fail.remote()))))
      assert.ok(error instanceof ray.RayTaskError)
      assert.ok(error.cause instanceof MyError)
    },

    async 'the stack shows the line of the function and that of the get'() {
      const error = (await rejection(ray.get(fail.remote()))) as Error & { cause: Error }
      assert.match(String(error.cause.stack), /errors\.test\.(ts|js):\d+/)
    },

    async 'what is not an Error is the cause as it is'() {
      for (const thrown of ['text', 42, null, undefined, { code: 7 }]) {
        const throws = ray.remote((value: unknown) => {
          throw value
        })
        const error = await rejection(ray.get(throws.remote(thrown)))
        assert.ok(error instanceof ray.RayTaskError, String(error))
        assert.deepEqual(error.cause, thrown)
      }
    },

    async 'an error that cannot be serialised still arrives and says so'() {
      const bad = ray.remote(() => {
        throw Object.assign(new Error('carries a socket'), { pending: new WeakMap() })
      })
      const error = await rejection(ray.get(bad.remote()))
      assert.ok(error instanceof ray.RayTaskError, String(error))
      assert.match(error.message, /carries a socket/)
      assert.match(error.message, /serializ|serialis|cannot be sent/i)
    },

    async 'a result that cannot be serialised is an error that names the path'() {
      const bad = ray.remote(() => ({ inside: [new WeakMap()] }))
      const error = await rejection(ray.get(bad.remote()))
      assert.ok(error instanceof ray.RayError, String(error))
      assert.match(error.message, /inside\[0\]/)
    },

    async 'get of a list fails at the first error without waiting for the rest'() {
      const never = ray.remote(async () => new Promise<number>(() => undefined))
      const pending = never.remote()
      const error = await rejection(ray.get([pending, fail.remote()]))
      assert.ok(error instanceof ray.RayTaskError)
      ray.cancel(pending, { force: true })
      assert.ok((await rejection(ray.get(pending))) instanceof ray.TaskCancelledError)
    },

    async 'a rejected promise is an error like a thrown one'() {
      const rejects = ray.remote(() => Promise.reject(new MyError('later', 'there')))
      const error = await rejection(ray.get(rejects.remote()))
      assert.ok(error instanceof ray.RayTaskError)
      assert.ok(error.cause instanceof MyError)
    },

    async 'retryExceptions runs a task again until it succeeds'() {
      const Count = ray.remote(
        class {
          n = 0
          next() {
            return ++this.n
          }
        },
      )
      const count = Count.remote()
      const flaky = ray.remote(async (c: typeof count) => {
        const n = await ray.get(c.next.remote())
        if (n < 3) throw new MyError(`attempt ${n}`, 'flaky')
        return [n, ray.getRuntimeContext().attempt]
      })
      const retried = flaky.options({ maxRetries: 5, retryExceptions: true })
      assert.deepEqual(await ray.get(retried.remote(count)), [3, 2])
    },

    async 'retryExceptions with classes retries these only'() {
      const options = { maxRetries: 2, retryExceptions: [MyError] }
      const attempts = ray.remote((kind: string) => {
        const { attempt } = ray.getRuntimeContext()
        if (attempt < 2) throw kind === 'mine' ? new MyError('x', 'y') : new TypeError('z')
        return attempt
      })
      assert.equal(await ray.get(attempts.options(options).remote('mine')), 2)
      const error = await rejection(ray.get(attempts.options(options).remote('other')))
      assert.ok(error instanceof ray.RayTaskError)
      assert.ok(error.cause instanceof TypeError)
    },

    async 'a failed ref that nobody reads is no unhandled rejection'() {
      fail.remote()
      fail.options({ numReturns: 2 }).remote()
      const [ready] = await ray.wait([fail.remote()])
      assert.equal(ready.length, 1)
    },
  },
)
