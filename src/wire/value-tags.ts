// The tag language of values: the first byte of a value says what follows.
//
//   0x80..0xff  the integers 0..127                0x40..0x5f  a Latin-1 string of 0..31 bytes
//   below 0x40  the tags in this file
//
// A number of bytes or items is a varuint (7 bits a byte, low bits first) unless its tag says
// otherwise. `docs/internals/values.md` has the whole grammar.

export const tagSmallInt = 0x80
export const smallIntMax = 0x7f
export const tagShortString = 0x40
export const shortStringMax = 31

/** Closes a list of properties or entries; never a value. */
export const tagEnd = 0x00
export const tagUndefined = 0x01
export const tagNull = 0x02
export const tagFalse = 0x03
export const tagTrue = 0x04
/** 4 bytes, signed. */
export const tagInt = 0x05
/** 8 bytes. */
export const tagDouble = 0x06
/** 8 bytes, signed. */
export const tagBigInt64 = 0x07
/** Sign byte, varuint, hexadecimal digits. */
export const tagBigInt = 0x08
/** Strings that are not short: u32 bytes, then the bytes. UTF-16 is for lone surrogates only. */
export const tagLatin1 = 0x09
export const tagUtf8 = 0x0a
export const tagUtf16 = 0x0b
/** A string: the key of `Symbol.for`, or the name of a well-known symbol. */
export const tagSymbolFor = 0x0c
export const tagSymbolWellKnown = 0x0d

/** An object met before, by its number in order of appearance. */
export const tagRef = 0x10
/** Properties, end. */
export const tagObject = 0x11
export const tagNullObject = 0x12
/** Length, items. */
export const tagArray = 0x13
/** Length, items or holes, properties, end. */
export const tagArrayWithHoles = 0x14
export const tagHole = 0x15
/** Length, properties (the items too), end. */
export const tagSparseArray = 0x16
/** Keys and values in turn, end. */
export const tagMap = 0x17
/** Items, end. */
export const tagSet = 0x18
/** 8 bytes. */
export const tagDate = 0x19
/** Two strings. */
export const tagRegExp = 0x1a
/** A primitive value. */
export const tagBoxed = 0x1b
/** Kind, what its constructor needs, hidden properties, end, properties, end. */
export const tagError = 0x1c
/** Index in the backing table. */
export const tagArrayBuffer = 0x1d
/** Kind, index in the backing table, byte offset, bytes. */
export const tagView = 0x1e
/** A string. */
export const tagUrl = 0x1f
export const tagUrlSearchParams = 0x20
/** Kind, a view with an Arrow IPC stream. */
export const tagArrow = 0x21
/**
 * An array of `numbersMin` or more numbers: kind of view, length, a gap of so many bytes, the
 * numbers as in that view.
 */
export const tagNumbers = 0x22
/**
 * Index of the class, the value as its built-in base class would be, own fields if the base has no
 * room for them.
 */
export const tagInstance = 0x23
/** Index of an attachment. */
export const tagAttachment = 0x24
/** Index of a function or class. */
export const tagCode = 0x25

/**
 * First byte of a value with a backing table: u32 position of the table, then the value, then the
 * table.
 */
export const tagBackings = 0x3f

/** Names of the classes of views; the position is the kind. Buffer is Node's. */
export const viewKinds = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
  'Buffer',
  'Float16Array',
] as const
/** Bytes of one item, by kind. */
export const viewItemBytes = [1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 1, 1, 2] as const

/** Names of the built-in error classes; the position is the kind. */
export const errorKinds = [
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
] as const
/** Followed by two strings: message and name. */
export const errorKindDom = 8
/** Followed by a string: the code. */
export const errorKindRay = 9

/** Own properties of errors that are normally not enumerable and travel nevertheless. */
export const hiddenErrorKeys = ['message', 'stack', 'cause', 'errors', 'name'] as const
