// The kinds of arrays, and the loops that combine them where there is no instruction for it.
//
// Each kind of array has functions of its own, compiled from one text: a loop that has seen several
// kinds is 30 to 80 times slower than one that has seen one, and closures of one function share
// what they have seen.

/** The arrays that collectives work on. */
export type NumericArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array

/** How values of several ranks become one. */
export type ReduceOp = 'SUM' | 'PRODUCT' | 'MIN' | 'MAX'

export const reduceOps: readonly ReduceOp[] = ['SUM', 'PRODUCT', 'MIN', 'MAX']

/** Combines `a` and `b` into `out`, and writes the same to `keep`. All have one length. */
export type Kernel = (
  out: NumericArray,
  keep: NumericArray,
  a: NumericArray,
  b: NumericArray,
) => void

type Family = 'float' | 'integer' | 'bigint'

/** The value of `x` and `y`. Products of 32-bit integers do not fit a double: they wrap. */
const expressions: Readonly<Record<Family, Readonly<Record<ReduceOp, string>>>> = {
  float: { SUM: 'x + y', PRODUCT: 'x * y', MIN: 'Math.min(x, y)', MAX: 'Math.max(x, y)' },
  integer: {
    SUM: 'x + y',
    PRODUCT: 'Math.imul(x, y)',
    MIN: 'Math.min(x, y)',
    MAX: 'Math.max(x, y)',
  },
  // The engine computes in machine words only where asIntN says that 64 bits are enough.
  bigint: {
    SUM: 'BigInt.asIntN(64, x + y)',
    PRODUCT: 'BigInt.asIntN(64, x * y)',
    MIN: 'x < y ? x : y',
    MAX: 'x > y ? x : y',
  },
}

/**
 * Instructions of WebAssembly that do the same to sixteen bytes: the numbers of `i8x16.add` and so
 * on. Nothing multiplies bytes, or compares 64 bits. Clamped bytes are added with saturation.
 */
const vectorOperations: Readonly<Record<string, Readonly<Partial<Record<ReduceOp, number>>>>> = {
  Int8Array: { SUM: 0x6e, MIN: 0x76, MAX: 0x78 },
  Uint8Array: { SUM: 0x6e, MIN: 0x77, MAX: 0x79 },
  Uint8ClampedArray: { SUM: 0x70, MIN: 0x77, MAX: 0x79 },
  Int16Array: { SUM: 0x8e, PRODUCT: 0x95, MIN: 0x96, MAX: 0x98 },
  Uint16Array: { SUM: 0x8e, PRODUCT: 0x95, MIN: 0x97, MAX: 0x99 },
  Int32Array: { SUM: 0xae, PRODUCT: 0xb5, MIN: 0xb6, MAX: 0xb8 },
  Uint32Array: { SUM: 0xae, PRODUCT: 0xb5, MIN: 0xb7, MAX: 0xb9 },
  Float32Array: { SUM: 0xe4, PRODUCT: 0xe6, MIN: 0xe8, MAX: 0xe9 },
  Float64Array: { SUM: 0xf0, PRODUCT: 0xf2, MIN: 0xf4, MAX: 0xf5 },
  BigInt64Array: { SUM: 0xce, PRODUCT: 0xd5 },
  BigUint64Array: { SUM: 0xce, PRODUCT: 0xd5 },
}

/** Four at a time is twice as fast as one at a time. */
function kernelText(name: string, expression: string): string {
  const step = (at: string): string =>
    `{ const x = a[${at}], y = b[${at}], v = ${expression}; out[${at}] = v; keep[${at}] = v }`
  return `// ${name}
    const n = out.length, m = n - 3
    let i = 0
    for (; i < m; i += 4) { ${['i', 'i + 1', 'i + 2', 'i + 3'].map(step).join(' ')} }
    for (; i < n; i++) ${step('i')}`
}

/** A kind of array: its place in the list of kinds stands for it in shared memory. */
export class ArrayKind {
  readonly name: string
  readonly bytes: number
  readonly #type: ArrayType
  readonly #family: Family
  readonly #kernels = new Map<ReduceOp, Kernel>()

  constructor(type: ArrayType, family: Family) {
    this.name = type.name
    this.bytes = type.BYTES_PER_ELEMENT
    this.#type = type
    this.#family = family
  }

  view(buffer: ArrayBufferLike, offset: number, length: number): NumericArray {
    return new this.#type(buffer, offset, length)
  }

  /** The number of the instruction that combines vectors, if there is one. */
  vectorOperation(op: ReduceOp): number | undefined {
    return vectorOperations[this.name]?.[op]
  }

  kernel(op: ReduceOp): Kernel {
    let kernel = this.#kernels.get(op)
    if (kernel === undefined) {
      const text = kernelText(`${this.name} ${op}`, expressions[this.#family][op])
      kernel = new Function('out', 'keep', 'a', 'b', text) as Kernel
      this.#kernels.set(op, kernel)
    }
    return kernel
  }
}

type ArrayType = {
  new (buffer: ArrayBufferLike, offset: number, length: number): NumericArray
  readonly name: string
  readonly BYTES_PER_ELEMENT: number
}

export const arrayKinds: readonly ArrayKind[] = [
  new ArrayKind(Int8Array, 'integer'),
  new ArrayKind(Uint8Array, 'integer'),
  new ArrayKind(Uint8ClampedArray, 'float'),
  new ArrayKind(Int16Array, 'integer'),
  new ArrayKind(Uint16Array, 'integer'),
  new ArrayKind(Int32Array, 'integer'),
  new ArrayKind(Uint32Array, 'integer'),
  new ArrayKind(Float32Array, 'float'),
  new ArrayKind(Float64Array, 'float'),
  new ArrayKind(BigInt64Array, 'bigint'),
  new ArrayKind(BigUint64Array, 'bigint'),
]

const numberOfTag = new Map(arrayKinds.map(({ name }, index) => [name, index]))
const uint8 = numberOfTag.get('Uint8Array') ?? 0

/** The number of the kind of an array; a Buffer is a Uint8Array. */
export function arrayKindNumber(what: string, array: unknown): number {
  const tag = ArrayBuffer.isView(array)
    ? (array as unknown as Record<symbol, unknown>)[Symbol.toStringTag]
    : undefined
  const found = numberOfTag.get(String(tag))
  if (found !== undefined) return array instanceof Uint8Array ? uint8 : found
  const got = array === null || typeof array !== 'object' ? String(array) : array.constructor?.name
  throw new TypeError(`${what} takes a typed array of numbers or bigints, not ${String(got)}.`)
}
