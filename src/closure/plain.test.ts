import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlainData } from './plain.js'

const isPlain = (value: object): boolean => new PlainData(() => false).isPlain(value)

describe('plain data', () => {
  it('is what v8.serialize copies without loss', () => {
    const cyclic: Record<string, unknown> = {
      a: [1, 'x', null, 2n],
      m: new Map([[{}, new Set([1])]]),
    }
    cyclic['self'] = cyclic
    assert.ok(isPlain(cyclic))
    for (const value of [new Date(), /x/g, new Uint8Array(3), Buffer.from('x'), new Map()]) {
      assert.ok(isPlain([value]), String(value))
    }
  })

  it('is not what would come back changed', () => {
    class A {}
    class Bytes extends Uint8Array {}
    const lossy: object[] = [
      { f: () => 1 },
      { [Symbol('s')]: 1 },
      { s: Symbol('s') },
      new A(),
      {
        get x() {
          return 1
        },
      },
      Object.freeze({ a: 1 }),
      Object.create(null) as object,
      Object.assign(new Map(), { extra: 1 }),
      new Bytes(3),
      new Error('e'),
      new Proxy({}, {}),
      new Array(3),
      new Uint8Array(new SharedArrayBuffer(8)),
      Object.defineProperty({}, 'hidden', { value: 1 }),
    ]
    for (const value of lossy) assert.equal(isPlain({ nested: [value] }), false)
  })

  it('is told apart from mixed data in one graph', () => {
    const leaf = { leaf: true }
    const back: Record<string, unknown> = { leaf }
    const mixed = { f: () => 1, leaf, back }
    const root = { mixed, other: [leaf] }
    back['root'] = root
    const data = new PlainData(() => false)
    assert.deepEqual(
      [root, mixed, back, leaf, root.other].map((value) => data.isPlain(value)),
      [false, false, false, true, true],
    )
  })

  it('leaves out what travels in another way', () => {
    const special = { looks: 'plain' }
    assert.equal(new PlainData((value) => value === special).isPlain([special]), false)
  })
})
