import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'

// Every option with every kind of value that it does not take: refused when it is given, by name.

type Kind = typeof TypeError | typeof RangeError
type Bad = readonly [option: string, kind: Kind, ...values: unknown[]]

const amounts = (option: string): Bad[] => [
  [option, TypeError, 'two', null, {}, true, NaN],
  [option, RangeError, -1, -0.5, Infinity, 0.00001],
]

const shared: readonly Bad[] = [
  ...amounts('numCpus'),
  ...amounts('numGpus'),
  ['memory', TypeError, 'two', null, NaN],
  ['memory', RangeError, -1],
  ['resources', TypeError, 1, 'a', null, { CPU: 1 }, { GPU: 1 }, { memory: 1 }, { a: 'x' }],
  ['resources', RangeError, { a: -1 }, { a: 0.00001 }],
  ['name', TypeError, '', 1, null, {}],
  ['acceleratorType', TypeError, '', 1, null],
  ['labelSelector', TypeError, 1, 'eu', null, [], { 'a b': 'x' }, { a: 1 }, { a: 'in(b' }],
  ['fallbackStrategy', TypeError, 1, {}, [1], [{}], [{ labelSelector: 1 }], [{ a: 1 }]],
  ['runtimeEnv', TypeError, 1, 'a', null, [], { pip: [] }, { envVars: 1 }, { setupHook: 1 }],
  ['schedulingStrategy', TypeError, 'ANY', 1, null, {}, { placementGroup: 1 }],
  ['schedulingStrategy', TypeError, { nodeId: 'x', hard: true }],
  ['schedulingStrategy', TypeError, { placementGroup: { id: 'x' }, placementGroupBundleIndex: 0 }],
  ['schedulingStrategy', RangeError, { placementGroup: { id: 'x' }, bundleIndex: -2 }],
]

const ofTasks: readonly Bad[] = [
  ...shared,
  ['numReturns', TypeError, -1, 1.5, 'all', null, {}],
  ['maxRetries', RangeError, -2, 1.5, 'many', null],
  ['maxCalls', RangeError, -2, 1.5, 'many', null],
  ['retryExceptions', TypeError, 1, 'all', null, [1], {}],
  ['generatorBackpressureNumObjects', RangeError, 0, -1, 1.5, 'x', null],
  ['signal', TypeError, 1, null, {}],
]

const ofActors: readonly Bad[] = [
  ...shared,
  ['namespace', TypeError, '', 1, null],
  ['lifetime', TypeError, 'forever', 1, null],
  ['maxRestarts', RangeError, -2, 1.5, 'many', null],
  ['maxTaskRetries', RangeError, -2, 1.5, 'many', null],
  ['maxConcurrency', RangeError, 0, -1, 1.5, 'x', null],
  ['maxPendingCalls', RangeError, 0, -2, 1.5, 'x', null],
]

const task = ray.remote((x: number) => x)
const actor = ray.remote(
  class Actor {
    method() {
      return 1
    }
  },
)

function refuses(how: (options: object) => unknown, table: readonly Bad[]): void {
  for (const [option, kind, ...values] of table) {
    for (const value of values) {
      const said = `${option}: ${JSON.stringify(value) ?? String(value)}`
      assert.throws(
        () => how({ [option]: value }),
        (error: unknown) => {
          assert.ok(error instanceof kind, `${said} gave ${String(error)}`)
          assert.ok(error.message.includes(option), `${said} gave ${error.message}`)
          return true
        },
        said,
      )
    }
  }
}

test('every option of a task refuses what it does not take, by name', () => {
  refuses((options) => task.options(options), ofTasks)
  refuses((options) => ray.remote(options, (x: number) => x), ofTasks)
})

test('every option of an actor refuses what it does not take, by name', () => {
  refuses((options) => actor.options(options), ofActors)
})

test('every option takes what it says that it takes', () => {
  for (const options of [
    { numCpus: 0 },
    { numCpus: 0.0001, numGpus: 0.25 },
    { numGpus: 2, acceleratorType: 'A100' },
    { memory: 2 ** 30, resources: { a: 0.5, b: 3 } },
    { labelSelector: {}, fallbackStrategy: [] },
    { runtimeEnv: {} },
    { schedulingStrategy: 'SPREAD' },
    { schedulingStrategy: { nodeId: 'x', soft: true } },
  ] as const) {
    assert.ok(task.options(options))
    assert.ok(actor.options(options))
  }
  assert.ok(task.options({ maxRetries: -1, maxCalls: -1, numReturns: 0 }))
  assert.ok(actor.options({ maxRestarts: -1, maxTaskRetries: -1, maxPendingCalls: -1 }))
})
