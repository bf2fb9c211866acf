// Programs and functions with their own copy of apache-arrow work with the tables that they get,
// whichever copy it is and whenever they load it.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runFiles } from './driver-programs.js'

/** Writes and reads a table with a copy: what a copy does not know it leaves out, or fails at. */
const sums = `
const sums = (arrow, table) => {
  const again = arrow.tableFromIPC(arrow.tableToIPC(table))
  const sum = (name) => again.getChild(name).toArray().reduce((a, b) => a + b, 0)
  return [table instanceof arrow.Table, again.numRows, sum('whole'), sum('half')].join(' ')
}
const columns = { whole: Int32Array.of(1, 2, 3), half: Float64Array.of(0.5, 1, 1.5) }
`
const expected = 'true 3 6 3'
const esm = `import * as ray from 'typeray'
import * as arrow from 'apache-arrow'
import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
await ray.init({ numCpus: 1 })
${sums}`
const commonJs = `const ray = require('typeray')
${sums}`

/** Each line of what the program writes must be the sums. */
async function assertSums(program: string, type: 'module' | 'commonjs'): Promise<void> {
  const name = type === 'module' ? 'program.mjs' : 'program.cjs'
  const { code, stdout, stderr } = await runFiles({ [name]: program })
  assert.equal(code, 0, stderr)
  const lines = stdout.trim().split('\n')
  assert.deepEqual(
    lines,
    lines.map((line) => line.replace(/: .*/, `: ${expected}`)),
  )
  assert.equal(stderr, '')
}

describe('A table that was received', { concurrency: 2 }, () => {
  test('is of the copy that an ES module imports, and of no other', async () => {
    await assertSums(
      `${esm}
const make = ray.remote(() => arrow.tableFromArrays(columns))
const results = await ray.get([make.remote(), ray.put(arrow.tableFromArrays(columns))])
for (const table of results) console.log('got: ' + sums(arrow, table))
console.log('same class: ' + (results[0].constructor === arrow.Table ? '${expected}' : 'no'))
const loaded = Object.keys(require.cache).filter((file) => /apache-arrow.*[.]js$/.test(file))
console.log('no second copy: ' + (loaded.length === 0 ? '${expected}' : loaded))`,
      'module',
    )
  })

  test('is one to a copy that an ES module requires later', async () => {
    await assertSums(
      `${esm}
const table = await ray.get(ray.put(arrow.tableFromArrays(columns)))
console.log('required: ' + sums(require('apache-arrow'), table))
console.log('imported: ' + sums(arrow, table))`,
      'module',
    )
  })

  test('is one to a copy that was required before another was imported', async () => {
    await assertSums(
      `import * as ray from 'typeray'
import { createRequire } from 'node:module'
const required = createRequire(import.meta.url)('apache-arrow')
await ray.init({ numCpus: 1 })
${sums}
const table = await ray.get(ray.put(required.tableFromArrays(columns)))
console.log('required: ' + sums(required, table))
console.log('imported: ' + sums(await import('apache-arrow'), table))
console.log('same class: ' + (table.constructor === required.Table ? '${expected}' : 'no'))`,
      'module',
    )
  })

  test('is one to functions of an ES module, in workers', async () => {
    await assertSums(
      `${esm}
const table = arrow.tableFromArrays(columns)
const ref = ray.put(table)
const check = (name, use) => async (...args) => name + ': ' + await use(...args)
const options = { numCpus: 1, maxCalls: 1 }
const run = async (name, use, ...args) =>
  console.log(await ray.get(ray.remote(options, check(name, use)).remote(...args)))
await run('argument', (t) => sums(arrow, t), table)
await run('ref', (t) => sums(arrow, t), ref)
await run('nested', async ({ ref }) => sums(arrow, await ray.get(ref)), { ref })
await run('imported in it', async (t) => sums(await import('apache-arrow'), t), ref)
await run('required in it', (t) => sums(require('apache-arrow'), t), ref)
await run('captured', () => sums(arrow, table))`,
      'module',
    )
  })

  test('is one to programs and functions in CommonJS', async () => {
    await assertSums(
      `${commonJs}
const arrow = require('apache-arrow')
ray.init({ numCpus: 1 }).then(async () => {
  const table = arrow.tableFromArrays(columns)
  const ref = ray.put(table)
  const got = await ref.get()
  console.log('got: ' + sums(arrow, got))
  console.log('same class: ' + (got.constructor === arrow.Table ? '${expected}' : 'no'))
  const check = (name, use) => async (...args) => name + ': ' + await use(...args)
  const run = async (name, use, ...args) =>
    console.log(await ray.get(ray.remote({ maxCalls: 1 }, check(name, use)).remote(...args)))
  await run('argument', (t) => sums(arrow, t), table)
  await run('ref', (t) => sums(arrow, t), ref)
  await run('required in it', (t) => sums(require('apache-arrow'), t), ref)
  await run('imported in it', async (t) => sums(await import('apache-arrow'), t), ref)
  await ray.shutdown()
})`,
      'commonjs',
    )
  })

  test('is one to programs that load a copy only then', async () => {
    const make = `const make = ray.remote(() => require('apache-arrow').tableFromArrays(columns))`
    await assertSums(
      `${commonJs}
ray.init({ numCpus: 1 }).then(async () => {
  ${make}
  const table = await make.remote().get()
  console.log('required: ' + sums(require('apache-arrow'), table))
  console.log('imported: ' + sums(await import('apache-arrow'), table))
  await ray.shutdown()
})`,
      'commonjs',
    )
  })

  test('is one wherever it was: in errors, instances and what serializers make', async () => {
    await assertSums(
      `import * as ray from 'typeray'
await ray.init({ numCpus: 1 })
${sums}
class Box { constructor(table) { this.table = table } }
class Sealed { #table; constructor(table) { this.#table = table } open() { return this.#table } }
ray.registerSerializer(Sealed, {
  serialize: (sealed) => sealed.open(), deserialize: (table) => new Sealed(table),
})
const make = ray.remote(async (kind) => {
  const { tableFromArrays } = await import('apache-arrow')
  const table = tableFromArrays(columns)
  if (kind === 'error') throw Object.assign(new Error('with a table'), { table })
  return kind === 'box' ? new Box(table) : new Sealed(table)
})
const sealed = await make.remote('sealed').get()
const { cause } = await make.remote('error').get().catch((error) => error)
const box = await make.remote('box').get()
const arrow = await import('apache-arrow')
console.log('sealed: ' + sums(arrow, sealed.open()))
console.log('error: ' + sums(arrow, cause.table))
console.log('box: ' + sums(arrow, box.table))`,
      'module',
    )
  })

  test('is one when datasets give it, to a program and to functions of its own', async () => {
    await assertSums(
      `${esm}
import { fromArrow, fromArrowRefs, fromColumns, lit } from 'typeray/data'
const data = fromColumns(columns)
const given = await data.toArrow()
console.log('given: ' + sums(arrow, given))
console.log('taken: ' + sums(arrow, await data.takeBatch(3, { batchFormat: 'arrow' })))
for await (const batch of data.iterBatches({ batchFormat: 'arrow' }))
  console.log('iterated: ' + sums(arrow, batch))
const again = (table) => {
  if (sums(arrow, table) !== '${expected}') throw new Error(sums(arrow, table))
  return arrow.tableFromIPC(arrow.tableToIPC(table))
}
const inGroup = (table) => again(table.select(Object.keys(columns)))
const inOne = data.withColumn('one', lit(1)).groupBy('one')
const grouped = await inOne.mapGroups(inGroup, { batchFormat: 'arrow' }).toArrow()
console.log('grouped: ' + sums(arrow, grouped))
const mapped = await data.mapBatches(again, { batchFormat: 'arrow' }).toArrow()
console.log('mapped: ' + sums(arrow, mapped))
const refs = await data.map((row) => row).toArrowRefs()
console.log('ref: ' + sums(arrow, await ray.get(refs[0])))
const check = ray.remote((name, table) => name + ': ' + sums(arrow, table))
console.log(await check.remote('ref in a worker', refs[0]).get())
console.log(await check.remote('value in a worker', given).get())
console.log(await check.remote('part in a worker', given.slice(0)).get())
console.log('back: ' + sums(arrow, await fromArrow(given).toArrow()))
console.log('refs back: ' + sums(arrow, await fromArrowRefs(refs).toArrow()))
console.log('own: ' + sums(arrow, await fromArrow(arrow.tableFromArrays(columns)).toArrow()))`,
      'module',
    )
  })

  test('costs programs with datasets no second copy of the library', async () => {
    const program = `import * as ray from 'typeray'
import { fromColumns } from 'typeray/data'
import { Session } from 'node:inspector'
await ray.init({ numCpus: 1 })
const copies = () => {
  const session = new Session()
  let count = 0
  session.on('Debugger.scriptParsed', ({ params: { url } }) => {
    if (/node_modules.apache-arrow/.test(url)) count++
  })
  session.connect()
  session.post('Debugger.enable')
  session.disconnect()
  return count
}
const look = (batch) => ({ ...batch, copies: batch.whole.map(copies) })
const rows = await fromColumns({ whole: Int32Array.of(1, 2, 3) }).mapBatches(look).takeAll()
console.log(rows.map((row) => row.copies).join(), copies())`
    const { stdout, stderr } = await runFiles({ 'program.mjs': program })
    assert.equal(stdout, '0,0,0 0\n', stderr)
  })
})
