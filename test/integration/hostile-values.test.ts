// Values that fight back when they are looked at - proxies, getters, `then`, brands - thrown,
// returned, kept and passed on by tasks, actors and functions of datasets. Each caller gets an
// answer, no worker ends by it, and what comes after works.

import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import * as ray from '../../src/index.js'
import { AggregateFn, col, range, readDatasource, udf } from '../../src/data/index.js'
import { inCluster } from './in-cluster.js'

type Make = () => unknown

/** Makes a value that explodes wherever it is touched. Travels with the functions that use it. */
function explode(): never {
  throw new Error('boom')
}

function raise(value: unknown): never {
  throw value
}

function proxyOf(target: object): object {
  const names = Object.getOwnPropertyNames(Reflect)
  return new Proxy(target, Object.fromEntries(names.map((name) => [name, explode])))
}

function exploding(names: readonly PropertyKey[], on: object = {}): object {
  for (const name of names) Object.defineProperty(on, name, { get: explode, enumerable: true })
  return on
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

/** What it throws when it is looked at is hostile as well. */
function nested(): object {
  const get = (): never => raise(revoked())
  return new Proxy(new Error('outer'), { get, getPrototypeOf: get, ownKeys: get, has: get })
}

class Silent extends Error {
  override get message(): string {
    throw new Error('no message')
  }
}

class Unnamed extends Error {
  override get name(): string {
    return raise(revoked())
  }
}

class NotAsked {
  static [Symbol.hasInstance](): never {
    throw new Error('no instances')
  }
}

function brandOf(name: string, value: unknown): object {
  return { [Symbol.for(name)]: value }
}

// prettier-ignore
const values: Readonly<Record<string, Make>> = {
  'a proxy of an object': () => proxyOf({}),
  'a proxy of an error': () => proxyOf(new Error('inner')),
  'a proxy of an array': () => proxyOf([]),
  'a proxy of a function': () => proxyOf(() => undefined),
  'a proxy of a promise': () => proxyOf(Promise.resolve(1)),
  'a revoked proxy': revoked,
  'a proxy that throws proxies': nested,
  'a prototype that explodes': () => Object.create(proxyOf({})) as object,
  'an error that is all getters': () =>
    exploding(['message', 'name', 'stack', 'cause', 'code', 'constructor'], new Error()),
  'an error of a class without a message': () => new Silent('unseen'),
  'an error of a class without a name': () => new Unnamed('nobody'),
  'an error with a proxy for its cause': () => new Error('with a cause', { cause: proxyOf({}) }),
  'an error with a proxy for its message': () =>
    Object.defineProperty(new Error('x'), 'message', { value: proxyOf({}) }),
  'an error of proxies': () => new AggregateError([proxyOf({}), revoked()], 'several'),
  'an error that says it was interrupted': () =>
    Object.assign(new Error('liar'), { code: 'ERR_SCRIPT_EXECUTION_INTERRUPTED' }),
  'a then that cannot be read': () => exploding(['then']),
  'a then that throws': () => ({ then: explode }),
  'a promise without a constructor': () => exploding(['constructor'], Promise.resolve(1)),
  'a promise whose then does nothing': () =>
    Object.assign(Promise.resolve(1), { then: () => undefined }),
  'no text': () => ({ toString: explode, toJSON: explode, [Symbol.toPrimitive]: explode }),
  'getters of symbols': () =>
    exploding([Symbol.toStringTag, Symbol.iterator, Symbol.asyncIterator, Symbol.toPrimitive,
      inspect.custom, Symbol.for('typeray.error'), Symbol.for('typeray.attachment')]),
  'a false task error': () => brandOf('typeray.error', ['RAY_ERROR', 'RAY_TASK_ERROR']),
  'a task error without its fields': () =>
    Object.defineProperty(new ray.RayTaskError('own'), 'fields', { value: null }),
  'a false setup error': () => brandOf('typeray.error', ['RAY_ERROR', 'RAY_RUNTIME_ENV_SETUP']),
  'a false ref': () => brandOf('typeray.attachment', 'ref'),
  'a false actor': () => brandOf('typeray.attachment', 'actor'),
  'a false attachment': () => brandOf('typeray.attachment', 'nonsense'),
  'a false serializer': () =>
    ({ ...brandOf('typeray.serializer', 1), ...brandOf('typeray.attachment', 'serializer') }),
  'a false table': () => brandOf('apache-arrow/Table', true),
  'a class that cannot be asked': () => NotAsked,
  'a symbol': () => Symbol('unique'),
  'undefined': () => undefined,
}

/** What a place may end with; a worker or actor that ended by it is not among them. */
async function problemOf(ref: ray.ObjectRef<unknown>): Promise<string | undefined> {
  try {
    await ray.get(ref, { timeoutMs: 60_000 })
    return undefined
  } catch (error) {
    if (!(error instanceof ray.RayError)) return 'no RayError'
    if (error instanceof ray.RayTaskError) return undefined
    return `${error.code}: ${error.message}`
  }
}

type Place = (make: Make) => ray.ObjectRef<unknown>

async function assertAnswered(places: Readonly<Record<string, Place>>): Promise<void> {
  const problems: string[] = []
  for (const [where, place] of Object.entries(places)) {
    const found = Object.entries(values).map(async ([what, make]) => {
      const problem = await problemOf(place(make))
      if (problem !== undefined) problems.push(`${where}, ${what}: ${problem.slice(0, 300)}`)
    })
    await Promise.all(found)
  }
  assert.deepEqual(problems, [])
}

const task = (run: (make: Make) => unknown, options: ray.TaskOptions = {}): Place => {
  const remote = ray.remote({ maxRetries: 0, ...options }, run)
  return (make) => remote.remote(make) as unknown as ray.ObjectRef<unknown>
}

/** Reads from a stream of a task, in a task, so that a place is one ref. */
const streamed = (run: (make: Make) => unknown): Place => {
  const remote = ray.remote(
    { maxRetries: 0, numReturns: 'streaming', numCpus: 0 },
    run as () => never,
  )
  const read = ray.remote({ maxRetries: 0 }, async (make: Make) => {
    const items = remote as unknown as { remote(make: Make): AsyncIterable<ray.ObjectRef<unknown>> }
    let count = 0
    // What says nothing of an end goes on for ever.
    for await (const ref of items.remote(make)) if ((await ref.get(), ++count) === 3) break
  })
  return (make) => read.remote(make) as unknown as ray.ObjectRef<unknown>
}

class KeeperClass {
  kept: unknown
  throws(make: Make) {
    return raise(make())
  }
  async rejects(make: Make) {
    return raise(make())
  }
  returns(make: Make) {
    return make()
  }
  keeps(make: Make) {
    this.kept = make()
  }
  *streams(make: Make) {
    yield make()
    throw make()
  }
  is() {
    return 'kept' in this
  }
}

class Made {
  constructor(make: Make, how: 'throws' | 'returns') {
    if (how === 'throws') throw make()
    return make() as Made
  }
  call() {
    return 1
  }
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
    return undefined
  } catch (error) {
    return error ?? new Error('nothing was thrown')
  }
}

inCluster(
  'Hostile values',
  { numCpus: 2, deadlineMs: 170_000 },
  {
    async 'of tasks are answered with an error of the task, or as they are'() {
      await assertAnswered({
        thrown: task((make) => raise(make())),
        rejected: task(async (make) => raise(make())),
        returned: task((make) => make()),
        resolved: task(async (make) => [make()]),
        'in an object': task((make) => ({ deep: [{ value: make() }] })),
        'of several': task((make) => [1, make()], { numReturns: 2 as never }),
        'for several': task((make) => make(), { numReturns: 2 as never }),
        'thrown, with retries': task((make) => raise(make()), {
          maxRetries: 1,
          retryExceptions: [TypeError, NotAsked as never],
        }),
      })
    },

    async 'of streams are answered, and the streams end'() {
      await assertAnswered({
        yielded: streamed(function* (make) {
          yield 1
          yield make()
        }),
        'yielded later': streamed(async function* (make) {
          yield [make()]
        }),
        thrown: streamed(function* (make) {
          yield 1
          throw make()
        }),
        'the iterable': streamed((make) => make()),
        'the iterator': streamed((make) => ({ [Symbol.iterator]: make })),
        'the step': streamed((make) => ({
          [Symbol.iterator]: () => ({ next: make, return: make }),
        })),
      })
    },

    async 'of actors are answered, and the actors live on'() {
      const Keeper = ray.remote({ numCpus: 0 }, KeeperClass)
      const problems: string[] = []
      const keepers = Object.entries(values).map(async ([what, make]) => {
        const keeper = Keeper.remote()
        const { throws, rejects, returns, keeps, streams } = keeper
        for (const method of [throws, rejects, returns, keeps]) {
          const problem = await problemOf(method.remote(make) as ray.ObjectRef<unknown>)
          if (problem !== undefined) problems.push(`${what}: ${problem}`)
        }
        const items = streams.options({ numReturns: 'streaming' })
        for await (const ref of items.remote(make)) await problemOf(ref)
        const kept = await keeper.is.remote().get()
        if (!kept) problems.push(`${what}: it is not kept`)
        ray.kill(keeper)
      })
      await Promise.all(keepers)
      assert.deepEqual(problems, [])
    },

    async 'of constructors end the actor, and its callers hear of it'() {
      const problems: string[] = []
      const made = Object.entries(values).map(async ([what, make]) => {
        // An instance that is no proxy is one like any other. Each actor is a process to start.
        const ways = what.includes('proxy') ? (['throws', 'returns'] as const) : ['throws' as const]
        for (const how of ways) {
          const actor = ray.remote({ numCpus: 0 }, Made).remote(make, how)
          const problem = await problemOf(actor.call.remote())
          const isDead = problem !== undefined && problem.startsWith('RAY_ACTOR_DIED')
          if (problem !== undefined && !isDead) problems.push(`${what} ${how}: ${problem}`)
          ray.kill(actor)
        }
      })
      await Promise.all(made)
      assert.deepEqual(problems, [])
    },

    async 'of functions of datasets are errors of the dataset, or values'() {
      const problems: string[] = []
      const datasets = (make: Make): Readonly<Record<string, () => Promise<unknown>>> => {
        const one = range(1)
        const give = (): never => make() as never
        return {
          'map throws': () => one.map(() => raise(make())).takeAll(),
          'map gives': () => one.map(give).takeAll(),
          'map gives in a row': () => one.map(() => ({ value: make() })).takeAll(),
          flatMap: () => one.flatMap(give).takeAll(),
          filter: () => one.filter(give).takeAll(),
          mapBatches: () => one.mapBatches(give).takeAll(),
          udf: () => one.withColumn('a', udf(give)(col('id'))).takeAll(),
          'a datasource': () =>
            readDatasource({
              name: 'own',
              getReadTasks: () => [{ name: 'part', read: give }],
            }).takeAll(),
          'an aggregate': () =>
            one.aggregate(AggregateFn({ name: 'a', init: give, accumulate: give, finalize: give })),
        }
      }
      for (const [what, make] of Object.entries(values)) {
        for (const [where, run] of Object.entries(datasets(make))) {
          const error = await rejection(run())
          if (error !== undefined && !(error instanceof ray.RayError)) {
            problems.push(`${where}, ${what}: no RayError: ${inspect(error).slice(0, 500)}`)
          }
        }
      }
      assert.deepEqual(problems, [])
    },
  },
)
