import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readU32, readU48 } from '../base/bytes.js'
import { frameType, pushFlag, pushHeadBytes, writePushHead } from '../wire/frame.js'
import { firstOf, itemsFrom, itemSequence, placeOf, streamNumberAfter } from './item-ids.js'
import { extensionBytes, extensionIn, frameWith } from './push-extension.js'
import { WantedItems } from './wanted-items.js'

const head = {
  type: frameType.push,
  flags: pushFlag.extended,
  attempt: 3,
  returns: 255,
  sequence: 77,
  fn: 9,
}

function frameOf(extension: Uint8Array, rest: Uint8Array): Uint8Array {
  const size = [extension.length & 0xff, extension.length >> 8]
  const frame = Buffer.concat([new Uint8Array(pushHeadBytes), Buffer.from(size), extension, rest])
  writePushHead(frame, 0, head)
  return frame
}

test('a frame is written anew with another extension, and all else as it was', () => {
  const rest = Buffer.from('arguments')
  const frame = frameOf(extensionBytes({ stream: 5, name: 'f' }), rest)
  const only = Array.from({ length: 1000 }, (_, i) => i)
  const copy = frameWith(frame, { only }, 123_456)
  assert.equal(readU32(copy, 0), copy.length - 4)
  assert.equal(readU48(copy, 8), 123_456)
  assert.deepEqual([copy[4], copy[5], copy[6], copy[7]], [head.type, head.flags, 3, 255])
  const size = copy[pushHeadBytes]! | (copy[pushHeadBytes + 1]! << 8)
  const at = pushHeadBytes + 2
  const extension = extensionIn(copy.subarray(at, at + size))
  assert.deepEqual(extension, { stream: 5, name: 'f', only })
  assert.deepEqual(Buffer.from(copy.subarray(at + size)), rest)
  assert.equal(readU48(frameWith(frame, { skip: 2 }), 8), 77)
})

test('ids of items lead back to their stream, and those of tasks to none', () => {
  const sequence = itemSequence(41, 7)
  assert.deepEqual(placeOf(sequence), { stream: 41, index: 7 })
  assert.equal(firstOf(sequence), itemSequence(41, 0))
  assert.deepEqual(itemsFrom(41, 7), { first: sequence, count: 2 ** 20 - 7 })
  assert.equal(itemsFrom(41, 2 ** 20 + 1).count, 0)
  assert.equal(placeOf(1_000_000_007), undefined)
  assert.equal(firstOf(1_000_000_007), 1_000_000_007)
  assert.throws(() => itemSequence(41, 2 ** 20), /can yield 1048576 items/)
  const last = 2 ** 27 - 1
  assert.equal(streamNumberAfter(last), 0)
  assert.ok(itemSequence(last, 2 ** 20 - 1) < 2 ** 48)
})

test('a run sends all items, those that are new, or those that are asked for', () => {
  const sent = (items: WantedItems): number[] => [0, 1, 2, 3, 4].filter((i) => items.has(i))
  assert.deepEqual(sent(new WantedItems({})), [0, 1, 2, 3, 4])
  assert.deepEqual(sent(new WantedItems({ skip: 3 })), [3, 4])
  const some = new WantedItems({ skip: 0, only: [1, 3], backpressure: 1 })
  assert.deepEqual(sent(some), [1, 3])
  assert.deepEqual([some.end, some.credit], [4, Infinity])
  assert.equal(new WantedItems({ skip: 3, backpressure: 2 }).credit, 5)
})
