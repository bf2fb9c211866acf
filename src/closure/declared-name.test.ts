import assert from 'node:assert/strict'
import { it } from 'node:test'
import { declaredName } from './declared-name.js'

const remote = (...args: readonly unknown[]): Function => args.at(-1) as Function
const ray = { remote }

it('what is made remote has the name of its variable or property', () => {
  const square = ray.remote((x: number) => x * x)
  const half = remote({ numCpus: 1, resources: { tpu: 1 } }, async (x: number) => x / 2)
  const Counter = ray.remote(
    class {
      n = 0
    },
  )
  const tasks = { third: ray.remote((x: number) => x / 3) }
  assert.deepEqual(
    [square, half, Counter, tasks.third].map((fn) => declaredName(fn)),
    ['square', 'half', 'Counter', 'third'],
  )
})

it('what is passed on at once has no name', () => {
  assert.deepEqual(
    [ray.remote(() => 1), (() => 2) as Function, Math.max].map((fn) => declaredName(fn)),
    [undefined, undefined, undefined],
  )
})
