import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { it } from 'node:test'
import { instanceProblem } from './instance.js'

class Plain {
  x = 1
}
class Secret {
  #p = 1
  get p(): number {
    return this.#p
  }
}
class Derived extends Secret {}
class OwnMap extends Map {}
class OwnDate extends Date {}
class OwnError extends TypeError {}
class Emitter extends EventEmitter {}

it('instances of ordinary classes, errors and collections can travel', () => {
  for (const value of [
    new Plain(),
    new OwnMap(),
    new OwnDate(),
    new OwnError(),
    {},
    [],
    new Error('e'),
  ]) {
    assert.equal(instanceProblem(value), undefined)
  }
})

it('what cannot travel is described', () => {
  const cases: [object, RegExp][] = [
    [new Derived(), /class Secret, which has private fields \(#p\)/],
    [new Emitter(), /node:events EventEmitter/],
    [new Proxy({}, {}), /a Proxy/],
    [Promise.resolve(), /a Promise/],
    [new WeakMap(), /a WeakMap/],
    [(function* () {})(), /a running generator/],
    [new AbortController(), /AbortController/],
    [[1][Symbol.iterator](), /iterator/],
  ]
  for (const [value, pattern] of cases)
    assert.match(instanceProblem(value) ?? 'no problem', pattern)
})
