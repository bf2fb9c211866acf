import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileBenchOptions, matchesFilters, UsageError } from './options.js'

test('the suite comes first, and filters follow', () => {
  const config = compileBenchOptions(['core', 'tasks,actor', 'put', '--markdown'], {})
  assert.equal(config.suite, 'core')
  assert.deepEqual(config.filters, ['tasks', 'actor', 'put'])
  assert.equal(config.isMarkdown, true)
  assert.equal(config.roundMs, 1000)
  assert.equal(config.rayPython, undefined)
})

test('the environment sets the length of a round and names a Python', () => {
  const env = { TYPERAY_BENCH_SECONDS: '0.25', TYPERAY_BENCH_RAY_PYTHON: 'python3' }
  const config = compileBenchOptions(['core', '--json', 'out.json'], env)
  assert.equal(config.roundMs, 250)
  assert.equal(config.rayPython, 'python3')
  assert.equal(config.jsonPath, 'out.json')
})

test('nonsense is refused', () => {
  assert.throws(() => compileBenchOptions([], {}), UsageError)
  assert.throws(() => compileBenchOptions(['core', '--bogus'], {}), UsageError)
  assert.throws(() => compileBenchOptions(['core'], { TYPERAY_BENCH_SECONDS: 'long' }), UsageError)
})

test('no filter means every row', () => {
  assert.equal(matchesFilters('chain of 1000 tasks', []), true)
  assert.equal(matchesFilters('chain of 1000 tasks', ['chain']), true)
  assert.equal(matchesFilters('chain of 1000 tasks', ['actor']), false)
})
