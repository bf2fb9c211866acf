import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeU32 } from '../base/bytes.js'
import { Prng } from '../base/prng.js'
import { FrameReader } from './frame.js'

/** A frame of so many bytes, all of one value. */
function frameOf(length: number, fill: number): Uint8Array {
  const frame = new Uint8Array(4 + length).fill(fill)
  writeU32(frame, 0, length)
  return frame
}

test('frames of every size arrive whole, however they are cut', () => {
  const prng = new Prng(11)
  const lengths = [1, 5, 70_000, 3, 1_100_000, 1, 9_000_000, 40, 2_500_000, 1_048_572, 2]
  const stream = Buffer.concat(lengths.map((length, i) => frameOf(length, i)))
  for (const chunkMax of [5000, 65_536, 3_000_000]) {
    const heard: [length: number, first: number, last: number][] = []
    const reader = new FrameReader((buffer, start, end) => {
      heard.push([end - start, buffer[start]!, buffer[end - 1]!])
    })
    for (let at = 0; at < stream.length;) {
      const end = at + prng.integer(1, chunkMax)
      reader.push(Uint8Array.prototype.slice.call(stream, at, end))
      at = end
    }
    assert.deepEqual(
      heard,
      lengths.map((length, i) => [length, i, i]),
    )
  }
})
