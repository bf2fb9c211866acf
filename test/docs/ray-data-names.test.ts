// docs/ray-data-names.md says of every name of Ray Data whether it works. This holds the page to
// the code: who builds something finds its row here.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import * as data from '../../src/data/index.js'
import { methodsNotBuilt } from '../../src/data/methods-not-built.js'
import * as readersNotBuilt from '../../src/data/readers-not-built.js'
import { isThere, reportNone, root, states } from './ray-names.js'
import { rowsOf } from './tables.js'

const file = 'docs/ray-data-names.md'
const rows = rowsOf(readFileSync(path.join(root, file), 'utf8')).filter(({ cells }) => {
  return cells.length === 4
})
const column = data.col('x')

/** What a name before the dot stands for, in which the name behind it is looked up. */
const doors: Readonly<Record<string, object>> = {
  data,
  ds: data.Dataset.prototype,
  groups: data.GroupedDataset.prototype,
  rows: data.DataIterator.prototype,
  context: data.DataContext.getCurrent(),
  col: column,
  str: column.str,
  list: column.list,
  arr: column.arr,
  struct: column.struct,
  map: column.map,
  dt: column.dt,
}

interface Claim {
  readonly at: string
  readonly door: string
  readonly name: string
  readonly state: string
  readonly note: string
}

const claims = rows.flatMap(({ line, cells: [, here = '', state = '', note = ''] }): Claim[] => {
  const found = [...here.matchAll(/^(?<door>\w+)\.(?<name>\w+)$/g)]
  return found.map(({ groups }) => {
    const { door = '', name = '' } = groups ?? {}
    return { at: `${file}:${line}`, door, name, state, note }
  })
})

test('every row has a state that is one of the five', () => {
  assert.ok(rows.length > 300, `${rows.length} rows`)
  reportNone(
    rows
      .filter(({ cells }) => !states.includes(cells[2] ?? ''))
      .map(({ line, cells }) => `${file}:${line}: ${cells.join(' | ')}`),
  )
})

test('what works is there, and what is not there yet is not, or says so', () => {
  const problems = claims.flatMap(({ at, door, name, state }) => {
    const of = doors[door]
    if (of === undefined) return [`${at}: nothing is known of ${door}`]
    const isRefused =
      (door === 'ds' && methodsNotBuilt.has(name)) || (door === 'data' && name in readersNotBuilt)
    const is = name in of && !isRefused
    if (is === isThere(state)) return []
    return [`${at}: ${door}.${name} is '${state}', and it is ${is ? '' : 'not '}there`]
  })
  reportNone(problems)
})

test('methods that are not there say why, and have a row', () => {
  const refusing = data.Dataset.prototype as unknown as Readonly<Record<string, () => unknown>>
  for (const [name, reason] of methodsNotBuilt) {
    const claim = claims.find((each) => each.door === 'ds' && each.name === name)
    assert.ok(claim, `${file} has no row for ds.${name}`)
    assert.equal(claim.state, reason === undefined ? 'not yet' : 'refused', claim.at)
    if (reason !== undefined) assert.equal(claim.note, reason, claim.at)
    assert.throws(
      () => refusing[name]?.(),
      (error: Error) => error.message.includes(`Dataset.${name}`),
    )
  }
})

test('functions that are not there say so, and have a row', () => {
  for (const [name, refuse] of Object.entries(readersNotBuilt)) {
    const claim = claims.find((each) => each.door === 'data' && each.name === name)
    assert.equal(claim?.state, 'not yet', name)
    assert.throws(refuse, new RegExp(`^RayError: ${name} is not built`))
  }
})

test('every function of expressions and every aggregate has a row, or is of our own', () => {
  const listed = new Set(claims.map(({ door, name }) => `${door}.${name}`))
  const own: Readonly<Record<string, readonly string[]>> = {
    str: ['concat', 'toDate', 'zfill'],
    list: ['contains', 'join', 'max', 'mean', 'min', 'reverse', 'sum', 'unique'],
    arr: [],
    struct: [],
    map: ['get'],
    dt: [
      ...['addMs', 'date', 'dayOfWeek', 'dayOfYear', 'diffMs', 'epoch', 'epochMs'],
      ...['microsecond', 'millisecond', 'nanosecond', 'quarter', 'week'],
    ],
    groups: ['countDistinct', 'quantile', 'unique'],
  }
  const problems = Object.entries(own).flatMap(([door, names]) => {
    const prototype: object =
      door === 'groups' ? (doors['groups'] ?? {}) : Object.getPrototypeOf(doors[door])
    return Object.getOwnPropertyNames(prototype)
      .filter((name) => name !== 'constructor' && !names.includes(name))
      .filter((name) => !listed.has(`${door}.${name}`))
      .map((name) => `${file}: ${door}.${name} has no row`)
  })
  reportNone(problems)
})
