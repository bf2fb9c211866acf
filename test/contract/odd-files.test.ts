// Files that are cut off, broken or odd: each gives its rows, or an error that says where and why.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import zlib from 'node:zlib'
import {
  col,
  Dataset,
  fromItems,
  readCsv,
  readJson,
  readParquet,
  readText,
} from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { engineBufferBytes } from '../../src/data/datasource/csv-last-line.js'
import { execute } from '../../src/data/engine/engine.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { describeFiles, readFiles } from '../../src/data/datasource/file-readers.js'
import { filesOf, rowsOf, temporaryFolder } from './read-in-process.js'

const folder = temporaryFolder('odd')
let count = 0

/** A file with this content. */
function put(name: string, content: string | Uint8Array): string {
  const own = path.join(folder, String(count++))
  fs.mkdirSync(own)
  fs.writeFileSync(path.join(own, name), content)
  return path.join(own, name)
}

/** The same dataset, run in this process. */
const here = <R>(dataset: Dataset<R>): Dataset<R> =>
  new Dataset<R>(new DatasetSession(new InProcessRunner()), dataset.plan)

/** Lengths that end a file in each of its kinds of places. */
const cuts = (bytes: Uint8Array): number[] =>
  [1, 4, 10, 20, 1000, bytes.length / 2, bytes.length - 9, bytes.length - 4, bytes.length - 1]
    .map(Math.floor)
    .filter((length) => length < bytes.length)

test('a Parquet file that is cut off anywhere is an error that names it', async () => {
  const file = path.join(folder, 'whole.parquet')
  execute(`COPY (SELECT i AS n, 'x' || i AS s FROM range(5000) t(i)) TO '${file}' (FORMAT parquet)`)
  const whole = fs.readFileSync(file)
  for (const length of [0, ...cuts(whole), whole.length - 8]) {
    const cut = readParquet(put('cut.parquet', whole.subarray(0, length)))
    await assert.rejects(rowsOf(cut), /^RayError: readParquet: .*cut\.parquet/, `${length}`)
  }
  const broken = Buffer.from(whole)
  broken.fill(0xff, 10, 400)
  const ds = readParquet<{ n: bigint }>(put('broken.parquet', broken))
  await assert.rejects(rowsOf(ds), /^RayError: readParquet: .*broken\.parquet/)
  await assert.rejects(here(ds.filter(col('n').gt(1))).takeAll(), /broken\.parquet/)
})

test('a Parquet file that is written again before it is read is an error', async () => {
  const own = put('own.parquet', '')
  const write = (rows: number): void => {
    execute(`COPY (SELECT i AS n FROM range(${rows}) t(i)) TO '${own}' (FORMAT parquet)`)
  }
  write(5000)
  const source = filesOf(readParquet(own))
  const { files, columns } = await describeFiles(source)
  const pieces = files.flatMap((file) => file.pieces)
  assert.equal((await readFiles({ source, pieces, columns })).numRows, 5000)
  // Whatever the clock of the file system says.
  const { atime, mtimeMs } = fs.statSync(own)
  write(4000)
  fs.utimesSync(own, atime, new Date(mtimeMs + 2000))
  await assert.rejects(readFiles({ source, pieces, columns }), /own\.parquet was written again/)
  fs.rmSync(own)
  await assert.rejects(readFiles({ source, pieces, columns }), /readParquet: .*own\.parquet/)
})

test('a compressed file that is cut off is an error, and not fewer rows', async () => {
  const lines = Array.from({ length: 5000 }, (_, i) => `{"a":${i},"b":${(i * 7919) % 4999}}`)
  const json = `${lines.join('\n')}\n`
  const csv = `a,b\n${lines.map((_, i) => `${i},${(i * 7919) % 4999}`).join('\n')}\n`
  const zstd = path.join(folder, 'whole.json.zst')
  const select = 'SELECT i AS a, (i * 7919) % 4999 AS b FROM range(5000) t(i)'
  execute(`COPY (${select}) TO '${zstd}' (FORMAT json, COMPRESSION zstd)`)
  const files = {
    'a.json.gz': zlib.gzipSync(json),
    'a.json.zst': fs.readFileSync(zstd),
    'a.csv.gz': zlib.gzipSync(csv),
    'a.csv.br': zlib.brotliCompressSync(csv),
    'a.txt.gz': zlib.gzipSync(json),
  }
  const readers = {
    json: (file: string): Dataset<object> => readJson(file),
    csv: (file: string): Dataset<object> => readCsv(file),
    txt: (file: string): Dataset<object> => readText(file),
  }
  for (const [name, bytes] of Object.entries(files)) {
    const reader = readers[name.split('.')[1] as keyof typeof readers]
    for (const length of cuts(bytes)) {
      const cut = rowsOf(reader(put(name, bytes.subarray(0, length))))
      await assert.rejects(cut, new RegExp(`${name} is not a whole \\w+ file`), `${length}`)
    }
    assert.equal((await rowsOf(reader(put(name, bytes)))).length, 5000, name)
    assert.deepEqual(await rowsOf(reader(put(name, ''))), [], name)
  }
  const two = [zlib.gzipSync('{"a":1}\n'), zlib.gzipSync('{"a":2}\n')]
  assert.equal((await rowsOf(readJson(put('two.json.gz', Buffer.concat(two))))).length, 2)
})

test('values that do not fit, and bytes that are no text, have a place', async () => {
  const late = `a,b\n${'1,2\n'.repeat(30_000)}`
  const csv = (text: string | Uint8Array) => readCsv<{ a: bigint }>(put('a.csv', text))
  const badUtf8 = Buffer.concat([Buffer.from('a,b\n1,x\n2,'), Buffer.of(0xff, 0xfe, 10)])
  const cases = [
    [csv(`${late}3\n`), /readCsv: CSV Error on Line: 30002; .*: 2 Found: 1; in .*a\.csv/],
    [csv(`${late}x,3\n`), /readCsv: CSV Error on Line: 30002; .*"x" to 'BIGINT'; in .*a\.csv/],
    [csv('a,b\n1,"x\n2,y\n'), /Line: 2; .*unterminated quote found.*in .*a\.csv/],
    [csv(badUtf8), /Line: 3; .*Invalid unicode.*in .*a\.csv/],
    [csv(Buffer.from('a,\xff\n1,2\n', 'latin1')), /Line: 1; Invalid unicode/],
    [csv('\0a\n1\n'), /a\.csv is no text: .* at byte 0 .* `encoding: 'utf-16'`/],
    [csv('a,A\n1,2\n'), /a\.csv has two columns "A", whatever the case/],
  ] as const
  for (const [dataset, message] of cases) {
    await assert.rejects(rowsOf(dataset), message)
    // A filter that runs while the file is read is not to blame.
    await assert.rejects(here(dataset.filter(col('a').gt(0))).takeAll(), message)
  }
})

test('JSON that is odd gives its rows, or says why not', async () => {
  const json = (text: string | Uint8Array) => rowsOf(readJson(put('a.json', text)))
  assert.deepEqual(await json('{"a":1e400}\n{"a":-1}\n'), [{ a: Infinity }, { a: -1 }])
  assert.deepEqual(await json('{"a":123456789012345678901234567890}'), [
    { a: 1.2345678901234568e29 },
  ])
  assert.deepEqual(await json('\uFEFF{"a":1}\r\n\r\n{"a":2}'), [{ a: 1n }, { a: 2n }])
  assert.deepEqual(await json('[]'), [])
  assert.deepEqual(await json('{"a":null}\n{"a":null}\n'), [{ a: null }, { a: null }])
  assert.deepEqual(await json('{"a":"x\\u0000y"}'), [{ a: 'x\0y' }])
  const deep = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
  assert.equal((await json(deep(100))).length, 1)
  await assert.rejects(json(deep(5000)), /depth limit of 1000 exceeded\. \(reading .*a\.json\)/)
  await assert.rejects(json('{"a":1,"a":2}'), /a\.json", in .* 1: .*has duplicate key "a"$/)
  await assert.rejects(json('{"a":1,"A":2}'), /a\.json: The columns "a" and "A" differ only/)
  await assert.rejects(json('{}\n{}\n'), /a\.json has no objects with keys/)
  await assert.rejects(json('[1,2]'), /a\.json/)
  await assert.rejects(json('{"a":1}\n{"a":2'), /a\.json", at byte 7 in line 3: unexpected end/)
  await assert.rejects(json(Buffer.of(123, 34, 97, 34, 58, 34, 255, 34, 125)), /invalid UTF-8/)
  await assert.rejects(json('{"a":"\\ud800"}'), /a\.json.*surrogate/)
  assert.deepEqual(await json('{"a_1":1,"a":2}'), [{ a_1: 1n, a: 2n }])
})

test('a value that is longer than the buffers of the engine is a value', async () => {
  const giant = 'y'.repeat(engineBufferBytes + 1)
  const quoted = `"${giant}"`
  const lengths = async (values: readonly string[], blockBytes: number): Promise<unknown[]> => {
    const text = `a,b\n${values.map((value, i) => `${i},${value}`).join('\n')}`
    const rows = await rowsOf(readCsv(put('a.csv', text)), blockBytes)
    return rows.map(({ b }) => (b as string).length)
  }
  // In files as a whole and in pieces of them. The engine says something else of each of these, and
  // of a last line that is not quoted nothing at all.
  assert.deepEqual(await lengths([giant, 'z\n'], 1e9), [giant.length, 1])
  assert.deepEqual(await lengths([quoted, 'z\n'], 1), [giant.length, 1])
  assert.deepEqual(await lengths(['z', quoted], 1e9), [1, giant.length])
  for (const blockBytes of [1, 1e9]) {
    assert.deepEqual(await lengths(['z', giant], blockBytes), [1, giant.length])
  }
})

/** Text as a frame of zstd whose blocks are the bytes as they are. */
function zstdOf(text: string): Buffer {
  const bytes = Buffer.from(text)
  const parts = [Buffer.from('28b52ffd0058', 'hex')]
  for (let at = 0; at < bytes.length; at += 131_072) {
    const block = bytes.subarray(at, at + 131_072)
    const isLast = at + block.length === bytes.length ? 1 : 0
    const header = Buffer.alloc(3)
    header.writeUIntLE(block.length * 8 + isLast, 0, 3)
    parts.push(header, block)
  }
  return Buffer.concat(parts)
}

test('a last line that goes beyond a buffer is read, compressed or not', async () => {
  const line = 'y'.repeat(3_000_000)
  const before = `7,${'w'.repeat(997)}\n`.repeat(31_000)
  const giant = 'y'.repeat(engineBufferBytes + 1)
  const count = async (name: string, content: string | Buffer): Promise<number[]> => {
    const rows = await rowsOf(readCsv(put(name, content)), 1e9)
    return [rows.length, (rows.at(-1)?.b as string).length]
  }
  const texts: readonly (readonly [text: string, rows: number, length: number])[] = [
    [`a,b\n${before}8,${line}`, 31_001, line.length],
    [`a,b\n${before}8,${line}\n`, 31_001, line.length],
    [`a,b\n8,z\n8,${giant}`, 2, giant.length],
    [`a,b\n8,z\n8,${giant}\n8,${line}\n`, 3, line.length],
  ]
  for (const [text, rows, length] of texts) {
    assert.deepEqual(await count('a.csv', text), [rows, length])
    assert.deepEqual(await count('a.csv.gz', zlib.gzipSync(text, { level: 1 })), [rows, length])
    if (rows < 31_001) continue
    const options = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 0 } }
    const brotli = zlib.brotliCompressSync(text, options)
    assert.deepEqual(await count('a.csv.br', brotli), [rows, length])
    assert.deepEqual(await count('a.csv.zst', zstdOf(text)), [rows, length])
  }
})

test('quoted line ends of Windows at the ends of pieces belong to their value', async () => {
  // More than one piece, and a line end in every value.
  const line = (i: number) => `${i},"${'x'.repeat(3990)}\r\n${i}"\r\n`
  const rows = 9000
  const text = Array.from({ length: rows }, (_, i) => line(i)).join('')
  const found = await rowsOf(readCsv(put('a.csv', `\uFEFFid,text\r\n${text}`)), 1)
  assert.equal(found.length, rows)
  assert.ok(
    found.every(({ id, text: value }, i) => {
      return id === BigInt(i) && (value as string).endsWith(`x\r\n${i}`)
    }),
  )
})

test('empty files, and columns without values, are read with those that have some', async () => {
  const own = path.dirname(put('1.csv', ''))
  fs.writeFileSync(path.join(own, '2.csv'), 'a,b\n')
  fs.writeFileSync(path.join(own, '3.csv'), 'a,b\n,\n,\n')
  fs.writeFileSync(path.join(own, '4.csv'), 'a,b\n1,x\n')
  assert.deepEqual(await rowsOf(readCsv(own)), [
    { a: null, b: null },
    { a: null, b: null },
    { a: 1n, b: 'x' },
  ])
  const empty = path.join(own, 'empty')
  fs.mkdirSync(empty)
  await assert.rejects(
    rowsOf(readCsv(empty)),
    /readCsv: there are no \.csv, \.tsv files in .*empty/,
  )
  assert.deepEqual(await rowsOf(readCsv(empty, { ignoreMissingPaths: true })), [])
})

test('files that disagree inside of lists, or about the case of names, are refused', async () => {
  const own = path.join(folder, 'disagree')
  fs.mkdirSync(own)
  const types = {
    numbers: '[1]',
    doubles: '[1.5::DOUBLE]',
    texts: "['a']",
    small: "{'a': 1, 'b c': [1]}",
    large: "{'a': 1::BIGINT, 'd': 'z'}",
    other: "{'a': 'q', 'b c': [1]}",
    inner: "{'a': 1, 'b c': ['x']}",
  }
  for (const [name, value] of Object.entries(types)) {
    execute(`COPY (SELECT ${value} AS x) TO '${own}/${name}.parquet' (FORMAT parquet)`)
  }
  execute(`COPY (SELECT 1 AS "X") TO '${own}/upper.parquet' (FORMAT parquet)`)
  const both = (a: keyof typeof types, b: keyof typeof types | 'upper') =>
    rowsOf(readParquet([a, b].map((name) => path.join(own, `${name}.parquet`))))
  assert.deepEqual(
    (await both('numbers', 'doubles')).map(({ x }) => x),
    [[1], [1.5]],
  )
  assert.equal((await both('small', 'large')).length, 2)
  const refused = [
    ['numbers', 'texts'],
    ['small', 'other'],
    ['small', 'inner'],
    ['numbers', 'small'],
  ] as const
  for (const [a, b] of refused) await assert.rejects(both(a, b), /files disagree about column "x"/)
  await assert.rejects(both('numbers', 'upper'), /columns "x" of .* and "X" of .*upper\.parquet/)
})

test('a link to a folder that it is in is not followed', async () => {
  const own = path.dirname(put('a.csv', 'a\n1\n'))
  fs.mkdirSync(path.join(own, 'inner'))
  fs.symlinkSync(own, path.join(own, 'inner', 'around'))
  const beside = path.dirname(put('b.csv', 'a\n2\n'))
  fs.symlinkSync(beside, path.join(own, 'inner', 'beside'))
  assert.deepEqual(await rowsOf(readCsv(own)), [{ a: 1n }, { a: 2n }])
})

test('columns that differ in case only are refused where they cannot be told apart', async () => {
  const twins = here(fromItems([{ a: 1, A: 2 }]))
  assert.deepEqual(await twins.takeAll(), [{ a: 1, A: 2 }])
  const message = /The columns "\w" and "\w" differ only in the case of their letters/
  await assert.rejects(twins.sort(['a', 'A']).takeAll(), message)
  await assert.rejects(twins.writeParquet(path.join(folder, 'twins')), message)
})

test('thousands of files of one row are listed, read and counted', async () => {
  const own = path.join(folder, 'tiny')
  const files = 4000
  for (let i = 0; i < files; i++) {
    const inner = path.join(own, String(i % 20).padStart(2, '0'))
    if (i < 20) fs.mkdirSync(inner, { recursive: true })
    fs.writeFileSync(path.join(inner, `${String(i).padStart(5, '0')}.csv`), `n\n${i}\n`)
  }
  const ds = here(readCsv<{ n: bigint }>(own))
  assert.equal(await ds.count(), files)
  assert.equal(await ds.sum('n'), BigInt((files * (files - 1)) / 2))
  assert.deepEqual(ds.stats().operators[0]?.files, { read: files, found: files })
})
