// The typed arrays that numeric columns are.

export type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array

export type BigintArray = BigInt64Array | BigUint64Array
