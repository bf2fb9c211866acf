// The rows of several blocks in an order that is given, without putting the blocks together first.
//
// Joining them and then picking rows moves every value twice. Here each block is read from its
// beginning to its end, and every value goes to the place of its row at once. Columns for which
// that is not possible (strings, lists, values that are null) take the longer way; both ways give
// the same rows.

import { type Data, DataType } from 'apache-arrow'
import { type Block, blockOfData } from './block.js'
import { dictionaryOfData } from './column.js'
import { concatBlocks, distinctMax } from './concat.js'
import { blockOfDeferred, type DeferredColumn, type FixedValues } from './deferred-block.js'
import { dataOfBlock, gatherData, isFixed } from './gather.js'
import { dictionaryData, encodeStrings } from './utf8.js'

/** Rows and where they go: row `i` of all blocks, one behind the other, becomes row `to[i]`. */
export function deferScatter(blocks: readonly Block[], to: Uint32Array): Block {
  const full = blocks.filter(({ numRows }) => numRows > 0)
  const [first] = full
  if (first === undefined) return concatBlocks(blocks)
  const names = first.schema.fields.map(({ name }) => name)
  const all = full.map(dataOfBlock)
  const isAlike = full.every(({ schema: { fields } }) => {
    return fields.length === names.length && fields.every(({ name }, i) => name === names[i])
  })
  if (!isAlike) return gatherTo(concatBlocks(full), to)
  let order: Uint32Array | undefined
  const columns = names.map((name, i) => {
    const parts = all.flatMap((data) => data[i] ?? [])
    const column = deferredColumn(parts, to)
    if (column !== undefined) return column
    order ??= inverse(to)
    const single = concatBlocks(parts.map((data) => blockOfData([name], [data])))
    return gatherData(dataOfBlock(single)[0] as Data, order, name)
  })
  return blockOfDeferred(names, columns, to.length)
}

/** The rows of one block, made at once. */
export function gatherTo(block: Block, to: Uint32Array): Block {
  const order = inverse(to)
  const names = block.schema.fields.map(({ name }) => name)
  const data = dataOfBlock(block)
  return blockOfData(
    names,
    data.map((each, i) => gatherData(each, order, names[i])),
    to.length,
  )
}

/** Which row comes to each place. */
function inverse(to: Uint32Array): Uint32Array {
  const from = new Uint32Array(to.length)
  for (let i = 0; i < to.length; i++) from[to[i] ?? 0] = i
  return from
}

function deferredColumn(parts: readonly Data[], to: Uint32Array): DeferredColumn | undefined {
  const [first] = parts
  if (first === undefined || !parts.every(isFixed)) return undefined
  if (DataType.isDictionary(first.type)) return deferredDictionary(parts, to)
  const { type, stride } = first
  const isSame = parts.every((part) => String(part.type) === String(type))
  if (!isSame || stride !== 1) return undefined
  const fill = (target: FixedValues): void => {
    eachPart(parts, to, (values, rows) => scatter(values, target, rows))
  }
  return { type, length: to.length, stride, fill }
}

/** Dictionaries of strings become one, and codes are translated on their way. */
function deferredDictionary(parts: readonly Data[], to: Uint32Array): DeferredColumn | undefined {
  const known = new Map<string, number>()
  const renumbered: Int32Array[] = []
  for (const part of parts) {
    const column = dictionaryOfData(part)
    if (column === undefined || !(part.values instanceof Int32Array)) return undefined
    const codes = Int32Array.from(column.values, (text) => {
      const code = known.get(text) ?? known.size
      known.set(text, code)
      return code
    })
    renumbered.push(codes)
    if (known.size > distinctMax) return undefined
  }
  const values = encodeStrings([...known.keys()])
  const { type, dictionary } = dictionaryData({
    indices: new Int32Array(0),
    values,
    nullCount: 0,
    nullBitmap: null,
  })
  const fill = (target: FixedValues): void => {
    eachPart(parts, to, (codes, rows, i) => {
      translate(codes as Int32Array, target as Int32Array, { rows, codes: renumbered[i] })
    })
  }
  return { type, length: to.length, stride: 1, dictionary, fill }
}

type OnPart = (values: FixedValues, rows: Uint32Array, index: number) => void

/** Calls `body` with the values of each part, and where they go. */
function eachPart(parts: readonly Data[], to: Uint32Array, body: OnPart): void {
  let at = 0
  parts.forEach((part, i) => {
    // Buffers that came through a message are padded beyond the last row.
    const values = (part.values as Int32Array).subarray(0, part.length)
    body(values, to.subarray(at, at + part.length), i)
    at += part.length
  })
}

/** Each common kind of array has a loop of its own: one for all could not be compiled for any. */
function scatter(from: FixedValues, to: FixedValues, rows: Uint32Array): void {
  if (from instanceof Float64Array) scatterDoubles(from, to as Float64Array, rows)
  else if (from instanceof BigInt64Array) scatterBigints(from, to as BigInt64Array, rows)
  else if (from instanceof Int32Array) scatterIntegers(from, to as Int32Array, rows)
  else scatterOthers(from, to as Uint8Array, rows)
}

function scatterDoubles(from: Float64Array, to: Float64Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) to[rows[i] ?? 0] = from[i] ?? 0
}

function scatterBigints(from: BigInt64Array, to: BigInt64Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) to[rows[i] ?? 0] = from[i] ?? 0n
}

function scatterIntegers(from: Int32Array, to: Int32Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) to[rows[i] ?? 0] = from[i] ?? 0
}

function scatterOthers(from: Uint8Array, to: Uint8Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) to[rows[i] ?? 0] = from[i] as number
}

interface Translation {
  readonly rows: Uint32Array
  readonly codes: Int32Array | undefined
}

function translate(from: Int32Array, to: Int32Array, { rows, codes }: Translation): void {
  if (codes === undefined) return
  for (let i = 0; i < rows.length; i++) to[rows[i] ?? 0] = codes[from[i] ?? 0] ?? 0
}
