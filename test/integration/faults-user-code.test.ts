// What user code can do to the worker that runs it, and what its caller hears.

import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { cpusAreFree, storeIsEmpty, withSession } from './fault-session.js'

async function failureOf(ref: ray.ObjectRef): Promise<ray.RayError> {
  const error = await ray.get(ref).then(
    (value) => assert.fail(`it returned ${String(value)}`),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof ray.RayError, String(error))
  return error
}

const alive = ray.remote(() => 'alive')

async function sessionIsWell(): Promise<void> {
  assert.deepEqual(await ray.get([alive.remote(), alive.remote()]), ['alive', 'alive'])
  await cpusAreFree()
  await storeIsEmpty()
}

test('a task that ends its process says with which exit code', async () => {
  await withSession({}, async () => {
    for (const code of [0, 3, 255]) {
      const exit = ray.remote({ maxRetries: 0 }, (n: number) => {
        console.error(`leaving with ${n}`)
        process.exit(n)
      })
      const error = await failureOf(exit.remote(code))
      assert.ok(error instanceof ray.WorkerCrashedError, String(error))
      assert.equal(error.fields['exitCode'], code)
      assert.match(error.message, new RegExp(`exit code ${code}\\b`))
      assert.match(error.message, new RegExp(`leaving with ${code}`))
    }
    await sessionIsWell()
  })
})

test('a task that aborts its process says with which signal', async () => {
  await withSession({}, async () => {
    const abort = ray.remote({ maxRetries: 0 }, () => {
      process.abort()
    })
    const error = await failureOf(abort.remote())
    assert.ok(error instanceof ray.WorkerCrashedError, String(error))
    assert.equal(error.fields['signal'], 'SIGABRT')
    assert.match(error.message, /signal SIGABRT/)
    await sessionIsWell()
  })
})

test('what is thrown need not be an Error', async () => {
  await withSession({}, async () => {
    const raise = ray.remote((kind: string) => {
      const thrown: Record<string, unknown> = {
        string: 'plain words',
        undefined: undefined,
        null: null,
        number: 7,
        object: { why: 'fields' },
        bare: Object.assign(Object.create(null) as object, { why: 'no prototype' }),
        symbol: Symbol.for('odd'),
        function: () => 42,
      }
      throw thrown[kind]
    })
    const causes: Record<string, unknown> = {
      string: 'plain words',
      undefined: undefined,
      null: null,
      number: 7,
      object: { why: 'fields' },
    }
    for (const kind of [
      'string',
      'undefined',
      'null',
      'number',
      'object',
      'bare',
      'symbol',
      'function',
    ]) {
      const error = await failureOf(raise.remote(kind))
      assert.ok(error instanceof ray.RayTaskError, `${kind}: ${String(error)}`)
      if (kind in causes) assert.deepEqual(error.cause, causes[kind], kind)
      if (kind === 'string') assert.match(error.message, /plain words/)
      if (kind === 'object') assert.match(error.message, /fields/)
    }
    await sessionIsWell()
  })
})

test('an error that cannot travel arrives as its description', async () => {
  await withSession({}, async () => {
    const raise = ray.remote((kind: string) => {
      if (kind === 'socket') {
        throw Object.assign(new Error('holds a socket'), { socket: new net.Socket() })
      }
      if (kind === 'proxy') throw new Proxy(new Error('behind a proxy'), {})
      if (kind === 'hostile') {
        throw new Proxy({} as Error, {
          get: () => {
            throw new Error('hands off')
          },
        })
      }
      if (kind === 'field')
        throw Object.assign(new RangeError('big field'), { data: 'x'.repeat(1e6) })
      throw new TypeError(`starts well ${'y'.repeat(3e6)}`)
    })
    const says: Record<string, RegExp> = {
      socket: /holds a socket/,
      proxy: /behind a proxy|Proxy/,
      hostile: /./,
      field: /big field/,
      message: /starts well/,
    }
    for (const [kind, pattern] of Object.entries(says)) {
      const error = await failureOf(raise.remote(kind))
      assert.ok(error instanceof ray.RayTaskError, `${kind}: ${String(error).slice(0, 500)}`)
      assert.match(error.message, pattern, kind)
    }
    await sessionIsWell()
  })
})

test('a result that cannot travel fails its task and names the path', async () => {
  await withSession({}, async () => {
    const make = ray.remote((kind: string): unknown => {
      if (kind === 'promise') return { inside: [Promise.resolve(1)] }
      if (kind === 'socket') return { inside: [new net.Socket()] }
      if (kind === 'weak') return { inside: [new WeakMap()] }
      const ownKeys = (): never => {
        throw new Error('no keys')
      }
      return { inside: [new Proxy({}, { ownKeys })] }
    })
    for (const kind of ['promise', 'socket', 'weak', 'proxy']) {
      const error = await failureOf(make.remote(kind))
      const reason = error instanceof ray.RayTaskError ? error.cause : error
      assert.ok(reason instanceof Error, `${kind}: ${String(error)}`)
      assert.match(`${error.message} ${String(reason)}`, /inside/, kind)
    }
    await sessionIsWell()
  })
})

test('a function that never settles times out, and can be cancelled', async () => {
  await withSession({}, async () => {
    const never = ray.remote(() => new Promise<never>(() => undefined))
    const ref = never.remote()
    await assert.rejects(ray.get(ref, { timeoutMs: 200 }), ray.GetTimeoutError)
    ray.cancel(ref)
    await assert.rejects(ray.get(ref, { timeoutMs: 1000 }), ray.TaskCancelledError)
    await sessionIsWell()
  })
})

test('a function that fails outside of its promise crashes its worker, and only that', async () => {
  await withSession({}, async () => {
    const inTimer = ray.remote({ maxRetries: 0 }, async () => {
      setTimeout(() => {
        throw new RangeError('late trouble')
      }, 1)
      await new Promise(() => undefined)
    })
    const inPromise = ray.remote({ maxRetries: 0 }, async () => {
      void Promise.reject(new TypeError('nobody listens'))
      await new Promise(() => undefined)
    })
    const thrown = await failureOf(inTimer.remote())
    assert.ok(thrown instanceof ray.WorkerCrashedError, String(thrown))
    assert.match(thrown.message, /exit code \d+[^]*late trouble/)
    const rejected = await failureOf(inPromise.remote())
    assert.ok(rejected instanceof ray.WorkerCrashedError, String(rejected))
    assert.match(rejected.message, /exit code 1[^]*nobody listens/)
    await sessionIsWell()
  })
})

test('an actor whose method ends the process is dead, and says how', async () => {
  await withSession({}, async () => {
    const Frail = ray.remote(
      class {
        leave(code: number): void {
          console.error('actor leaves')
          process.exit(code)
        }
        hello(): string {
          return 'hello'
        }
      },
    )
    const frail = Frail.remote()
    assert.equal(await ray.get(frail.hello.remote()), 'hello')
    const error = await failureOf(frail.leave.remote(9))
    assert.ok(error instanceof ray.ActorDiedError, String(error))
    assert.match(error.message, /9[^]*actor leaves/)
    await assert.rejects(ray.get(frail.hello.remote()), ray.ActorDiedError)
    await sessionIsWell()
  })
})
