import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HangWatch } from './hang-watch.js'

test('a process hangs that has not answered within the limit', () => {
  const watch = new HangWatch(1000, 0)
  for (let now = watch.everyMs; now <= 1000; now += watch.everyMs) {
    assert.equal(watch.check(now), false)
  }
  watch.answered(1000)
  for (let now = 1000 + watch.everyMs; now <= 2000; now += watch.everyMs) {
    assert.equal(watch.check(now), false)
  }
  assert.equal(watch.check(2001), true)
})

test('the silence of a process that nobody could hear is no hanging', () => {
  const watch = new HangWatch(1000, 0)
  assert.equal(watch.check(200), false)
  // Stopped with its parent, for example, and both go on now.
  assert.equal(watch.check(60_000), false)
  assert.equal(watch.check(60_400), false)
  assert.equal(watch.check(60_800), false)
  assert.equal(watch.check(61_001), true)
})
