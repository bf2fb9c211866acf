// Every public function with arguments that no program should pass: it works, or says so with a
// TypeError, RangeError or RayError. The session goes on in any case.

import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import * as ray from '../../src/index.js'
import { inCluster } from './in-cluster.js'

/** What traps and getters throw. It may come out as it is: it is the caller's own. */
const boom = new Error('boom')
const explode = (): never => {
  throw boom
}
const trapNames = Object.getOwnPropertyNames(Reflect)
const traps: ProxyHandler<object> = Object.fromEntries(trapNames.map((name) => [name, explode]))

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function cyclic(): object {
  const object: Record<string, unknown> = {}
  object['self'] = [object]
  return object
}

function deep(): unknown {
  let value: unknown = []
  for (let i = 0; i < 20_000; i++) value = [value]
  return value
}

/** Fails whoever reads any option, or makes a text of it. */
const exploding = (): object => {
  const object = {}
  // prettier-ignore
  const names = [
    'timeoutMs', 'signal', 'numReturns', 'fetchLocal', 'numCpus', 'resources', 'name', 'namespace',
    'force', 'recursive', 'noRestart', 'strategy', 'maxRetries', 'then', 'length', 'toString', 'id',
    Symbol.toPrimitive, Symbol.iterator, Symbol.toStringTag, inspect.custom,
  ]
  for (const name of names) Object.defineProperty(object, name, { get: explode, enumerable: true })
  return object
}

// prettier-ignore
const hostile: Readonly<Record<string, () => unknown>> = {
  'undefined': () => undefined, 'null': () => null, 'NaN': () => NaN, 'Infinity': () => Infinity,
  '-1': () => -1, '2**53': () => 2 ** 53, '1.5': () => 1.5, 'a bigint': () => 10n,
  'true': () => true, 'an empty string': () => '', 'NUL': () => '\0',
  'half a character': () => '\ud800', 'a long string': () => 'x'.repeat(300_000),
  'a symbol': () => Symbol('s'), 'an object': () => ({}), 'no prototype': () => Object.create(null),
  'unknown options': () => ({ nonsense: 1 }), 'wrong options': () => ({ timeoutMs: 'x' }),
  'negative options': () => ({ numCpus: -1, timeoutMs: -1, numReturns: -1 }),
  'NaN options': () => ({ numCpus: NaN, timeoutMs: NaN, numReturns: NaN }),
  'an empty array': () => [], 'a nested array': () => [[]], 'an array of null': () => [null],
  'holes': () => [, 1, ,], 'a huge length': () => ({ length: 2 ** 32 }),
  'a function': () => () => 1, 'a generator': () => function* () {}, 'a class': () => class {},
  'a bound function': () => explode.bind(null), 'a native function': () => Math.max,
  'a cycle': cyclic, 'a deep array': deep, 'a revoked proxy': revoked, 'exploding': exploding,
  'a trap': () => new Proxy({}, traps),
  'a function trap': () => new Proxy<object>(() => undefined, traps),
  'an array trap': () => new Proxy([], traps), 'an instance': () => new (class Own {})(),
  'a WeakMap': () => new WeakMap(), 'a promise': () => Promise.resolve(1),
  'an invalid date': () => new Date(NaN), 'an error': () => new Error('e'),
  'shared memory': () => new SharedArrayBuffer(8), 'globalThis': () => globalThis,
  'an aborted signal': () => ({ signal: AbortSignal.abort() }),
  'a ref look-alike': () => ({ owner: 1, sequence: 1, state: 0, isKnown: true }),
}

type Call = (value: unknown) => unknown

/** A call that never answers would hold up everything. */
const answerMs = 30_000

async function outcomeOf(call: Call, value: unknown): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('it never answers')), answerMs)
  })
  try {
    const result = call(value)
    if (result instanceof Promise) await Promise.race([result, late])
    return undefined
  } catch (error) {
    return error
  } finally {
    clearTimeout(timer)
  }
}

function isExpected(error: unknown): boolean {
  return (
    error === undefined ||
    error === boom ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ray.RayError
  )
}

const isPath = (value: unknown): boolean => typeof value === 'string' && value !== ''

const identity = ray.remote((x: unknown) => x)
const Thing = ray.remote(
  class {
    echo(x: unknown) {
      return x
    }
  },
)

/** `any` is what the types refuse; JavaScript does not. */
function callsOf(actor: ray.ActorHandle<{ echo(x: unknown): unknown }>): Record<string, Call> {
  const ref = ray.put(1)
  const loose = (fn: unknown, ...before: unknown[]): Call => {
    return (value) => (fn as (...args: unknown[]) => unknown)(...before, value)
  }
  // `timeline` would write files of these names.
  const unclear = new Set(['init', 'shutdown', 'timeline'])
  const all = Object.entries(ray).filter(
    ([name, value]) => typeof value === 'function' && !/^[A-Z]/.test(name) && !unclear.has(name),
  )
  const method = actor.echo
  return {
    ...Object.fromEntries(all.map(([name, fn]) => [name, loose(fn)])),
    'get(ref, it)': loose(ray.get, ref),
    'get([it, ref])': (value) => ray.get([value as typeof ref, ref]),
    'wait([ref], it)': loose(ray.wait, [ref]),
    'timeline(it)': (value) => (isPath(value) ? undefined : loose(ray.timeline)(value)),
    'cancel(ref, it)': loose(ray.cancel, ref),
    'kill(it, it)': (value) => loose(ray.kill, value)(value),
    'getActor(name, it)': loose(ray.getActor, 'nobody'),
    'remote(it, fn)': (value) => loose(ray.remote, value)(() => 1),
    'placementGroup([bundle], it)': loose(ray.placementGroup, [{ CPU: 0.001 }]),
    'a task': (value) => ray.get(identity.remote(value)),
    'task options': (value) => ray.get(identity.options(value as ray.TaskOptions).remote(1)),
    'actor options': (value) => Thing.options(value as ray.ActorOptions),
    'a constructor': (value) => ray.kill(loose(Thing.remote.bind(Thing))(value) as typeof actor),
    'a call': (value) => ray.get(method.remote(value)),
    'call options': (value) => method.options(value as ray.MethodOptions),
    'put in a task': (value) => ray.get(identity.remote([ray.put(value)])),
  }
}

inCluster(
  'Hostile arguments',
  { numCpus: 2, objectStoreMemory: 50e6, deadlineMs: 160_000 },
  {
    async 'are refused with an error that says so, and hurt nobody'() {
      const actor = Thing.options({ numCpus: 0 }).remote() as never
      const problems: string[] = []
      for (const [name, call] of Object.entries(callsOf(actor))) {
        for (const [what, make] of Object.entries(hostile)) {
          const error = await outcomeOf(call, make())
          if (isExpected(error)) continue
          const text = error instanceof Error ? (error.stack ?? error.message) : 'not an error'
          problems.push(`${name} with ${what}: ${text.slice(0, 1000)}`)
        }
        assert.equal(await ray.get(identity.remote(name)), name, `the session works after ${name}`)
      }
      assert.deepEqual(problems, [])
    },
  },
)
