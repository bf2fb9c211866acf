// Whether an array is only its items, or has holes or named properties too.
//
// The language has no question for "named properties" that does not list every index as a string,
// 80 ns an item. Node's `inspect` asks the engine directly and does not look at items that it is
// told not to print, so for long arrays its text is compared with the text of an array without
// properties. A text that differs, also in some later Node, only means the slow way.

import { inspect, types } from 'node:util'

export type ArrayShape = 'dense' | 'holes' | 'sparse'

const listedMax = 64
const hasOwn = Object.prototype.hasOwnProperty

/** `sparse` arrays are listed by key. Arrays with holes or with named properties are `holes`. */
export function arrayShapeOf(value: readonly unknown[]): ArrayShape {
  const length = value.length
  for (let i = 0; i < length; i++) {
    if (value[i] === undefined && !hasOwn.call(value, i)) return holedShapeOf(value)
  }
  return hasOnlyItems(value) ? 'dense' : 'holes'
}

/** Whether an array without holes has no other properties than its items. */
export function hasOnlyItems(value: readonly unknown[]): boolean {
  const length = value.length
  if (Object.getOwnPropertySymbols(value).length > 0) return false
  if (length > listedMax && Object.getPrototypeOf(value) === Array.prototype) {
    const text = inspect(value, { maxArrayLength: 0, depth: 0, customInspect: false })
    if (text === `[ ... ${length} more items ]`) return true
  }
  return Object.keys(value).length === length
}

function holedShapeOf(value: readonly unknown[]): ArrayShape {
  return Object.keys(value).length * 2 < value.length ? 'sparse' : 'holes'
}

/** Own keys that are not items of an array, typed array or String object. */
export function namedKeysOf(value: object): string[] {
  const keys = Object.keys(value)
  const indexed = Array.isArray(value) || types.isTypedArray(value) || types.isStringObject(value)
  if (!indexed) return keys
  // Integer keys come first, in ascending order.
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isIndex(keys[middle]!)) low = middle + 1
    else high = middle
  }
  return keys.slice(low)
}

function isIndex(key: string): boolean {
  return /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) < 0xffff_ffff
}
