import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasEnded, processMark } from './process-mark.js'

test('a process is told from one that had its number, and from those of elsewhere', () => {
  const own = processMark()
  assert.equal(processMark(), own)
  assert.equal(hasEnded(own), false)
  const [boot = '', space = '', pid = '', start = ''] = own.split(' ')
  assert.equal(hasEnded([boot, space, pid, Number(start) - 1].join(' ')), true)
  // No number is larger than this.
  assert.equal(hasEnded([boot, space, 2 ** 22 + 1, start].join(' ')), true)
  assert.equal(hasEnded(['another boot', space, pid, start].join(' ')), undefined)
  assert.equal(hasEnded([boot, '1', pid, start].join(' ')), undefined)
  assert.equal(hasEnded('what somebody else wrote'), undefined)
})
