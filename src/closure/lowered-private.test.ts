import assert from 'node:assert/strict'
import { it } from 'node:test'
import { holdsPrivates, loweredPrivates } from './lowered-private.js'

const esbuild = `class Shop { constructor() { __privateAdd(this, _till, 1); }
  read() { return __privateGet(this, _till) } }`
const tsc = `class Shop { constructor() { _Shop_till.set(this, 1); }
  read() { return __classPrivateFieldGet(this, _Shop_till, "f") } }`
const swc = `class Shop { read() { return _class_private_field_get(this, _till) }
  constructor() { _class_private_field_init(this, _till, { writable: true, value: 1 }) } }`
const byHand = `class Shop { read() { return cache.get(this) } }`

function occurrencesOf(code: string, name: string) {
  const found = [...code.matchAll(new RegExp(name, 'g'))]
  return found.map(({ index }) => ({
    start: index,
    end: index + name.length,
    use: 'plain' as const,
  }))
}

it('the storage of private names is recognised as esbuild, tsc and SWC write it', () => {
  for (const [code, name] of [
    [esbuild, '_till'],
    [tsc, '_Shop_till'],
    [swc, '_till'],
  ] as const) {
    const occurrences = occurrencesOf(code, name)
    assert.ok(holdsPrivates(new WeakMap(), name, { code, occurrences }), code)
    assert.ok(!holdsPrivates(new Map(), name, { code, occurrences }))
    assert.deepEqual(loweredPrivates(code), [name])
  }
})

it('the storage of private names is recognised where helpers have been renamed', () => {
  const code = 'class p{constructor(){B(this,C,1)}read(){return a(this,C)}}'
  const within = { code, occurrences: occurrencesOf(code, 'C') }
  assert.ok(holdsPrivates(new WeakMap(), 'C', within))
})

it('a WeakMap that a class uses by itself is none', () => {
  const occurrences = occurrencesOf(byHand, 'cache')
  assert.ok(!holdsPrivates(new WeakMap(), 'cache', { code: byHand, occurrences }))
  assert.deepEqual(loweredPrivates(byHand), [])
})
