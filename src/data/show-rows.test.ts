import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatRows } from './show-rows.js'

test('numbers stand to the right, text to the left', () => {
  const text = formatRows([
    { city: 'Aachen', km: 5 },
    { city: null, km: 12.5 },
  ])
  assert.equal(text, ['city      km', '------  ----', 'Aachen     5', 'null    12.5'].join('\n'))
})

test('nothing to show is said', () => {
  assert.equal(formatRows([]), '(no rows)')
})
