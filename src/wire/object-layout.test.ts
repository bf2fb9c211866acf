import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pieceBytes } from '../base/pieced-bytes.js'
import { writeU32, writeU48 } from '../base/bytes.js'
import { SerializationError } from '../base/errors.js'
import {
  headerBytesNeeded,
  layoutObject,
  objectSizeBytes,
  readObject,
  readObjectHeader,
} from './object-layout.js'

function bytesOf(layout: ReturnType<typeof layoutObject>): Uint8Array {
  const whole = new Uint8Array(layout.sizeBytes)
  for (const part of layout.parts) whole.set(pieceBytes(part.bytes), part.offset)
  return whole
}

test('reads back the parts that were laid out, with buffers at multiples of 64', () => {
  const meta = Uint8Array.of(1, 2, 3)
  const bytes = Uint8Array.of(4)
  for (const buffers of [
    [],
    [new Uint8Array(5).fill(5)],
    [new Uint8Array(64), new Uint8Array(0), new Uint8Array(1)],
  ]) {
    const layout = layoutObject(meta, bytes, buffers)
    const whole = bytesOf(layout)
    const header = readObjectHeader(whole)!
    assert.equal(objectSizeBytes(header), layout.sizeBytes)
    for (const { offset } of header.buffers) assert.equal(offset % 64, 0)
    assert.deepEqual(readObject(whole), { meta, bytes, buffers })
  }
})

test('says how much of the beginning it needs', () => {
  const layout = layoutObject(new Uint8Array(0), new Uint8Array(0), [
    new Uint8Array(1),
    new Uint8Array(1),
  ])
  const whole = bytesOf(layout)
  assert.equal(readObjectHeader(whole.subarray(0, 4)), undefined)
  const first = headerBytesNeeded(new Uint8Array(0))
  const needed = headerBytesNeeded(whole.subarray(0, first))
  assert.equal(readObjectHeader(whole.subarray(0, needed - 1)), undefined)
  assert.equal(readObjectHeader(whole.subarray(0, needed))!.buffers.length, 2)
})

test('expresses an object beyond 4 GiB', () => {
  const gigabyte = 1024 ** 3
  const buffers = Array.from({ length: 5 }, () => ({ length: gigabyte }) as Uint8Array)
  const layout = layoutObject(new Uint8Array(1), new Uint8Array(1), buffers)
  assert.ok(layout.sizeBytes > 5 * gigabyte)
  assert.equal(layout.parts.at(-1)!.offset + gigabyte, layout.sizeBytes)
  const header = readObjectHeader(pieceBytes(layout.parts[0]!.bytes))!
  assert.deepEqual(
    header.buffers.map((buffer) => buffer.offset),
    layout.parts.slice(3).map((part) => part.offset),
  )
})

test('refuses bytes that are not an object', () => {
  const whole = bytesOf(layoutObject(new Uint8Array(9), new Uint8Array(9), [new Uint8Array(100)]))
  assert.throws(() => readObject(whole.subarray(0, whole.length - 1)), SerializationError)
  assert.throws(() => readObject(new Uint8Array(100)), SerializationError)
  const huge = whole.slice()
  writeU48(huge, 20, 2 ** 40)
  assert.throws(() => readObject(huge), SerializationError)
  writeU32(huge, 4, 0xffff_ffff)
  assert.throws(() => readObject(huge), SerializationError)
})
