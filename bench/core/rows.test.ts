import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { limitProbes } from '../limits/limit-probes.js'
import { piscinaProbes } from './piscina.js'
import { coreRows } from './rows.js'
import { typerayProbes } from './typeray-probes.js'

const names = coreRows.map(({ name }) => name)

test('no two rows share a name', () => {
  assert.equal(new Set(names).size, names.length)
})

test('Typeray has a probe for every row, and no others', () => {
  assert.deepEqual(Object.keys(typerayProbes).sort(), [...names].sort())
})

test('piscina has a probe for exactly the rows that name it', () => {
  const expected = coreRows.filter(({ hasPiscina }) => hasPiscina).map(({ name }) => name)
  assert.deepEqual(Object.keys(piscinaProbes).sort(), expected.sort())
})

test('every limit that a row names can be measured', () => {
  const limits = coreRows.flatMap((row) => row.limits ?? [])
  for (const limit of limits) assert.ok(limitProbes[limit], limit)
})

test('the Python script has exactly the rows that name Ray', () => {
  const file = new URL('../../../bench/ray_rows.py', import.meta.url)
  const [, table = ''] = /^ROWS = \{$(.*?)^\}$/ms.exec(readFileSync(file, 'utf8')) ?? []
  const found = [...table.matchAll(/^ {4}"(.+?)":/gm)].map(([, name]) => name)
  const expected = coreRows.filter(({ hasRay }) => hasRay).map(({ name }) => name)
  assert.deepEqual(found.sort(), expected.sort())
})

test('every trip and echo target has an echo to be held against', () => {
  for (const { name, targets = [], limits = [] } of coreRows) {
    for (const { measure } of targets) {
      if (measure !== 'trips' && measure !== 'x echo') continue
      assert.ok(limits.every((limit) => limit.startsWith('raw echo')) && limits.length > 0, name)
    }
  }
})
