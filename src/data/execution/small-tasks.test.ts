import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blocksPerTask } from './small-tasks.js'

test('blocks share a task when the first have shown that they are quick', () => {
  assert.equal(blocksPerTask({ done: 0, wallMs: 0, left: 10_000, cpus: 2 }), 1)
  assert.equal(blocksPerTask({ done: 3, wallMs: 0.3, left: 10_000, cpus: 2 }), 1)
  assert.equal(blocksPerTask({ done: 4, wallMs: 8, left: 10_000, cpus: 2 }), 10)
  assert.equal(blocksPerTask({ done: 4, wallMs: 0.1, left: 10_000, cpus: 2 }), 32)
})

test('blocks that take long, and the last ones, have tasks of their own', () => {
  assert.equal(blocksPerTask({ done: 10, wallMs: 1000, left: 10_000, cpus: 2 }), 1)
  assert.equal(blocksPerTask({ done: 100, wallMs: 10, left: 80, cpus: 2 }), 10)
  assert.equal(blocksPerTask({ done: 100, wallMs: 10, left: 7, cpus: 2 }), 1)
})
