import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import sharp from 'sharp'
import type { Tensor } from '../block/tensor.js'
import { Dataset } from '../dataset.js'
import { DatasetSession } from '../dataset-session.js'
import type { FileFormat } from '../datasource/file-format.js'
import { streamInOrder } from '../datasource/map-in-order.js'
import { InProcessRunner } from '../execution/in-process-runner.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'typeray-map-files-'))
after(() => fs.rmSync(folder, { recursive: true }))

interface Picture {
  image: Tensor<Uint8Array>
  path: string
  year: bigint
}

const image: FileFormat = { kind: 'image', size: undefined, mode: 'RGB' }

function read<Row>(name: string, format: FileFormat = image, blocks = 2): Dataset<Row> {
  const source = {
    kind: 'files',
    operator: 'readFiles',
    format,
    paths: [path.join(folder, name)],
    columns: undefined,
    limit: Number.POSITIVE_INFINITY,
    includePaths: true,
    partitioning: { style: 'hive' },
    blocks,
  } as const
  return new Dataset<Row>(new DatasetSession(new InProcessRunner()), { source, steps: [] })
}

/** Pictures whose pixels are their number, each in the folder of a year. */
async function pictures(name: string, sizes: readonly number[]): Promise<void> {
  for (const [i, width] of sizes.entries()) {
    const own = path.join(folder, name, `year=${2000 + i}`)
    fs.mkdirSync(own, { recursive: true })
    const pixels = new Uint8Array(width * 3).fill(i)
    const raw = { width, height: 1, channels: 3 } as const
    fs.writeFileSync(path.join(own, `${i}.png`), await sharp(pixels, { raw }).png().toBuffer())
  }
}

test('a function of rows is given images, their paths and what their folders say', async () => {
  await pictures('plain', [4, 4, 4, 4, 4])
  const rows = await read<Picture>('plain')
    .map(({ image: { data, shape }, path: file, year }) => {
      return { first: data[0], shape: shape.join(), name: path.basename(file), year }
    })
    .takeAll()
  const expected = [0, 1, 2, 3, 4].map((i) => {
    return { first: i, shape: '1,4,3', name: `${i}.png`, year: BigInt(2000 + i) }
  })
  assert.deepEqual(rows, expected)
})

test('columns that a function hands on keep the types that they have in a block', async () => {
  const schemas: unknown[] = []
  for (const sizes of [
    [4, 4, 4],
    [4, 5, 4, 6],
  ]) {
    const name = `sizes-${sizes.length}`
    await pictures(name, sizes)
    const passed = await read<Picture>(name, image, 1)
      .map((row) => ({ ...row, image: row.image }))
      .materialize()
    const whole = await read<Picture>(name, image, 1)
      .mapBatches((batch) => ({ ...batch }) as never)
      .materialize()
    assert.deepEqual(await passed.schema(), await whole.schema())
    assert.deepEqual(await passed.takeAll(), await whole.takeAll())
    schemas.push(await passed.schema())
  }
  assert.notDeepEqual(schemas[0], schemas[1])
})

test('bytes are given as bytes, and stay bytes', async () => {
  fs.mkdirSync(path.join(folder, 'bytes'))
  for (const name of ['a', 'b', 'c']) fs.writeFileSync(path.join(folder, 'bytes', name), name)
  const rows = await read<{ bytes: Uint8Array }>('bytes', { kind: 'binary' })
    .map(({ bytes }) => ({ bytes, isPlain: bytes.constructor === Uint8Array }))
    .takeAll()
  const expected = ['a', 'b', 'c'].map((name) => {
    return { bytes: new TextEncoder().encode(name), isPlain: true }
  })
  assert.deepEqual(rows, expected)
})

test('flatMap may make any number of rows of a file, also later', async () => {
  await pictures('many', [1, 2, 3])
  const rows = await read<Picture>('many')
    .flatMap(async ({ image: { shape } }) => {
      await new Promise((resolve) => setImmediate(resolve))
      return Array.from({ length: (shape[1] ?? 0) - 1 }, (_, i) => ({ i, width: shape[1] }))
    })
    .takeAll()
  assert.deepEqual(rows, [
    { i: 0, width: 2 },
    { i: 0, width: 3 },
    { i: 1, width: 3 },
  ])
})

test('a function that throws names the file, and is called again if it may', async () => {
  await pictures('failing', [1, 1, 1, 1])
  let calls = 0
  const fails = (row: Picture): { name: string } => {
    calls++
    if (row.path.endsWith('2.png')) throw new TypeError('no')
    return { name: row.path }
  }
  const place = /map\(fails\) failed at row 0 of .*failing\/year=2002\/2\.png: TypeError: no/
  await assert.rejects(read<Picture>('failing', image, 1).map(fails).takeAll(), place)
  assert.equal(calls, 3)
  let again = 0
  const second = (row: Picture): { name: string } => {
    if (row.path.endsWith('2.png') && again++ === 0) throw new TypeError('no')
    return { name: path.basename(row.path) }
  }
  const retried = read<Picture>('failing', image, 1).map(second, { retryExceptions: [TypeError] })
  const names = (await retried.takeAll()).map(({ name }) => name)
  assert.deepEqual(names, ['0.png', '1.png', '2.png', '3.png'])
  assert.equal(again, 2)
  const wrong = read<Picture>('failing').map(() => 1 as never)
  await assert.rejects(wrong.takeAll(), /must return a row, an object, and returned 1/)
})

test('a file that cannot be read fails the task, whatever was read before it', async () => {
  await pictures('broken', [1, 1])
  fs.writeFileSync(path.join(folder, 'broken', 'year=2001', '1.png'), 'not a picture')
  const named = read<Picture>('broken', image, 1).map(({ path: file }) => ({ file }))
  await assert.rejects(named.takeAll(), /1\.png is not an image/)
})

test('a stream of results is in order, and begins no more than it may ahead', async () => {
  let begun = 0
  let taken = 0
  let aheadMost = 0
  const numbers = Array.from({ length: 20 }, (_, i) => i)
  const slow = async (i: number): Promise<number> => {
    begun++
    for (let turn = 0; turn < (i * 7) % 5; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    return i
  }
  const results: number[] = []
  for await (const result of streamInOrder(numbers, slow, 3)) {
    aheadMost = Math.max(aheadMost, begun - ++taken)
    results.push(result)
  }
  assert.deepEqual(results, numbers)
  assert.equal(aheadMost, 3)
})
