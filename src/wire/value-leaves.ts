// Built-in objects without contents of their own: dates, patterns, primitive objects, URLs.

import type { ByteReader } from './byte-reader.js'
import type { ByteWriter } from './byte-writer.js'
import type { BaseKind } from './value-class.js'
import { unboxed, writeBigInt, writeNumber } from './value-primitives.js'
import * as tags from './value-tags.js'

/** Writes such an object, or returns false if it holds a symbol. */
export function writeLeaf(to: ByteWriter, value: object, base: BaseKind): boolean {
  if (base === 'date') {
    to.byte(tags.tagDate)
    to.f64(Date.prototype.getTime.call(value))
  } else if (base === 'regExp') {
    to.byte(tags.tagRegExp)
    to.string((value as RegExp).source)
    to.string((value as RegExp).flags)
  } else if (base === 'url') {
    to.byte(tags.tagUrl)
    to.string((value as URL).href)
  } else if (base === 'urlSearchParams') {
    to.byte(tags.tagUrlSearchParams)
    to.string(URLSearchParams.prototype.toString.call(value))
  } else {
    to.byte(tags.tagBoxed)
    const inner = unboxed(value)
    if (typeof inner === 'number') writeNumber(to, inner)
    else if (typeof inner === 'string') to.string(inner)
    else if (typeof inner === 'boolean') to.byte(inner ? tags.tagTrue : tags.tagFalse)
    else if (typeof inner === 'bigint') writeBigInt(to, inner)
    else return false
  }
  return true
}

/** Reads the object that `tag` begins; `primitive` reads what is in a primitive object. */
export function readLeaf(from: ByteReader, tag: number, primitive: () => unknown): object {
  switch (tag) {
    case tags.tagDate:
      return new Date(from.f64())
    case tags.tagRegExp:
      return new RegExp(from.string(), from.string())
    case tags.tagUrl:
      return new URL(from.string())
    case tags.tagUrlSearchParams:
      return new URLSearchParams(from.string())
    case tags.tagBoxed: {
      const inner =
        from.bytes[from.at]! >= tags.tagRef && from.bytes[from.at]! < tags.tagShortString
      const value = inner ? undefined : primitive()
      if (value === undefined || value === null || typeof value === 'symbol') break
      return Object(value) as object
    }
  }
  throw from.malformed(`unknown tag ${tag}`)
}
