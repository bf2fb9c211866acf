// Frames, object layouts and claim words, with bytes that nobody should have sent.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pieceBytes } from '../base/pieced-bytes.js'
import { SerializationError } from '../base/errors.js'
import { claimedSince, claimStarted, claimStop, claimWord, isClaimOf } from './claim-slot.js'
import { controlFrame, FrameReader } from './frame.js'
import { layoutObject, readObject } from './object-layout.js'

const seed = Number(process.env['SEED'] ?? Date.now() % 0x7fff_ffff)

const run = (name: string, body: () => void): void =>
  void test(name, (t) => {
    t.diagnostic(`seed ${seed}; repeat with SEED=${seed}`)
    body()
  })

const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 })
const cuts = fc.array(fc.nat(2000), { maxLength: 12 })
const mutations = fc.array(fc.tuple(fc.nat(2000), fc.integer({ min: 0, max: 255 })), {
  minLength: 1,
  maxLength: 6,
})

/** What comes out of a reader that is fed the bytes in pieces. */
function framesOf(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const frames: Uint8Array[] = []
  const reader = new FrameReader((buffer, start, end) => {
    assert.ok(start < end && end <= buffer.length, 'a frame lies within its buffer')
    frames.push(buffer.slice(start + 1, end))
  })
  const edges = [...new Set([0, ...at.map((cut) => cut % (bytes.length + 1)), bytes.length])]
  edges.sort((a, b) => a - b)
  for (let i = 1; i < edges.length; i++) reader.push(bytes.slice(edges[i - 1], edges[i]))
  return frames
}

run('frames come whole, wherever the stream is cut', () => {
  fc.assert(
    fc.property(payloads, cuts, (parts, at) => {
      const bytes = new Uint8Array(Buffer.concat(parts.map((part) => controlFrame(part))))
      assert.deepEqual(framesOf(bytes, at), parts)
    }),
    { seed, numRuns: 1000 },
  )
})

run('a mutated stream gives frames or a SerializationError, and keeps no more than it got', () => {
  const before = process.memoryUsage().rss
  fc.assert(
    fc.property(payloads, cuts, mutations, (parts, at, changes) => {
      const bytes = new Uint8Array(Buffer.concat(parts.map((part) => controlFrame(part))))
      for (const [index, byte] of changes) bytes[index % bytes.length] = byte
      try {
        framesOf(bytes, at)
      } catch (error) {
        assert.ok(error instanceof SerializationError, String(error))
      }
    }),
    { seed, numRuns: 3000 },
  )
  assert.ok(process.memoryUsage().rss - before < 300e6)
})

run('a mutated object is read within its bytes, or refused with a SerializationError', () => {
  fc.assert(
    fc.property(payloads, mutations, fc.nat(100), (buffers, changes, missing) => {
      const layout = layoutObject(new Uint8Array([1, 2]), new Uint8Array(50), buffers)
      const whole = new Uint8Array(layout.sizeBytes)
      for (const { offset, bytes } of layout.parts) whole.set(pieceBytes(bytes), offset)
      assert.deepEqual(readObject(whole).buffers, buffers)
      // The header is where it matters.
      for (const [index, byte] of changes) whole[index % Math.min(60, whole.length)] = byte
      try {
        const { meta, bytes, buffers: read } = readObject(whole.subarray(0, -missing || undefined))
        const total = [meta, bytes, ...read].reduce((sum, part) => sum + part.length, 0)
        assert.ok(total <= whole.length)
      } catch (error) {
        assert.ok(error instanceof SerializationError, String(error))
      }
    }),
    { seed, numRuns: 3000 },
  )
})

run('a claim word knows its lease and its count, stopped or not, for whatever it holds', () => {
  const lease = fc.nat(2 ** 40)
  const started = fc.nat(2 ** 30)
  fc.assert(
    fc.property(lease, started, fc.nat(0xfffff), (of, count, more) => {
      const word = claimWord(of, count)
      assert.ok(word >= 0, 'it is not stopped')
      for (const each of [word, word | claimStop]) {
        assert.ok(isClaimOf(each, of))
        assert.ok(!isClaimOf(each, of + 1))
        assert.equal(claimedSince(claimStarted(each) + more, count), more)
      }
    }),
    { seed, numRuns: 1000 },
  )
})
