// Source maps, as far as they are needed to keep a shipped function pointing at the user's own
// lines: reading the map of a script, cutting out the part that covers one function, and writing
// that part for the code compiled elsewhere.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Generated line and column, then source number, line and column; all from zero. */
type Segment = readonly [
  line: number,
  column: number,
  source: number,
  sourceLine: number,
  sourceColumn: number,
]

export interface SourceMap {
  readonly sources: readonly string[]
  /** Ascending by generated position. */
  readonly segments: readonly Segment[]
}

/**
 * Part of a source map for one text: offsets into the text in place of generated positions, four
 * numbers each.
 */
export interface FunctionMap {
  readonly sources: readonly string[]
  readonly segments: Int32Array
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const digits = new Map([...alphabet].map((character, value) => [character.charCodeAt(0), value]))

/**
 * The source map that a script names in its last comment, or undefined; a broken or missing map is
 * no map.
 */
export function sourceMapOf(source: string, scriptUrl: string): SourceMap | undefined {
  const at = source.lastIndexOf('//# sourceMappingURL=')
  if (at < 0 || source.slice(at).trimEnd().includes('\n')) return undefined
  const url = source.slice(at + '//# sourceMappingURL='.length).trim()
  try {
    const json = url.startsWith('data:')
      ? dataOf(url)
      : readFileSync(fileURLToPath(new URL(url, scriptUrl)), 'utf8')
    const map = JSON.parse(json) as { sources: string[]; sourceRoot?: string; mappings: string }
    const base = new URL(url.startsWith('data:') ? scriptUrl : url, scriptUrl)
    const root = map.sourceRoot ? new URL(map.sourceRoot.replace(/\/?$/, '/'), base) : base
    return {
      sources: map.sources.map((s) => new URL(s, root).href),
      segments: decode(map.mappings),
    }
  } catch {
    return undefined
  }
}

function dataOf(url: string): string {
  const comma = url.indexOf(',')
  const body = url.slice(comma + 1)
  return url.slice(0, comma).endsWith(';base64')
    ? Buffer.from(body, 'base64').toString()
    : decodeURIComponent(body)
}

function decode(mappings: string): Segment[] {
  const segments: Segment[] = []
  let line = 0
  let column = 0
  let [source, sourceLine, sourceColumn] = [0, 0, 0]
  let fields: number[] = []
  let value = 0
  let shift = 0
  const finish = (): void => {
    column += fields[0] ?? 0
    if (fields.length >= 4) {
      source += fields[1] ?? 0
      sourceLine += fields[2] ?? 0
      sourceColumn += fields[3] ?? 0
      segments.push([line, column, source, sourceLine, sourceColumn])
    }
    fields = []
  }
  for (let i = 0; i < mappings.length; i++) {
    const code = mappings.charCodeAt(i)
    const digit = digits.get(code)
    if (digit === undefined) {
      finish()
      if (code === 59 /* ; */) {
        line++
        column = 0
      }
      continue
    }
    value |= (digit & 31) << shift
    shift += 5
    if (digit < 32) {
      fields.push(value & 1 ? -(value >> 1) : value >> 1)
      value = shift = 0
    }
  }
  finish()
  return segments
}

/** The part of a map that covers `length` characters from `offset`. */
export function cutMap(
  map: SourceMap,
  range: { readonly offset: number; readonly length: number },
  lineStarts: readonly number[],
): FunctionMap {
  const numbers: number[] = []
  const sources: string[] = []
  const renumbered = new Map<number, number>()
  for (let i = firstAt(map.segments, range.offset, lineStarts); i < map.segments.length; i++) {
    const segment = map.segments[i] as Segment
    const offset = (lineStarts[segment[0]] ?? Infinity) + segment[1] - range.offset
    if (offset >= range.length) break
    let source = renumbered.get(segment[2])
    if (source === undefined) {
      source = sources.push(map.sources[segment[2]] ?? '') - 1
      renumbered.set(segment[2], source)
    }
    numbers.push(Math.max(offset, 0), source, segment[3], segment[4])
  }
  return { sources, segments: Int32Array.from(numbers) }
}

/** Number of the last segment at or before an offset. */
function firstAt(
  segments: readonly Segment[],
  offset: number,
  lineStarts: readonly number[],
): number {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >> 1
    const s = segments[middle] as Segment
    if ((lineStarts[s[0]] ?? Infinity) + s[1] <= offset) low = middle + 1
    else high = middle
  }
  return Math.max(low - 1, 0)
}

/**
 * Writes a source map, as a comment with a data: URL, for code that contains the mapped text at
 * `at`.
 */
export function mapComment(map: FunctionMap, code: string, at: number): string {
  let mappings = ''
  let lineStart = 0
  const before = [0, 0, 0, 0]
  let next = code.indexOf('\n')
  let fresh = true
  for (let i = 0; i < map.segments.length; i += 4) {
    const offset = at + (map.segments[i] ?? 0)
    while (next >= 0 && next < offset) {
      mappings += ';'
      lineStart = next + 1
      next = code.indexOf('\n', lineStart)
      before[0] = 0
      fresh = true
    }
    const now = [offset - lineStart, map.segments[i + 1], map.segments[i + 2], map.segments[i + 3]]
    mappings += fresh ? '' : ','
    for (const [j, value] of now.entries()) {
      mappings += encode((value ?? 0) - (before[j] ?? 0))
      before[j] = value ?? 0
    }
    fresh = false
  }
  const json = JSON.stringify({ version: 3, sources: map.sources, names: [], mappings })
  return `//# sourceMappingURL=data:application/json;base64,${Buffer.from(json).toString('base64')}`
}

function encode(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1
  let text = ''
  do {
    const digit = rest & 31
    rest >>>= 5
    text += alphabet.charAt(rest > 0 ? digit | 32 : digit)
  } while (rest > 0)
  return text
}
