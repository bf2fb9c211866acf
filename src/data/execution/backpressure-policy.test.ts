import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataAheadBytesMax } from '../../base/limits.js'
import { aheadBytes, blocksAhead } from './backpressure-policy.js'

const nothing = { blocks: 0, bytes: 0, taskMs: 0 }
const long = 1e6

test('keeps two blocks per CPU ahead', () => {
  assert.equal(blocksAhead({ cpus: 4, startsSmall: false }, nothing), 8)
})

test('starts with one block and doubles where a limit may end the work', () => {
  const policy = { cpus: 4, startsSmall: true }
  const ahead = [0, 1, 2, 3, 4].map((blocks) =>
    blocksAhead(policy, { blocks, bytes: blocks, taskMs: long }),
  )
  assert.deepEqual(ahead, [1, 2, 4, 8, 8])
})

test('keeps fewer large blocks ahead, but always one', () => {
  const policy = { cpus: 4, startsSmall: false }
  const bytes = dataAheadBytesMax
  assert.equal(blocksAhead(policy, { blocks: 3, bytes, taskMs: long }), 3)
  assert.equal(blocksAhead(policy, { blocks: 1, bytes: 2 * bytes, taskMs: long }), 1)
})

test('keeps many blocks ahead whose tasks take no time', () => {
  const policy = { cpus: 2, startsSmall: false }
  assert.equal(blocksAhead(policy, { blocks: 10, bytes: 10, taskMs: 10 }), 100)
  assert.equal(blocksAhead(policy, { blocks: 10, bytes: 10, taskMs: 0 }), 512)
  assert.equal(blocksAhead(policy, { blocks: 1, bytes: 1, taskMs: 0 }), 4)
})

test('divides a share of a small object store among the places that compute ahead', () => {
  assert.equal(aheadBytes(1e9, 2), 125e6)
  assert.equal(aheadBytes(1e12, 1), dataAheadBytesMax)
})
