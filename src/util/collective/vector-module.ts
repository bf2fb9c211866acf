// A WebAssembly module of one function, which combines two pieces of memory sixteen bytes at a
// time.
//
// A compiler for it would be larger than what it makes. In the text format it is
//
//   (module
//     (import "m" "m" (memory 1))
//     (func (export "f") (param $to i32) (param $from i32) (param $end i32)
//       (loop $again
//         ;; four times, at offsets 0, 16, 32 and 48
//         (v128.store (local.get $to)
//           (OPERATION (v128.load (local.get $to)) (v128.load (local.get $from))))
//         (local.set $from (i32.add (local.get $from) (i32.const 64)))
//         (br_if $again
//           (i32.lt_u
//             (local.tee $to (i32.add (local.get $to) (i32.const 64)))
//             (local.get $end))))))
//
// It works through `$to` up to `$end` in steps of 64 bytes, so both pieces need room up to the next
// multiple of that.

/** Bytes that one turn of the loop combines. */
export const vectorStepBytes = 64
const vectorBytes = 16

// Instructions and types, by the names of the text format.
const type = { i32: 0x7f, func: 0x60 } as const
const loop = [0x03, 0x40] as const
const end = 0x0b
const branchIf = [0x0d, 0] as const
const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
const tee = (local: number): number[] => [0x22, local]
const constant = (value: number): number[] => [0x41, ...signed(value)]
const add = 0x6a
const isLess = 0x49
const vector = (operation: number): number[] => [0xfd, ...unsigned(operation)]
/** Its address is a multiple of 2 ** 4, and `offset` is added to it. */
const at = (offset: number): number[] => [4, ...unsigned(offset)]
const load = (offset: number): number[] => [...vector(0), ...at(offset)]
const store = (offset: number): number[] => [...vector(11), ...at(offset)]
const name = (text: string): number[] => [text.length, ...Buffer.from(text)]

/** LEB128, as WebAssembly writes all numbers. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  const isLast = value >= -0x40 && value < 0x40
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)]
}

function section(id: number, bytes: readonly number[]): number[] {
  return [id, ...unsigned(bytes.length), ...bytes]
}

function code(operation: number): number[] {
  const [to, from, until] = [0, 1, 2]
  const steps: number[] = []
  for (let offset = 0; offset < vectorStepBytes; offset += vectorBytes) {
    steps.push(...get(to), ...get(to), ...load(offset), ...get(from), ...load(offset))
    steps.push(...vector(operation), ...store(offset))
  }
  const next = (local: number): number[] => [...get(local), ...constant(vectorStepBytes), add]
  return [
    ...[0, ...loop, ...steps, ...next(from), ...set(from)],
    ...[...next(to), ...tee(to), ...get(until), isLess, ...branchIf, end, end],
  ]
}

/** The module for one operation on vectors, by its number in WebAssembly. */
export function vectorModule(operation: number): Uint8Array {
  const body = code(operation)
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, type.func, 3, type.i32, type.i32, type.i32, 0]),
    ...section(2, [1, ...name('m'), ...name('m'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('f'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ])
}
