import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataAheadBytesMax } from '../../base/limits.js'
import { blocksAhead } from './backpressure-policy.js'

const nothing = { blocks: 0, bytes: 0 }

test('keeps two blocks per CPU ahead', () => {
  assert.equal(blocksAhead({ cpus: 4, startsSmall: false }, nothing), 8)
})

test('starts with one block and doubles where a limit may end the work', () => {
  const policy = { cpus: 4, startsSmall: true }
  const ahead = [0, 1, 2, 3, 4].map((blocks) => blocksAhead(policy, { blocks, bytes: blocks }))
  assert.deepEqual(ahead, [1, 2, 4, 8, 8])
})

test('keeps fewer large blocks ahead, but always one', () => {
  const policy = { cpus: 4, startsSmall: false }
  const bytes = dataAheadBytesMax
  assert.equal(blocksAhead(policy, { blocks: 3, bytes }), 3)
  assert.equal(blocksAhead(policy, { blocks: 1, bytes: 2 * bytes }), 1)
})
