import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { inCluster, rejection } from './in-cluster.js'

const doubling = ray.remote(function twice(x: number) {
  return 2 * x
})

class Named {
  name(): string {
    return 'Ada'
  }
}
const Person = ray.remote(Named)

/** As a program without types would use it. */
const untyped = (value: unknown): ((...args: unknown[]) => unknown) => value as never
const untypedClass = (value: unknown): new (...args: unknown[]) => unknown => value as never

const aboutFunctions = { name: 'TypeError', message: /instead of twice\(\.\.\.\).*twice\.remote\(/ }
const aboutClasses = { name: 'TypeError', message: /instead of new Named.*Named\.remote\(\.\.\.\)/ }
const aboutMethods = { name: 'TypeError', message: /handle\.name\.remote\(\.\.\.\).*actor Named/ }

test('a remote function that is called directly names .remote()', () => {
  assert.throws(() => untyped(doubling)(1), aboutFunctions)
  assert.throws(() => untyped(doubling.options({ numCpus: 2 }))(1), aboutFunctions)
})

test('a remote class that is made or called directly names .remote()', () => {
  assert.throws(() => new (untypedClass(Person))(1), aboutClasses)
  assert.throws(() => untyped(Person)(1), aboutClasses)
})

test('a method of a remote class is told from what functions have', () => {
  assert.throws(() => (Person as unknown as { name: unknown }).name, /is a method of the actors/)
})

test('what is remote already is not made remote again', () => {
  assert.throws(() => ray.remote(untyped(doubling)), /twice is remote already/)
  assert.throws(() => ray.remote(untyped(Person)), /Named is remote already/)
})

inCluster('calls that lack .remote()', { numCpus: 1 }, {
  async 'of a method name .remote()'() {
    const person = Person.remote()
    assert.throws(() => untyped(person.name)(), aboutMethods)
    assert.equal(await ray.get(person.name.remote()), 'Ada')
    ray.kill(person)
  },
  async 'in a task name it too, and what is captured or passed works as before'() {
    const outer = ray.remote(async function outer(f: typeof doubling, how: string) {
      if (how === 'wrong') return untyped(doubling)(1)
      return ray.get([f.remote(2), doubling.remote(3)])
    })
    assert.deepEqual(await ray.get(outer.remote(doubling, 'right')), [4, 6])
    const error = await rejection(ray.get(outer.remote(doubling, 'wrong')))
    assert.match(String((error as Error).cause), /twice\.remote\(\.\.\.\)/)
  },
  async 'are seen by get as well'() {
    const error = await rejection(ray.get(untyped(doubling) as never))
    assert.match(String(error), /forget \.remote\(\)/)
  },
}) // prettier-ignore
