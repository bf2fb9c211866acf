import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GetTimeoutError, RayError, RayTaskError } from './errors.js'

test('what refuses to be looked at is none of our errors', () => {
  const hostile = new Proxy(new GetTimeoutError('behind a proxy'), {
    get: () => {
      throw new Error('hands off')
    },
  })
  assert.equal(hostile instanceof RayError, false)
})

test('an error is of its kind and those above, also from another copy of the package', () => {
  const error: unknown = new GetTimeoutError('late')
  assert.ok(error instanceof GetTimeoutError)
  assert.ok(error instanceof RayError)
  assert.ok(!(error instanceof RayTaskError))
  const carried = Object.getOwnPropertySymbols(RayError.prototype)
  assert.equal(carried.length, 1)
  const foreign = { [carried[0]!]: ['RAY_ERROR'] }
  assert.ok(foreign instanceof RayError)
})
