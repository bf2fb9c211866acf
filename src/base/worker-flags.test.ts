import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutWorkerFlags, workerFlags } from './worker-flags.js'

test('what workers are started with is hidden, and what the program says itself is not', () => {
  assert.deepEqual(withoutWorkerFlags([...workerFlags, '--no-warnings']), ['--no-warnings'])
  assert.deepEqual(withoutWorkerFlags([...workerFlags, ...workerFlags]), workerFlags)
  assert.deepEqual(withoutWorkerFlags(['--no-warnings']), ['--no-warnings'])
})
