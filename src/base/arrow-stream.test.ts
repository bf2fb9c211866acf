import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as arrow from 'apache-arrow'
import { arrowStream, deferStream, tableOfStream } from './arrow-stream.js'
import { pieceBytes } from './pieced-bytes.js'

const { Float64, makeData, RecordBatch, Schema, Struct, Table, tableFromIPC } = arrow

/** A table whose columns are these views of one buffer, or of several. */
function tableOf(columns: readonly Float64Array[]): arrow.Table {
  const type = new Float64()
  const fields = columns.map((_, i) => new arrow.Field(`c${i}`, type, true))
  const children = columns.map((data) => makeData({ type, length: data.length, data }))
  const rows = columns[0]?.length ?? 0
  const data = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children })
  return new Table([new RecordBatch(new Schema(fields), data)])
}

test('columns that share their memory are written one by one', () => {
  const numbers = Float64Array.from({ length: 64 }, (_, i) => i)
  const views: (readonly [number, number])[][] = [
    [[0, 16], [0, 16]],
    [[0, 16], [8, 24]],
    [[0, 16], [16, 32]],
    [[16, 32], [0, 16]],
    [[16, 32], [8, 24], [32, 48]],
  ] // prettier-ignore
  for (const ranges of views) {
    const columns = ranges.map(([start, end]) => numbers.subarray(start, end))
    const read = tableFromIPC(pieceBytes(arrowStream(arrow, tableOf(columns))))
    columns.forEach((column, i) => {
      assert.deepEqual(Float64Array.from(read.getChildAt(i)?.toArray() ?? []), column)
    })
  }
})

test('a stream is what the library writes where no memory is shared', () => {
  const table = arrow.tableFromArrays({
    n: Int32Array.of(1, 2, 3),
    word: ['a', 'ü', 'a'],
  })
  assert.deepEqual(pieceBytes(arrowStream(arrow, table)), arrow.tableToIPC(table, 'stream'))
  const empty = new Table(table.schema)
  assert.deepEqual(pieceBytes(arrowStream(arrow, empty)), arrow.tableToIPC(empty, 'stream'))
})

test('what is deferred is written by whichever copy of this module', async () => {
  const { href } = new URL('./arrow-stream.js?another', import.meta.url)
  const another = (await import(href)) as { readonly arrowStream: typeof arrowStream }
  assert.notEqual(another.arrowStream, arrowStream)
  const standIn = new Float64Array(32)
  const table = tableOf([standIn])
  const numbers = Float64Array.from(standIn, (_, i) => i / 2)
  const fill = (target: Uint8Array): void => target.set(new Uint8Array(numbers.buffer))
  deferStream(arrow, table, (piece) => {
    return piece.buffer === standIn.buffer ? { length: piece.length, fill } : piece
  })
  for (const write of [arrowStream, another.arrowStream]) {
    const read = tableFromIPC(pieceBytes(write(arrow, table)))
    assert.deepEqual(read.getChildAt(0)?.toArray(), numbers)
  }
})

test('empty names come through a stream, of columns and of members', () => {
  const member = new arrow.Field('', new Float64(), true)
  const type = new Struct([member])
  const number = makeData({ type: new Float64(), length: 1, data: Float64Array.of(7) })
  const struct = makeData({ type, length: 1, nullCount: 0, children: [number] })
  const table = new Table({ '': arrow.makeVector(struct), other: arrow.makeVector(number) })
  const read = tableOfStream(arrow, pieceBytes(arrowStream(arrow, table)))
  assert.deepEqual(
    read.schema.fields.map(({ name }) => name),
    ['', 'other'],
  )
  assert.deepEqual(read.getChild('')?.get(0)?.toJSON(), { '': 7 })
})
