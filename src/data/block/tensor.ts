// Tensors: typed arrays with a shape, one per row, such as images and embeddings.
//
// Tensors of one shape are nested lists of fixed size in Arrow, so the type of a column says the
// shape, the numbers of all rows are one buffer, and each row is a view of it. Tensors whose shapes
// differ are a struct of the numbers and the shape, as Arrow's variable-shape extension stores
// them.

import { RayError } from '../../base/errors.js'
import type { BigintArray, NumberArray } from './number-array.js'

export type TensorArray = NumberArray | BigintArray

/**
 * Numbers in rows of rows: an image of 224 x 224 RGB pixels has the shape [224, 224, 3].
 *
 * @example
 * const red = new Tensor(Uint8Array.of(255, 0, 0), [1, 1, 3])
 */
export class Tensor<A extends TensorArray = TensorArray> {
  /** The numbers, the last dimension next to each other. */
  readonly data: A
  /** The length of each dimension, the outermost first. */
  readonly shape: readonly number[]

  constructor(data: A, shape: readonly number[]) {
    const size = sizeOf(shape)
    if (size !== data.length) {
      throw new RayError(
        `A tensor of shape [${shape.join(', ')}] has ${size} numbers, and was given ` +
          `${data.length}.`,
      )
    }
    this.data = data
    this.shape = shape
  }
}

/**
 * A column of tensors of one shape, as one buffer. What functions of batches return for it.
 *
 * @example
 * const pixels = new TensorColumn(new Float32Array(8 * 4), [4])
 * console.log(pixels.length) // 8
 */
export class TensorColumn<A extends TensorArray = TensorArray> implements Iterable<Tensor<A>> {
  /** The numbers of all rows, one row behind the other. */
  readonly data: A
  /** The shape of one row. */
  readonly shape: readonly number[]

  constructor(data: A, shape: readonly number[]) {
    const size = sizeOf(shape)
    if (size === 0 || data.length % size !== 0) {
      throw new RayError(
        `${data.length} numbers cannot be divided into rows of shape [${shape.join(', ')}].`,
      )
    }
    this.data = data
    this.shape = shape
  }

  /** Number of rows. */
  get length(): number {
    return this.data.length / sizeOf(this.shape)
  }

  /** The tensor of a row: a view, not a copy. */
  at(row: number): Tensor<A> {
    return new Tensor(rowView(this.data, sizeOf(this.shape), row), this.shape)
  }

  *[Symbol.iterator](): Iterator<Tensor<A>> {
    for (let row = 0; row < this.length; row++) yield this.at(row)
  }
}

/** Product of the dimensions. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1)
}

/** Row `row` of a buffer of rows of `size` numbers. */
export function rowView<A extends TensorArray>(data: A, size: number, row: number): A {
  return data.subarray(row * size, (row + 1) * size) as A
}

/** Tensors from other copies of this module, and those that lost their class on the way, count. */
export function isTensor(value: unknown): value is Tensor {
  if (typeof value !== 'object' || value === null) return false
  if (!('data' in value) || !('shape' in value)) return false
  return isTypedArray(value.data) && Array.isArray(value.shape)
}

export function isTypedArray(value: unknown): value is TensorArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView)
}

/**
 * The tensors, or typed arrays, of a column of a batch as one buffer: without a copy where they are
 * the rows of one block.
 *
 * @example
 * rangeTensor(100, { shape: [4] }).mapBatches(({ data }) => {
 *   const stacked = stackTensors(data)
 *   const double = (_: unknown, i: number) => 2 * Number(stacked.data[i])
 *   const doubled = Float64Array.from({ length: stacked.data.length }, double)
 *   return { data: new TensorColumn(doubled, stacked.shape) }
 * })
 */
export function stackTensors<A extends TensorArray>(
  rows: TensorColumn<A> | readonly (Tensor<A> | A)[],
): TensorColumn<A> {
  if (rows instanceof TensorColumn) return rows
  const [first] = rows
  if (first === undefined) throw new RayError('There are no tensors to stack.')
  const shape = shapeOf(first)
  const parts = rows.map((row) => {
    if (shapeOf(row).join() === shape.join()) return dataOf(row)
    throw new RayError(
      `Tensors of shapes [${shape.join(', ')}] and [${shapeOf(row).join(', ')}] do not stack.`,
    )
  })
  return new TensorColumn(adjacent(parts) ?? copied(parts), shape)
}

function shapeOf<A extends TensorArray>(row: Tensor<A> | A): readonly number[] {
  return isTypedArray(row) ? [row.length] : row.shape
}

function dataOf<A extends TensorArray>(row: Tensor<A> | A): A {
  return isTypedArray(row) ? row : row.data
}

type ArrayConstructor<A> = new (
  buffer: ArrayBufferLike | number,
  byteOffset?: number,
  length?: number,
) => A

/** One view over parts that lie behind each other in memory already. */
function adjacent<A extends TensorArray>(parts: readonly A[]): A | undefined {
  const [first] = parts
  if (first === undefined) return undefined
  let end = first.byteOffset
  for (const part of parts) {
    if (part.buffer !== first.buffer || part.byteOffset !== end) return undefined
    end += part.byteLength
  }
  const ArrayType = first.constructor as ArrayConstructor<A>
  return new ArrayType(first.buffer, first.byteOffset, parts.length * first.length)
}

function copied<A extends TensorArray>(parts: readonly A[]): A {
  const [first] = parts
  if (first === undefined) throw new RayError('There are no tensors to stack.')
  const ArrayType = first.constructor as ArrayConstructor<A>
  const all = new ArrayType(parts.length * first.length)
  parts.forEach((part, i) => (all as Float64Array).set(part as Float64Array, i * first.length))
  return all
}
