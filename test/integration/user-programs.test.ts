// What people write, and what compilers make of it: whole programs, each in a folder of its own.

import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, test } from 'node:test'
import { build } from 'esbuild'
import * as ray from '../../src/index.js'
import { runDriver } from '../../src/testing/index.js'
import { Pool } from '../../src/util/index.js'
import { repository, runFiles } from './driver-programs.js'

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

  test('sees the names of variables in errors and consoles', async () => {
    const { stdout } = await runDriver(`${head}
const parse = ray.remote((text) => JSON.parse(text))
const Meter = ray.remote({ maxRestarts: 1 }, class { read() { throw new Error('none') } })
const meter = Meter.remote()
for (const ref of [parse.remote('{'), meter.read.remote()]) {
  await ref.get().catch((error) => console.log(error.message.split(' ')[0]))
}
console.log(parse, Meter, String(meter) === (await import('node:util')).inspect(meter))`)
    assert.equal(stdout, 'parse\nMeter.read\nRemoteFunction(parse) ActorClass(Meter) true\n')
  })

  test('whose entry is imported by a worker is told so', async () => {
    const { stdout } = await runFiles({
      'program.mjs': `import * as ray from '../src/index.js'
import { more } from './library.mjs'
export const own = 1
await ray.init({ numCpus: 1 })
const add = ray.remote(() => more())
await ray.get(add.remote()).catch((error) => console.log(error.message))`,
      'library.mjs': `import { own } from './program.mjs'
export const more = () => own + 1`,
    })
    assert.match(stdout, /A task was submitted while a worker imports .*library\.mjs/)
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

  test('may use refs and handles in functions that do not import the package', async () => {
    const { stdout } = await runDriver(`${head}
class Lamp { on() { return 'on' } }
const lamp = ray.remote({ numCpus: 0 }, Lamp).remote()
const use = ray.remote(async ({ ref, lamp }) => {
  const seen = [await ref.get(), await lamp.on.remote().get()]
  await lamp[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]?.()
  return seen
})
console.log(await ray.get(use.remote({ ref: ray.put(3), lamp })))`)
    assert.equal(stdout, "[ 3, 'on' ]\n")
  })

  test('that is one bundle with the package is told to keep it external', async () => {
    const bundle = await build({
      stdin: {
        contents: "import { init } from './index.js'\nawait init()",
        resolveDir: path.join(repository, 'dist', 'src'),
      },
      external: ['koffi', '@duckdb/*'],
      banner: {
        js: `import * as modules from 'node:module'
const require = modules.createRequire(import.meta.url)`,
      },
      bundle: true,
      write: false,
      platform: 'node',
      format: 'esm',
    })
    const { stderr } = await runFiles({ 'program.mjs': bundle.outputFiles[0]?.text ?? '' })
    assert.match(stderr, /cannot be part of a bundle.*--packages=external/)
  })
})

const wrong: readonly [string, () => unknown, RegExp][] = [
  ['an option of actors to a task', () => remote({ maxRestarts: 1 }, Date.now), /of actors/],
  ['maxRetries to an actor', () => remote({ maxRetries: 1 }, class {}), /'maxRestarts'/],
  ['cpu as a resource', () => remote({ resources: { cpu: 1 } }, Date.now), /'numCpus'/],
  ['cpu in a bundle', () => ray.placementGroup([{ cpu: 1 }]), /Write 'CPU'/],
  ['numCpus as text', () => init({ numCpus: '2' }), /not '2'/],
  ['an address alone', () => init('auto'), /{ address: 'auto' }/],
  [
    'the address of a client',
    () => init({ address: 'ray://head:10001' }),
    /write host:port of the head/,
  ],
  ['a function as file of a pool', () => new Pool({ filename: Date.now as never }), /task/],
]
const remote = ray.remote as (...args: readonly unknown[]) => unknown
const init = ray.init as (options: unknown) => Promise<unknown>

describe('Who passes', () => {
  for (const [what, call, message] of wrong) {
    test(`${what} is told what to write`, async () => {
      await assert.rejects(async () => call(), { message })
    })
  }
})
