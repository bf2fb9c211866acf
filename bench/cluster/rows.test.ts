import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { limitProbes } from '../limits/limit-probes.js'
import { clusterRows } from './rows.js'
import { clusterProbes } from './typeray-probes.js'

const names = clusterRows.map(({ name }) => name)

test('Typeray has a probe for every row, and no others', () => {
  assert.deepEqual(Object.keys(clusterProbes).sort(), [...names].sort())
})

test('every limit that a row names can be measured', () => {
  const limits = clusterRows.flatMap((row) => row.limits ?? [])
  for (const limit of limits) assert.ok(limitProbes[limit], limit)
})

test('the Python script has exactly the rows that name Ray', () => {
  const file = new URL('../../../bench/cluster/ray_cluster_rows.py', import.meta.url)
  const [, table = ''] = /ROWS = \{$(.*?)^\}$/ms.exec(readFileSync(file, 'utf8')) ?? []
  const found = [...table.matchAll(/^ {4}"(.+?)":/gm)].map(([, name]) => name)
  const expected = clusterRows.filter(({ hasRay }) => hasRay).map(({ name }) => name)
  assert.deepEqual(found.sort(), expected.sort())
})
