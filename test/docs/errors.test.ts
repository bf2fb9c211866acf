// docs/errors.md has every class of the table of errors, with its code and parent.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { errorTypes } from '../../src/base/errors.js'
import * as ray from '../../src/index.js'
import { rowsOf } from './tables.js'

const root = path.resolve(fileURLToPath(new URL('../../..', import.meta.url)))
const page = readFileSync(path.join(root, 'docs', 'errors.md'), 'utf8')
const rows = rowsOf(page).filter(({ cells }) => cells[1]?.startsWith('RAY_') === true)

/** Classes carry their names beside them: in bundles `Function.name` may be another. */
const nameOf = (type: abstract new (...args: never[]) => unknown): string =>
  new (type as typeof ray.RayError)('').name

test('every error is on the page, with its code and what it extends', () => {
  const expected = [...errorTypes.values()].map((type) => {
    const parent = Object.getPrototypeOf(type) as typeof type
    const isRoot = !errorTypes.has(String(parent.code))
    return `${nameOf(type)} ${type.code} ${isRoot ? 'Error' : nameOf(parent)}`
  })
  const found = rows.map(({ cells: [name, code, parent] }) => `${name} ${code} ${parent}`)
  assert.deepEqual(found.sort(), expected.sort())
})

test('every error on the page says when it comes and what to do, and can be imported', () => {
  for (const { cells, line } of rows) {
    const [name = '', , , when = '', advice = ''] = cells
    assert.ok(when.length > 10 && advice.length > 5, `docs/errors.md:${line}: says too little`)
    const isHidden = when.includes('Not exported')
    assert.equal(name in ray, !isHidden, `docs/errors.md:${line}: is ${name} exported?`)
  }
})
