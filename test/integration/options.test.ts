import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'

// Options are checked before anything runs: no session is needed, and none is started.
const f = ray.remote((x: number) => x)
const C = ray.remote(
  class {
    method() {
      return 1
    }
  },
)

function refused(
  how: () => unknown,
  name: string,
  kind: typeof TypeError | typeof RangeError,
): void {
  assert.throws(how, (error: unknown) => {
    assert.ok(error instanceof kind, String(error))
    assert.ok(error.message.includes(name), error.message)
    return true
  })
}

test('an unknown option is refused by name, for tasks and actors, when it is given', () => {
  refused(() => f.options({ numCpu: 1 } as object), 'numCpu', TypeError)
  refused(() => C.options({ maxRetries: 1 } as object), 'maxRetries', TypeError)
  refused(() => f.options({ lifetime: 'detached' } as object), 'lifetime', TypeError)
  refused(() => f.options({ num_cpus: 1 } as object), "Did you mean 'numCpus'?", TypeError)
  refused(() => C.options({ max_restart: 1 } as object), "Did you mean 'maxRestarts'?", TypeError)
  refused(() => ray.remote({ cpus: 1 } as object, (x: number) => x), 'cpus', TypeError)
})

test('an option that is no option here is refused by name, with the reason', () => {
  refused(() => C.options({ enableTaskEvents: 1 } as object), 'must be true or false', TypeError)
  refused(
    () => C.options({ methods: { method: { enableTaskEvents: 1 } } } as object),
    'must be true or false',
    TypeError,
  )
  refused(
    () => f.options({ resources: { objectStoreMemory: 1 } }),
    "'objectStoreMemory' inside 'resources' is an option of ray.init",
    TypeError,
  )
  refused(() => f.options({ enableTaskEvents: 1 } as object), 'must be true or false', TypeError)
})

test('bad values are refused when they are given', () => {
  refused(() => f.options({ numCpus: -1 }), 'numCpus', RangeError)
  refused(() => f.options({ numCpus: 'two' as unknown as number }), 'numCpus', TypeError)
  refused(() => f.options({ numCpus: 0.00001 }), 'numCpus', RangeError)
  refused(() => f.options({ numGpus: NaN }), 'numGpus', TypeError)
  refused(() => f.options({ resources: { CPU: 1 } }), 'numCpus', TypeError)
  refused(() => f.options({ resources: { a: -1 } }), 'resources.a', RangeError)
  refused(() => f.options({ maxRetries: -2 }), 'maxRetries', RangeError)
  refused(() => f.options({ numReturns: -1 }), 'numReturns', TypeError)
  refused(() => f.options({ numReturns: 'all' as 'streaming' }), 'numReturns', TypeError)
  refused(
    () => f.options({ retryExceptions: [1] as unknown as boolean }),
    'retryExceptions',
    TypeError,
  )
  refused(() => f.options({ name: '' }), 'name', TypeError)
  refused(() => C.options({ name: '' }), 'name', TypeError)
  refused(() => C.options({ namespace: '' }), 'namespace', TypeError)
  refused(() => C.options({ lifetime: 'forever' as 'detached' }), 'lifetime', TypeError)
  refused(() => C.options({ getIfExists: true }), 'name', TypeError)
  refused(() => C.options({ maxRestarts: -2 }), 'maxRestarts', RangeError)
  refused(() => C.options({ maxConcurrency: 0 }), 'maxConcurrency', RangeError)
  refused(() => C.options({ concurrencyGroups: { io: 0 } }), 'io', RangeError)
  refused(() => C.options({ concurrencyGroups: [] as never }), 'io: 2', TypeError)
  refused(() => C.options({ concurrencyGroups: { _default: 2 } }), 'maxConcurrency', TypeError)
  refused(
    () => C.options({ allowOutOfOrderExecution: 1 as unknown as boolean }),
    'allowOutOfOrderExecution',
    TypeError,
  )
  refused(() => C.options({ methods: { mehtod: {} } }), 'mehtod', TypeError)
  refused(() => C.options({ methods: { method: { numCpus: 1 } as object } }), 'numCpus', TypeError)
  refused(() => C.options({ methods: { method: { concurrencyGroup: 'io' } } }), 'io', TypeError)
  refused(() => C.options({ concurrencyGroup: 'io' } as object), 'methods', TypeError)
  refused(() => C.options({ name: 1 as unknown as string }), 'name', TypeError)
  refused(() => C.options({ namespace: 1 as unknown as string }), 'namespace', TypeError)
  const group = { placementGroup: { id: 'x' }, placementGroupBundleIndex: 0 }
  refused(() => f.options({ schedulingStrategy: group }), "Did you mean 'bundleIndex'", TypeError)
  refused(
    () => f.options({ schedulingStrategy: 'ANY' as 'SPREAD' }),
    'schedulingStrategy',
    TypeError,
  )
})

test('remote takes functions and classes only', () => {
  for (const bad of [undefined, null, 1, 'x', {}, []]) {
    assert.throws(() => ray.remote(bad as unknown as () => void), TypeError)
  }
})

test('options of init are refused by name before anything starts', async () => {
  await assert.rejects(ray.init({ cpus: 2 } as object), /'cpus'/)
  await assert.rejects(ray.init({ address: 5 } as object), /'address'.*must be a string/)
  await assert.rejects(ray.init({ numCpus: -1 }), /'numCpus'/)
  await assert.rejects(ray.init({ num_cpus: 1 } as object), /Did you mean 'numCpus'\?/)
  await assert.rejects(ray.init({ labels: { 'a b': 'c' } }), /'a b' cannot be the key/)
  await assert.rejects(ray.init({ labels: { 'ray.io/node-id': 'c' } }), /begin with ray.io/)
  await assert.rejects(ray.init({ resources: { GPU: 1 } }), /'numGpus' of ray.init instead/)
  await assert.rejects(ray.init({ objectStoreMemory: NaN }), /'objectStoreMemory'/)
  await assert.rejects(ray.init({ namespace: '' }), /'namespace' must be a string/)
  assert.equal(ray.isInitialized(), false)
})

test('options of calls are refused by name, and the likeliest slips say what to do', async () => {
  const ref = {} as ray.ObjectRef<number>
  await assert.rejects(ray.get(ref, { timeout: 5 } as object), /'timeout' is not an option/)
  await assert.rejects(ray.get(ref, 100 as unknown as object), /options must be an object/)
  await assert.rejects(ray.wait(ref as never), /takes an array of ObjectRefs/)
  await assert.rejects(ray.get(f as never), /did you forget \.remote\(\)/)
  assert.throws(() => ray.remote(((x: number) => x) as never, { maxRetries: 0 } as never), /first/)
  assert.throws(() => {
    ray.kill({}, { no_restart: true } as object)
  }, /'no_restart' is not an option/)
})

test('names and namespaces of actors are refused by name before anything starts', async () => {
  await assert.rejects(ray.getActor(''), /not empty/)
  await assert.rejects(ray.getActor('a', { namespace: '' }), /'namespace' must be a string/)
  await assert.rejects(ray.getActor('a', { space: 'x' } as object), /'space' is not an option/)
  await assert.rejects(ray.listNamedActors({ all: true } as object), /'all' is not an option/)
  assert.equal(ray.isInitialized(), false)
})

test('a method of a class that is read from the remote class says where it belongs', () => {
  const Named = ray.remote(
    class Tally {
      inc() {
        return 1
      }
    },
  )
  assert.throws(() => (Named as unknown as Record<string, unknown>)['inc'], /Tally\.remote\(\)/)
})

test('exitActor outside of an actor is a TypeError', () => {
  assert.throws(() => ray.exitActor(), TypeError)
})

test('numReturns of options that come first shape the result, for the compiler too', () => {
  const two = ray.remote({ numReturns: 2 }, (): [number, string] => [1, 's'])
  const gen = ray.remote({ numReturns: 'streaming' }, function* (n: number) {
    yield n
  })
  const typed = (): readonly unknown[] => {
    const [x, y] = two.remote()
    const items: ray.ObjectRefGenerator<number> = gen.remote(3)
    return [x satisfies ray.ObjectRef<number>, y satisfies ray.ObjectRef<string>, items]
  }
  assert.equal(typeof typed, 'function')
})
