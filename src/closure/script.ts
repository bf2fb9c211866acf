// What the serialiser needs to know of a whole script: its imports, which functions are its
// exports, where `this` and strict mode change, and its source map. A script is parsed once; only
// these tables are kept, not the tree.

import { realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { originalFile } from './moved-files.js'
import { compiledFunctionsMax } from '../base/limits.js'
import { BoundedMap } from './bounded-map.js'
import { knowScript, scriptText, type ScriptText } from './inspector.js'
import { importsOf, type ImportBinding } from './imports.js'
import { exportsOf } from './exports.js'
import { cutMap, sourceMapOf, type FunctionMap, type SourceMap } from './source-map.js'
import {
  childrenOf,
  hasUseStrict,
  isClass,
  isFunction,
  namesOf,
  parseAny,
  type AnyNode,
} from './syntax.js'
import { scriptOfRebuilt, unitOfScript } from './unit.js'

type Range = readonly [start: number, end: number]

export interface Place {
  /** URL of the user's file, line and column in it as V8 knows the file, from zero. */
  readonly url: string
  readonly line: number
  readonly column: number
  readonly map: FunctionMap | undefined
}

export class Script {
  readonly url: string
  /** ES module, or code that was compiled from one. */
  readonly isModule: boolean
  readonly imports: ReadonlyMap<string, ImportBinding>
  /**
   * Names at the top of a file that a tool wrapped in an arrow function (tsx does so for CommonJS).
   */
  readonly wrappedNames: ReadonlySet<string> | undefined
  private readonly text: ScriptText
  private readonly unit: ReturnType<typeof unitOfScript>
  private readonly strict: boolean
  /** Start of each export's function or class: its length and the exported name. */
  private readonly exported: ReadonlyMap<number, { readonly length: number; readonly name: string }>
  private readonly ownThis: Range[] = []
  private readonly strictRanges: Range[] = []
  private readonly assigned = new Set<string>()
  private readonly lineStarts: number[] = [0]
  private map: SourceMap | null | undefined

  constructor(text: ScriptText) {
    this.text = text
    this.unit = unitOfScript(text.source)
    const tree = parseAny(text.source)
    const unit = this.unit?.unit
    const url = text.url.startsWith('/') ? pathToFileURL(text.url).href : text.url
    this.url = unit?.url ?? originalFile(url)
    this.isModule = unit?.module ?? text.isModule
    this.strict = this.isModule || (unit?.strict ?? hasUseStrict(tree.body))
    const { imports, wrappedNames } = importsOf(tree)
    this.imports = imports
    this.wrappedNames = wrappedNames
    const shareable = text.isModule && this.url.startsWith('file:') && !isMain(this.url)
    this.exported = shareable ? exportsOf(tree) : new Map()
    for (let i = text.source.indexOf('\n'); i >= 0; i = text.source.indexOf('\n', i + 1)) {
      this.lineStarts.push(i + 1)
    }
    this.measure(tree)
  }

  /** Compiled here from what another process sent. */
  get isRebuilt(): boolean {
    return this.unit !== undefined
  }

  private measure(tree: AnyNode): void {
    // What a unit puts around the user's code has no say in what `this` is inside it.
    const from = this.unit?.codeAt ?? 0
    const todo = [tree]
    for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
      const range: Range = [node.start, node.end]
      const arrow = node.type === 'ArrowFunctionExpression'
      if (isFunction(node) && !arrow && node.start >= from) this.ownThis.push(range)
      if (node.type === 'PropertyDefinition' || node.type === 'StaticBlock')
        this.ownThis.push(range)
      const body = isFunction(node) && node.body.type === 'BlockStatement' ? node.body.body : []
      if (isClass(node) || hasUseStrict(body)) this.strictRanges.push(range)
      let target: AnyNode | undefined
      if (node.type === 'AssignmentExpression') target = node.left
      else if (node.type === 'ForInStatement' || node.type === 'ForOfStatement') target = node.left
      else if (node.type === 'UpdateExpression') target = node.argument
      if (node.start >= from) for (const name of namesOf(target)) this.assigned.add(name)
      for (const child of childrenOf(node)) todo.push(child)
    }
  }

  /** Some code of the script assigns a variable of that name. */
  assigns(name: string): boolean {
    return this.assigned.has(name)
  }

  /** Where the text of a function begins, given V8's position of it, which is somewhere inside. */
  offsetOf(text: string, line: number, column: number): number | undefined {
    const row = line - this.text.startLine
    const start = this.lineStarts[row]
    if (start === undefined) return undefined
    const inside = start + (row === 0 ? column - this.text.startColumn : column)
    const from = Math.max(inside - text.length + 1, 0)
    const found = this.text.source.slice(from, inside + text.length).lastIndexOf(text)
    return found < 0 ? undefined : from + found
  }

  /** The text that ends at an offset. */
  before(offset: number, charsMax: number): string {
    return this.text.source.slice(Math.max(0, offset - charsMax), offset)
  }

  /** Inside a function or class member that has a `this` of its own. */
  hasOwnThis(offset: number | undefined): boolean {
    return (
      offset === undefined || this.ownThis.some(([start, end]) => start < offset && offset < end)
    )
  }

  isStrict(offset: number | undefined): boolean {
    if (this.strict) return true
    return offset !== undefined && this.strictRanges.some(([a, b]) => a <= offset && offset < b)
  }

  /** The name under which the module exports exactly this function. */
  exportName(offset: number, length: number): string | undefined {
    const found = this.exported.get(offset)
    return found?.length === length ? found.name : undefined
  }

  /**
   * The place of a function in the user's file. Code that was shipped here before remembers its
   * own.
   */
  placeOf(offset: number, length: number): Place {
    if (this.unit !== undefined) return this.placeInUnit(offset, length)
    let row = this.lineStarts.length - 1
    let low = 0
    while (low < row) {
      const middle = (low + row + 1) >> 1
      if ((this.lineStarts[middle] ?? 0) <= offset) low = middle
      else row = middle - 1
    }
    const column = offset - (this.lineStarts[row] ?? 0) + (row === 0 ? this.text.startColumn : 0)
    this.map ??= sourceMapOf(this.text.source, this.url) ?? null
    const map =
      this.map === null ? undefined : cutMap(this.map, { offset, length }, this.lineStarts)
    return { url: this.url, line: row + this.text.startLine, column, map }
  }

  private placeInUnit(offset: number, length: number): Place {
    const { unit, codeAt } = this.unit as NonNullable<typeof this.unit>
    const start = codeAt + unit.at
    const before = this.text.source.slice(start, offset).split('\n')
    const lastLength = before.at(-1)?.length ?? 0
    const column = before.length === 1 ? unit.column + lastLength : lastLength
    return {
      url: unit.url,
      line: unit.line + before.length - 1,
      column,
      map: unit.map && sliceMap(unit.map, offset - start, length),
    }
  }
}

function sliceMap(map: FunctionMap, from: number, length: number): FunctionMap {
  const kept: number[] = []
  for (let i = 0; i < map.segments.length; i += 4) {
    const offset = (map.segments[i] ?? 0) - from
    if (offset >= 0 && offset < length) kept.push(offset, ...map.segments.subarray(i + 1, i + 4))
  }
  return { sources: map.sources, segments: Int32Array.from(kept) }
}

/**
 * The program's entry file: it is never imported elsewhere, because importing it would run the
 * program again.
 */
function isMain(url: string): boolean {
  const entry = process.argv[1]
  if (entry === undefined) return false
  try {
    const path = pathToFileURL(realpathSync(entry)).href
    return url.split('?')[0] === path || url.startsWith(`${path}/index.`)
  } catch {
    return url.startsWith(`${pathToFileURL(entry).href}.`)
  }
}

const scripts = new BoundedMap<string, Script>(compiledFunctionsMax)

/** The script of a function, by V8's number of it; undefined if the engine dropped it. */
export function scriptOf(fn: Function, id: string): Script | undefined {
  let script = scripts.get(id)
  if (script === undefined) {
    const rebuilt = scriptOfRebuilt(fn)
    if (rebuilt !== undefined) knowScript({ id, isModule: false, ...rebuilt })
    const text = scriptText(id)
    if (text === undefined) return undefined
    script = new Script(text)
    scripts.set(id, script)
  }
  return script
}
