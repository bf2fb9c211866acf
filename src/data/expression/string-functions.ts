// Functions of strings in expressions.

import { RayError } from '../../base/errors.js'
import type { CallOf, Expression, Operand } from './expression.js'

const paddings = { left: 'str.lpad', right: 'str.rpad', both: 'str.center' } as const

/**
 * Functions of strings: `col('name').str`.
 *
 * @example
 * const short = fromItems([{ name: 'Ada' }]).filter(col('name').str.len().lt(5))
 */
export class StringFunctions {
  readonly #call: CallOf

  /** @internal Use the property of an expression. */
  constructor(call: CallOf) {
    this.#call = call
  }

  /** Length in characters. */
  len(): Expression<number> {
    return this.#call('str.len', [])
  }

  /** Length in bytes of UTF-8. */
  byteLen(): Expression<number> {
    return this.#call('str.byteLen', [])
  }

  /** In capital letters. */
  upper(): Expression<string> {
    return this.#call('str.upper', [])
  }

  /** In small letters. */
  lower(): Expression<string> {
    return this.#call('str.lower', [])
  }

  /** The first letter capital, the others small. */
  capitalize(): Expression<string> {
    return this.#call('str.capitalize', [])
  }

  /** The first letter of each word capital. */
  title(): Expression<string> {
    return this.#call('str.title', [])
  }

  /** Capital letters small, and small ones capital. */
  swapcase(): Expression<string> {
    return this.#call('str.swapcase', [])
  }

  /** Backwards. */
  reverse(): Expression<string> {
    return this.#call('str.reverse', [])
  }

  /** Without the characters at both ends. */
  strip(characters = ' \t\n\r'): Expression<string> {
    return this.#call('str.strip', [characters])
  }

  /** Without the characters at the start. */
  lstrip(characters = ' \t\n\r'): Expression<string> {
    return this.#call('str.lstrip', [characters])
  }

  /** Without the characters at the end. */
  rstrip(characters = ' \t\n\r'): Expression<string> {
    return this.#call('str.rstrip', [characters])
  }

  /** Filled up at the start to a width. */
  lpad(width: number, fill = ' '): Expression<string> {
    return this.#call('str.lpad', [width, fill])
  }

  /** Filled up at the end to a width. */
  rpad(width: number, fill = ' '): Expression<string> {
    return this.#call('str.rpad', [width, fill])
  }

  /** Filled up at both ends to a width. */
  center(width: number, fill = ' '): Expression<string> {
    return this.#call('str.center', [width, fill])
  }

  /** Filled up to a width at a side: `lpad`, `rpad` or `center`. */
  pad(width: number, fill = ' ', side: 'left' | 'right' | 'both' = 'right'): Expression<string> {
    if (!Object.hasOwn(paddings, side)) {
      throw new RayError(`pad: side must be 'left', 'right' or 'both', not '${String(side)}'.`)
    }
    return this.#call(paddings[side], [width, fill])
  }

  /** Filled up with zeros at the start to a width. */
  zfill(width: number): Expression<string> {
    return this.#call('str.lpad', [width, '0'])
  }

  /** Whether it starts with something. */
  startsWith(start: Operand): Expression<boolean> {
    return this.#call('str.startsWith', [start])
  }

  /** Whether it ends with something. */
  endsWith(end: Operand): Expression<boolean> {
    return this.#call('str.endsWith', [end])
  }

  /** Whether it contains something. */
  contains(part: Operand): Expression<boolean> {
    return this.#call('str.contains', [part])
  }

  /** Whether it matches a pattern in which % is any text and _ any character. */
  match(pattern: string): Expression<boolean> {
    return this.#call('str.match', [pattern])
  }

  /** Whether some part of it matches a regular expression (RE2). */
  matchRegex(pattern: string): Expression<boolean> {
    return this.#call('str.matchRegex', [pattern])
  }

  /** Where something starts in it; -1 if it is not there. */
  find(part: Operand): Expression<number> {
    return this.#call('str.find', [part])
  }

  /** Where a regular expression matches first; -1 if it does not. */
  findRegex(pattern: string): Expression<number> {
    return this.#call('str.findRegex', [pattern])
  }

  /** How often something is in it. */
  count(part: string): Expression<number> {
    return this.#call('str.count', [part])
  }

  /** How often a regular expression matches. */
  countRegex(pattern: string): Expression<number> {
    return this.#call('str.countRegex', [pattern])
  }

  /** With each occurrence replaced. */
  replace(from: string, to: string): Expression<string> {
    return this.#call('str.replace', [from, to])
  }

  /** With each match replaced; \\1 in `to` is the first group. */
  replaceRegex(pattern: string, to: string): Expression<string> {
    return this.#call('str.replaceRegex', [pattern, to])
  }

  /** With the characters from `start` to before `end` replaced; negative: from the end. */
  replaceSlice(start: number, end: number, to: string): Expression<string> {
    return this.#call('str.replaceSlice', [start, end, to])
  }

  /** The part that matches a regular expression, or one group of it. */
  extract(pattern: string, group = 0): Expression<string> {
    return this.#call('str.extract', [pattern, group])
  }

  /** Several times over. */
  repeat(times: number): Expression<string> {
    return this.#call('str.repeat', [times])
  }

  /** The parts between separators. */
  split(separator: string): Expression<string[]> {
    return this.#call('str.split', [separator])
  }

  /** The parts between matches of a regular expression. */
  splitRegex(pattern: string): Expression<string[]> {
    return this.#call('str.splitRegex', [pattern])
  }

  /** The parts between white space. */
  splitWhitespace(): Expression<string[]> {
    return this.#call('str.splitWhitespace', [])
  }

  /** With others put after it. */
  concat(...others: readonly Operand[]): Expression<string> {
    return this.#call('str.concat', [...others])
  }

  /** Whether it has only letters, and at least one. */
  isAlpha(): Expression<boolean> {
    return this.#call('str.isAlpha', [])
  }

  /** Whether it has only decimal digits, and at least one. */
  isDigit(): Expression<boolean> {
    return this.#call('str.isDigit', [])
  }

  /** Whether it has only decimal digits, and at least one; Ray's name of `isDigit`. */
  isDecimal(): Expression<boolean> {
    return this.#call('str.isDecimal', [])
  }

  /** Whether it has only letters and numbers. */
  isAlnum(): Expression<boolean> {
    return this.#call('str.isAlnum', [])
  }

  /** Whether it has only numeric characters. */
  isNumeric(): Expression<boolean> {
    return this.#call('str.isNumeric', [])
  }

  /** Whether it has only white space. */
  isSpace(): Expression<boolean> {
    return this.#call('str.isSpace', [])
  }

  /** Whether its letters are all capital. */
  isUpper(): Expression<boolean> {
    return this.#call('str.isUpper', [])
  }

  /** Whether its letters are all small. */
  isLower(): Expression<boolean> {
    return this.#call('str.isLower', [])
  }

  /** Whether each of its words begins with a capital letter, and has only small ones behind. */
  isTitle(): Expression<boolean> {
    return this.#call('str.isTitle', [])
  }

  /** Whether it has only characters that can be seen, and spaces. */
  isPrintable(): Expression<boolean> {
    return this.#call('str.isPrintable', [])
  }

  /** Whether it has only ASCII characters. */
  isAscii(): Expression<boolean> {
    return this.#call('str.isAscii', [])
  }

  /** The timestamp that it spells, in a format such as `%Y-%m-%d`. */
  toDate(format: string): Expression<Date> {
    return this.#call('str.toDate', [format])
  }

  /** The characters from `start` to before `end`; negative ones count from the end. */
  slice(start = 0, end?: number): Expression<string> {
    return this.#call('str.slice', [start, end ?? null])
  }
}
