import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeDeadlineMs } from '../base/limits.js'
import { healthLimitMs } from './health-limit.js'

void test('the health limit is taken from the environment, when that makes sense', () => {
  assert.equal(healthLimitMs({}), nodeDeadlineMs)
  assert.equal(healthLimitMs({ TYPERAY_NODE_DEADLINE_MS: '' }), nodeDeadlineMs)
  assert.equal(healthLimitMs({ TYPERAY_NODE_DEADLINE_MS: '3000' }), 3000)
  for (const text of ['soon', '-1', '100', '2500.5', 'Infinity']) {
    assert.throws(
      () => healthLimitMs({ TYPERAY_NODE_DEADLINE_MS: text }),
      new RegExp(`TYPERAY_NODE_DEADLINE_MS must be .* from 2000 on, not '${text}'`),
    )
  }
})
