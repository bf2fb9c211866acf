import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableFromArrays } from 'apache-arrow'
import { PiecedBytes, writePiece } from '../base/pieced-bytes.js'
import { layoutObject, readObject } from './object-layout.js'
import { decodeValue, encodeValue } from './value-codec.js'

const hooks = { instanceProblem: () => 'no class here' }

test('the columns of a table are written from where they lie', () => {
  const numbers = Float64Array.from({ length: 3000 }, (_, i) => i / 2)
  const table = tableFromArrays({ numbers })
  const { bytes, buffers } = encodeValue([table, table], 'value', hooks)
  const [stream, ...others] = buffers
  assert.equal(others.length, 0)
  assert.ok(stream instanceof PiecedBytes)
  assert.ok(
    stream.pieces.some((each) => each instanceof Uint8Array && each.buffer === numbers.buffer),
  )
  const layout = layoutObject(new Uint8Array(0), bytes, buffers)
  const whole = new Uint8Array(layout.sizeBytes)
  for (const { bytes: piece, offset } of layout.parts) {
    writePiece(piece, whole.subarray(offset, offset + piece.length))
  }
  const read = readObject(whole)
  const parts = { buffers: read.buffers, attachments: [], code: [] }
  const [first, second] = decodeValue(read.bytes, parts) as (typeof table)[]
  assert.equal(first, second)
  assert.deepEqual(first?.getChild('numbers')?.toArray(), numbers)
})

test('a small table travels in band', () => {
  const { bytes, buffers } = encodeValue(tableFromArrays({ n: [1, 2] }), 'value', hooks)
  assert.equal(buffers.length, 0)
  const back = decodeValue(bytes, { buffers: [], attachments: [], code: [] })
  assert.deepEqual(
    Array.from((back as ReturnType<typeof tableFromArrays>).getChild('n') ?? []),
    [1, 2],
  )
})
