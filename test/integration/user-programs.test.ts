// What people write, and what compilers make of it: whole programs, each in a folder of its own.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runDriver } from '../../src/testing/index.js'

const head = `import * as ray from 'typeray'
await ray.init({ numCpus: 1 })
`

describe('A program', { concurrency: 2 }, () => {
  test('may import JSON, and use it in tasks', async () => {
    const { stdout } = await runDriver(`${head}
import own from './package.json' with { type: 'json' }
const read = ray.remote(() => own.type)
const load = ray.remote(async () => {
  const { default: again } = await import('./package.json', { with: { type: 'json' } })
  return again.type
})
console.log(await ray.get([read.remote(), load.remote()]))`)
    assert.equal(stdout, "[ 'module', 'module' ]\n")
  })

  test('may have private names that a compiler wrote as WeakMaps', async () => {
    const { stdout } = await runDriver(`${head}
import { types } from 'node:util'
const __privateAdd = (o, all, v) => all instanceof WeakSet ? all.add(o) : all.set(o, v)
const __privateGet = (o, all) => {
  if (!all.has(o)) throw new TypeError('Cannot read from private field')
  return all.get(o)
}
var _till, _Shop_instances
class Shop {
  constructor() { __privateAdd(this, _Shop_instances); __privateAdd(this, _till, 3) }
  read() { return [__privateGet(this, _till), _Shop_instances.has(this)] }
}
_till = new WeakMap()
_Shop_instances = new WeakSet()
const shop = ray.remote(Shop).remote()
console.log(await ray.get(shop.read.remote()))
try {
  ray.put(new Shop())
} catch (error) {
  console.log(error.code, error.message.includes('_till'))
}`)
    assert.equal(stdout, '[ 3, true ]\nRAY_SERIALIZATION true\n')
  })
})
