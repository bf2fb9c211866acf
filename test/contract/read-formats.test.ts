import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { readPieceBytes } from '../../src/base/limits.js'
import {
  Dataset,
  fromItems,
  readBinaryFiles,
  readCsv,
  readJson,
  readParquet,
  readText,
} from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { partitionValues } from '../../src/data/datasource/partitioning.js'
import {
  blocksOf,
  describe,
  rowsOf,
  schemaOf,
  temporaryFolder,
  testData,
  writeFiles,
} from './read-in-process.js'

const folder = temporaryFolder('formats')
let count = 0
const write = (files: Readonly<Record<string, string | Uint8Array>>): string => {
  return writeFiles(path.join(folder, String(count++)), files)
}

test('JSON is read as lines, as an array, and as objects behind each other', async () => {
  const expected = [
    { a: 1n, b: { c: ['x', null] }, d: null },
    { a: 2n, b: null, d: new Date('2024-01-02') },
  ]
  const one = '{"a":1,"b":{"c":["x",null]}}'
  const two = '{"a":2,"d":"2024-01-02"}'
  for (const text of [`${one}\n${two}\n`, `[${one},\n${two}]`, `${one} ${two}`]) {
    const ds = readJson(write({ 'a.json': text }))
    assert.deepEqual(await rowsOf(ds), expected)
    assert.deepEqual(await schemaOf(ds), ['a Int64', 'b Struct<{c:List<Utf8>}>', 'd Date32<DAY>'])
  }
  const packed = readJson(write({ 'a.jsonl.gz': zlib.gzipSync(`${one}\n${two}`) }))
  assert.deepEqual(await rowsOf(packed), expected)
})

test('JSON files of one dataset may differ: keys are united, mixed values are text', async () => {
  const own = write({ '1.jsonl': '{"a":1,"b":1}', '2.jsonl': '{"b":"x","c":1.5}', '3.json': '' })
  assert.deepEqual(await rowsOf(readJson(own)), [
    { a: 1n, b: '1', c: null },
    { a: null, b: 'x', c: 1.5 },
  ])
  const typed = readJson(own, { columns: ['a'], columnTypes: { a: 'float32' } })
  assert.deepEqual(await schemaOf(typed), ['a Float32'])
})

test('broken JSON is an error that names the file and the place', async () => {
  const own = write({ '1.json': '[{"a":1}]', '2.json': '[{"a":1},{"a":]' })
  await assert.rejects(
    describe(readJson(own)),
    /readJson: Malformed JSON in file ".*2\.json", at byte/,
  )
})

test('a key that only files have which were not looked at is an error', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 100 }, (_, i) => {
      return [`${String(i).padStart(3, '0')}.json`, i === 1 ? '{"a":1,"z":2}' : '{"a":1}']
    }),
  )
  const own = write(files)
  await assert.rejects(rowsOf(readJson(own)), /has a key "z"/)
  assert.equal((await rowsOf(readJson(own, { columns: ['a'] }))).length, 100)
})

test('large files of lines are read in parts', async () => {
  const pad = 'x'.repeat(5000)
  const rows = Math.ceil((readPieceBytes * 2.5) / pad.length)
  const lines = Array.from({ length: rows }, (_, i) => `{"id":${i},"pad":"${pad}"}`).join('\n')
  const blocks = await blocksOf(readJson(write({ 'a.jsonl': lines }), { columns: ['id'] }), 1)
  assert.ok(blocks.length > 1)
  const ids = blocks.flatMap((block) =>
    Array.from(block.getChild('id')?.toArray() as BigInt64Array),
  )
  assert.deepEqual([ids.length, ids[0], ids.at(-1)], [rows, 0n, BigInt(rows - 1)])
  const texts = await blocksOf(readText(write({ 'a.txt': lines })), 1)
  assert.ok(texts.length > 1)
  assert.equal(
    texts.reduce((sum, block) => sum + block.numRows, 0),
    rows,
  )
})

test('text is a row per line, whatever its line ends', async () => {
  const own = write({ 'a.txt': 'one\r\n\n two\nthrée', 'b.txt.gz': zlib.gzipSync('four\n') })
  const texts = (await rowsOf(readText(own))).map(({ text }) => text)
  assert.deepEqual(texts, ['one', ' two', 'thrée', 'four'])
  const all = await rowsOf(readText(path.join(own, 'a.txt'), { dropEmptyLines: false }))
  assert.equal(all.length, 4)
  const latin = path.join(write({ 'l.txt': Buffer.from('caf\xe9', 'latin1') }), 'l.txt')
  assert.deepEqual(await rowsOf(readText(latin, { encoding: 'latin1' })), [{ text: 'café' }])
  await assert.rejects(rowsOf(readText(latin)), /l\.txt is not UTF-8/)
})

test('binary files are a row each', async () => {
  const own = write({ a: Uint8Array.of(1, 2), 'sub/b': new Uint8Array(0) })
  assert.deepEqual(await rowsOf(readBinaryFiles(own, { includePaths: true })), [
    { bytes: Uint8Array.of(1, 2), path: path.join(own, 'a') },
    { bytes: new Uint8Array(0), path: path.join(own, 'sub/b') },
  ])
})

test('folders say values: hive style, with nulls and escapes, and filters of them', async () => {
  const own = write({
    'year=2023/city=S%C3%A3o%2FP/a.csv': 'n\n1\n',
    'year=2024/city=__HIVE_DEFAULT_PARTITION__/a.csv': 'n\n2\n',
    '_tmp/year=2025/a.csv': 'n\n3\n',
  })
  assert.deepEqual(await rowsOf(readCsv(own)), [
    { n: 1n, year: 2023n, city: 'São/P' },
    { n: 2n, year: 2024n, city: null },
  ])
  const later = readCsv(own, { partitionFilter: ({ year }) => Number(year) > 2023 })
  assert.deepEqual(await rowsOf(later), [{ n: 2n, year: 2024n, city: null }])
  const texts = readText(own, { partitioning: { style: 'hive', fieldTypes: { year: 'string' } } })
  assert.deepEqual((await rowsOf(texts))[1], { text: '1', year: '2023', city: 'São/P' })
  const none = readCsv(own, { partitioning: null })
  assert.deepEqual((await rowsOf(none))[0], { n: 1n })
})

test('folders say values: by their place below a folder', async () => {
  const own = write({ '2023/a/x.csv': 'n\n1\n', '2024/b/x.csv': 'n\n2\n' })
  const partitioning = { style: 'dir', fieldNames: ['year', 'kind'], baseDir: own } as const
  const rows = await rowsOf(readCsv(own, { partitioning, columns: ['kind', 'n', 'year'] }))
  assert.deepEqual(rows[1], { kind: 'b', n: 2n, year: 2024n })
  const baseDir = path.relative(process.cwd(), own)
  const same = await rowsOf(readCsv(own, { partitioning: { ...partitioning, baseDir } }))
  assert.deepEqual(same[1], { n: 2n, year: 2024n, kind: 'b' })
  const elsewhere = { ...partitioning, baseDir: '/elsewhere' }
  const without = await rowsOf(readCsv(own, { partitioning: elsewhere }))
  assert.deepEqual(without[1], { n: 2n, year: null, kind: null })
  const few = { ...partitioning, fieldNames: ['year'] }
  await assert.rejects(
    rowsOf(readCsv(own, { partitioning: few })),
    /2023\/a, and partitioning names 1: year\. Say with baseDir/,
  )
})

test('the folder in which partitions begin may be in a bucket', () => {
  const style = { style: 'dir', fieldNames: ['kind'] } as const
  for (const baseDir of ['s3://bucket/in', 's3://bucket/in/', 's3://anonymous@bucket/in']) {
    const values = partitionValues('s3://bucket/in/cat/1.png', { ...style, baseDir })
    assert.deepEqual(values, { kind: 'cat' }, baseDir)
  }
  const hive = { style: 'hive', baseDir: '/a=1' } as const
  assert.deepEqual(partitionValues('/a=1/b=2/x.csv', hive), { b: '2' })
})

test('Parquet files get paths and partitions too', async () => {
  const own = write({})
  const file = (name: string) => path.join(own, name)
  const part = (k: string, ...ns: number[]) => {
    const rows = ns.map((n) => ({ n, k }))
    return new Dataset(new DatasetSession(new InProcessRunner()), {
      source: { kind: 'items', rows },
      steps: [],
    })
  }
  const filenameProvider = {
    getFilenameForBlock: (block: { get(row: number): unknown }) => {
      return `${Number((block.get(0) as { n: number }).n) === 4 ? 2 : 1}.parquet`
    },
  }
  for (const rows of [part('a', 1, 2), part('b', 3), part('b', 4)]) {
    const options = { partitionCols: ['k'], filenameProvider, mode: 'append' } as const
    await rows.writeParquet(own, options)
  }
  assert.deepEqual(await rowsOf(readParquet(own, { includePaths: true })), [
    { n: 1, k: 'a', path: file('k=a/1.parquet') },
    { n: 2, k: 'a', path: file('k=a/1.parquet') },
    { n: 3, k: 'b', path: file('k=b/1.parquet') },
    { n: 4, k: 'b', path: file('k=b/2.parquet') },
  ])
})

test('globs, lists, file URLs and missing paths', async () => {
  const own = write({ 'a1.txt': '1', 'a2.txt': '2', 'deep/er/a3.txt': '3', '.a4.txt': '4' })
  const texts = async (paths: string | readonly string[], options = {}) => {
    return (await rowsOf(readText(paths, options))).map(({ text }) => text).join('')
  }
  assert.equal(await texts(`${own}/a*.txt`), '12')
  assert.equal(await texts(`${own}/**/a*.txt`), '123')
  assert.equal(await texts(`${own}/a[2-9].txt`), '2')
  assert.equal(await texts([`${own}/a2.txt`, `file://${own}/a1.txt`]), '21')
  assert.equal(await texts(`${own}/{a1,a2}.txt`), '12')
  assert.equal(await texts(own), '123')
  await assert.rejects(texts(`${own}/b.txt`), /readText: there is no file or folder .*b\.txt/)
  await assert.rejects(texts('ftp://host/a.txt'), /begins with "ftp:\/\/"/)
  const paths = [`${own}/a1.txt`, `${own}/b.txt`]
  assert.equal(await texts(paths, { ignoreMissingPaths: true }), '1')
  await assert.rejects(describe(readCsv(own)), /there are no \.csv, \.tsv files in/)
})

test('a Parquet file that is cut off is an error that names it', async () => {
  const own = write({ 'cut.parquet': 'PAR1 and then nothing' })
  await assert.rejects(describe(readParquet(own)), /readParquet: .*cut\.parquet/)
})

test('options are checked at the call', () => {
  assert.throws(() => readCsv('x', { seperator: ';' } as object), /'seperator' is not an option/)
  assert.throws(() => readJson([]), /was given no paths/)
  assert.throws(() => readText('x', { compression: 'lz4' as 'gzip' }), /must be one of 'infer'/)
  assert.throws(() => readCsv('x', { columnTypes: { a: 'Int' as 'int8' } }), /'Int' is not a type/)
  const dir = { style: 'dir' } as const
  assert.throws(() => readCsv('x', { partitioning: dir }), /needs `fieldNames`/)
  assert.equal(fromItems([new Map([[1, 2]])]).plan.source.kind, 'items')
})

const taxi = testData('taxi')

test(
  'CSV files of the real world are read with the types that they have',
  { skip: taxi.skip },
  async () => {
    const ds = readCsv(path.join(taxi.folder ?? '', 'csv'), { int64: 'number' })
    const rows = await blocksOf(ds)
    assert.equal(
      rows.reduce((sum, block) => sum + block.numRows, 0),
      30_000,
    )
  },
)
