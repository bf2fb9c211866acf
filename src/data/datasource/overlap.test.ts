import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayFindBelow } from './overlap.js'

test('what lies elsewhere by its path finds nothing in the folder', () => {
  for (const given of ['/data/in', '/data/in/*.parquet', '/data/output', '/data/out.parquet']) {
    assert.equal(mayFindBelow(given, '/data/out'), false, given)
  }
  assert.equal(mayFindBelow('s3://bucket/out', '/data/out'), false)
  assert.equal(mayFindBelow('/data/out', 's3://bucket/out'), false)
})

test('folders above and below, globs and names of other kinds may find something', () => {
  const inside = ['/data/out', '/data/out/', '/data', '/', '/data/out/a.csv', '/data/in/../out']
  for (const given of [...inside, '/data/o*', '/data/**/*.csv', '/d?ta/out/x', 'out', './out']) {
    assert.equal(mayFindBelow(given, '/data/out'), true, given)
  }
  assert.equal(mayFindBelow('file:///data/out', '/data/out'), true)
  assert.equal(mayFindBelow('s3://anonymous@bucket/x', 's3://bucket/out'), true)
})
