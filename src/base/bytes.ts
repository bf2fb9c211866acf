// Little-endian reads and writes on byte arrays, written out by hand: on the hot path they are
// several times faster than DataView or Buffer methods, which check bounds and arguments on every
// call.

export function readU32(b: Uint8Array, o: number): number {
  return (b[o]! | (b[o + 1]! << 8) | (b[o + 2]! << 16) | (b[o + 3]! << 24)) >>> 0
}

export function writeU32(b: Uint8Array, o: number, v: number): void {
  b[o] = v
  b[o + 1] = v >>> 8
  b[o + 2] = v >>> 16
  b[o + 3] = v >>> 24
}

export function readI32(b: Uint8Array, o: number): number {
  return b[o]! | (b[o + 1]! << 8) | (b[o + 2]! << 16) | (b[o + 3]! << 24)
}

/** Reads a 48-bit unsigned integer. */
export function readU48(b: Uint8Array, o: number): number {
  return readU32(b, o) + (b[o + 4]! | (b[o + 5]! << 8)) * 0x1_0000_0000
}

/** Writes an integer below 2^48. */
export function writeU48(b: Uint8Array, o: number, v: number): void {
  writeU32(b, o, v >>> 0)
  const high = (v / 0x1_0000_0000) | 0
  b[o + 4] = high
  b[o + 5] = high >>> 8
}

const double = new Float64Array(1)
const doubleBytes = new Uint8Array(double.buffer)

export function readF64(b: Uint8Array, o: number): number {
  for (let i = 0; i < 8; i++) doubleBytes[i] = b[o + i]!
  return double[0]!
}

export function writeF64(b: Uint8Array, o: number, v: number): void {
  double[0] = v
  for (let i = 0; i < 8; i++) b[o + i] = doubleBytes[i]!
}
