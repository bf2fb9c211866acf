// The value codec beside v8.serialize and msgpackr: millions of values per second, in and out, and
// milliseconds for large values. Medians of three; compare columns of one run, not runs.

import { createRequire } from 'node:module'
import v8 from 'node:v8'
import { encodeJoined as encodeValue } from '../src/wire/encode-joined.js'
import { decodeSmall, decodeValue, encodeSmall } from '../src/wire/value-codec.js'

interface Msgpackr {
  pack(value: unknown): Uint8Array
  unpack(bytes: Uint8Array): unknown
}

const { pack, unpack } = createRequire(import.meta.url)('msgpackr') as Msgpackr
const hooks = { instanceProblem: (): undefined => undefined }
const slab = new Uint8Array(65_536)
let sink: unknown

function median(measure: () => number): number {
  const results = [measure(), measure(), measure()].sort((a, b) => a - b)
  return results[1]!
}

function rate(runs: number, body: () => unknown): string {
  for (let i = 0; i < runs / 5; i++) sink = body()
  return median(() => {
    const started = performance.now()
    for (let i = 0; i < runs; i++) sink = body()
    return runs / (performance.now() - started) / 1000
  }).toFixed(2)
}

function milliseconds(body: () => unknown): string {
  sink = body()
  return median(() => {
    const started = performance.now()
    sink = body()
    return performance.now() - started
  }).toFixed(2)
}

const small: Record<string, unknown> = {
  undefined: undefined,
  int: 77_777,
  double: 1.5,
  'short string': 'hello',
  '100 characters': 'x'.repeat(100),
  '{a: 1}': { a: 1 },
  "{a: 1, b: 'hello'}": { a: 1, b: 'hello' },
  '[1, 2]': [1, 2],
  'nested, 4 objects': { id: 7, name: 'worker-7', tags: ['a', 'b'], pos: { x: 1.5, y: 2.5 } },
}
const rows = (value: unknown): string[] => {
  const end = encodeSmall(slab, 0, slab.length, value)
  const bytes = slab.slice(0, end)
  const encoded = { ...encodeValue(value, 'value', hooks), bytes }
  const v8Bytes = v8.serialize(value)
  const packed = Buffer.from(pack(value))
  return [
    rate(400_000, () => encodeSmall(slab, 0, slab.length, value)),
    rate(400_000, () => decodeSmall(bytes, 0)),
    rate(100_000, () => encodeValue(value, 'value', hooks)),
    rate(100_000, () => decodeValue(bytes, encoded)),
    rate(50_000, () => v8.serialize(value)),
    rate(50_000, () => v8.deserialize(v8Bytes)),
    rate(100_000, () => pack(value)),
    rate(100_000, () => unpack(packed)),
  ]
}

const columns = ['small out', 'small in', 'general out', 'in', 'v8 out', 'in', 'msgpackr out', 'in']
const print = (name: string, cells: readonly string[]): void =>
  console.log(name.padEnd(20) + cells.map((cell) => cell.padStart(14)).join(''))

print('M values/s', columns)
for (const [name, value] of Object.entries(small)) print(name, rows(value))

const large: Record<string, unknown> = {
  '10 000 objects': Array.from({ length: 10_000 }, (_, id) => ({
    id,
    name: `row ${id}`,
    score: id / 3,
    ok: true,
  })),
  '100 000 integers': Array.from({ length: 100_000 }, (_, i) => i),
  'Float64Array, 8 MB': new Float64Array(1_000_000),
}
print('ms', ['codec out', 'in', 'v8 out', 'in', 'msgpackr out', 'in'])
for (const [name, value] of Object.entries(large)) {
  const encoded = encodeValue(value, 'value', hooks)
  const kept = { ...encoded, bytes: encoded.bytes.slice() }
  const v8Bytes = v8.serialize(value)
  const packed = Buffer.from(pack(value))
  print(name, [
    milliseconds(() => encodeValue(value, 'value', hooks)),
    milliseconds(() => decodeValue(kept.bytes, kept)),
    milliseconds(() => v8.serialize(value)),
    milliseconds(() => v8.deserialize(v8Bytes)),
    milliseconds(() => pack(value)),
    milliseconds(() => unpack(packed)),
  ])
}
if (sink === slab) console.log('never')
