import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { readImages, type Tensor } from '../../src/data/index.js'
import { rowsOf, schemaOf, temporaryFolder, testData, writeFiles } from './read-in-process.js'

const folder = temporaryFolder('images')

async function png(pixels: readonly number[], shape: readonly [number, number, 1 | 3 | 4]) {
  const [height, width, channels] = shape
  return sharp(Uint8Array.from(pixels), { raw: { width, height, channels } }).png().toBuffer()
}

const red = [255, 0, 0, 0, 255, 0]

test('an image is a tensor of height, width and channels', async () => {
  const own = writeFiles(path.join(folder, 'one'), {
    'a.png': await png(red, [1, 2, 3]),
    'b.txt': '',
  })
  const ds = readImages(own, { includePaths: true })
  assert.deepEqual(await schemaOf(ds), [
    'image FixedSizeList[1]<FixedSizeList[2]<FixedSizeList[3]<Uint8>>>',
    'path Utf8',
  ])
  const [row] = await rowsOf(ds)
  const image = row?.image as Tensor<Uint8Array>
  assert.deepEqual([image.shape, [...image.data]], [[1, 2, 3], red])
  assert.equal(row?.path, path.join(own, 'a.png'))
})

test('images of different sizes keep theirs, or are brought to one', async () => {
  const own = writeFiles(path.join(folder, 'sizes'), {
    'a.png': await png(red, [1, 2, 3]),
    'b.png': await png(red, [2, 1, 3]),
    'c.png': await png([1, 2, 3, 4], [1, 1, 4]),
  })
  const shapes = async (options: Parameters<typeof readImages>[1]) => {
    return (await rowsOf(readImages(own, options))).map(({ image }) => (image as Tensor).shape)
  }
  assert.deepEqual(await shapes({}), [
    [1, 2, 3],
    [2, 1, 3],
    [1, 1, 4],
  ])
  assert.deepEqual(await shapes({ mode: 'RGB', size: [4, 5] }), [
    [4, 5, 3],
    [4, 5, 3],
    [4, 5, 3],
  ])
  assert.deepEqual(await shapes({ mode: 'L', size: [4, 5] }), [
    [4, 5],
    [4, 5],
    [4, 5],
  ])
})

test('a file that is no image is an error that names it', async () => {
  const own = writeFiles(path.join(folder, 'bad'), { 'a.png': 'not a picture' })
  await assert.rejects(rowsOf(readImages(own)), /readImages: .*a\.png is not an image/)
})

const images = testData('images')

test('folders of images are read with their classes', { skip: images.skip }, async () => {
  const partitioning = {
    style: 'dir',
    fieldNames: ['label'],
    baseDir: images.folder ?? '',
  } as const
  const rows = await rowsOf(readImages(images.folder ?? '', { partitioning }))
  assert.equal(rows.length, 500)
  assert.deepEqual(new Set(rows.map(({ label }) => label)).size, 5)
  assert.deepEqual((rows[0]?.image as Tensor).shape, [32, 32, 3])
})
