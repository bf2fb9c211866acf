// Numbers, bigints, symbols and primitive objects on the wire.

import { types } from 'node:util'
import { writeF64, writeU32 } from '../base/bytes.js'
import type { ByteReader } from './byte-reader.js'
import type { ByteWriter } from './byte-writer.js'
import {
  smallIntMax,
  tagBigInt,
  tagBigInt64,
  tagDouble,
  tagInt,
  tagSmallInt,
  tagSymbolFor,
  tagSymbolWellKnown,
} from './value-tags.js'

export function writeNumber(to: ByteWriter, value: number): void {
  to.need(9)
  const { bytes, at } = to
  if ((value | 0) !== value || (value === 0 && 1 / value < 0)) {
    bytes[at] = tagDouble
    writeF64(bytes, at + 1, value)
    to.at = at + 9
  } else if (value >= 0 && value <= smallIntMax) {
    bytes[at] = tagSmallInt + value
    to.at = at + 1
  } else {
    bytes[at] = tagInt
    writeU32(bytes, at + 1, value)
    to.at = at + 5
  }
}

export function writeBigInt(to: ByteWriter, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) {
    to.byte(tagBigInt64)
    to.u32(Number(BigInt.asUintN(32, value)))
    to.u32(Number(BigInt.asUintN(32, value >> 32n)))
    return
  }
  to.byte(tagBigInt)
  to.byte(value < 0n ? 1 : 0)
  to.string((value < 0n ? -value : value).toString(16))
}

export function readBigInt(from: ByteReader, tag: number): bigint {
  if (tag === tagBigInt64) {
    const low = BigInt(from.u32())
    return BigInt.asIntN(64, (BigInt(from.u32()) << 32n) | low)
  }
  const negative = from.byte() === 1
  const digits = from.string()
  if (!/^[\da-f]+$/.test(digits)) throw from.malformed('bad bigint')
  const size = BigInt(`0x${digits}`)
  return negative ? -size : size
}

const wellKnown: ReadonlyMap<unknown, string> = new Map(
  Object.getOwnPropertyNames(Symbol).map((name) => [wellKnownSymbol(name), name]),
)

function wellKnownSymbol(name: string): symbol | undefined {
  if (!Object.hasOwn(Symbol, name)) return undefined
  const found = (Symbol as unknown as Record<string, unknown>)[name]
  return typeof found === 'symbol' ? found : undefined
}

/** Writes a symbol that every process has, or returns false. */
export function writeSymbol(to: ByteWriter, value: symbol): boolean {
  const key = Symbol.keyFor(value)
  const name = key ?? wellKnown.get(value)
  if (name === undefined) return false
  to.byte(key === undefined ? tagSymbolWellKnown : tagSymbolFor)
  to.string(name)
  return true
}

export function readSymbol(from: ByteReader, tag: number): symbol {
  const name = from.string()
  const found = tag === tagSymbolFor ? Symbol.for(name) : wellKnownSymbol(name)
  if (found === undefined) throw from.malformed(`there is no Symbol.${name}`)
  return found
}

/** What is inside a Number, String, Boolean or BigInt object. */
export function unboxed(value: object): unknown {
  if (types.isNumberObject(value)) return Number.prototype.valueOf.call(value)
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value)
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value)
  if (types.isBigIntObject(value)) return BigInt.prototype.valueOf.call(value)
  return undefined
}
