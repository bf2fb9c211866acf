// Puts together the source that the other side compiles for one function: its text with the few
// edits it needs, and the names it captures. Edits never add or remove a line, so that lines stay
// the user's.

import { cellPrefix } from './cell.js'
import type { Edit } from './free-variables.js'
import type { WrittenFunction } from './function-record.js'
import type { Ref } from './nodes.js'
import type { FunctionMap } from './source-map.js'
import type { Unit } from './unit.js'

export interface MadeUnit {
  readonly unit: Unit
  readonly captures: readonly (readonly [name: string, value: Ref])[]
}

/** `cells` names the variables of the function that have become shared cells. */
export function makeUnit(written: WrittenFunction, cells: ReadonlyMap<string, Ref>): MadeUnit {
  const { parsed, script, text, view, offset, free, variables } = written
  const edits = [...written.edits]
  const captures: [string, Ref][] = [...written.extras]
  for (const [name, variable] of variables) {
    const cell = cells.get(name)
    if (cell === undefined) {
      captures.push([name, variable.ref])
      continue
    }
    const cellName = cellPrefix + name
    captures.push([cellName, cell])
    for (const o of variable.free.occurrences) {
      const access = o.use === 'call' ? `${cellName}.get()` : `${cellName}.v`
      edits.push({
        start: o.start,
        end: o.end,
        text: o.use === 'shorthand' ? `${name}: ${access}` : access,
      })
    }
  }
  const applied = withoutNested(edits)
  const place =
    offset === undefined
      ? { url: script.url, line: view.line, column: view.column, map: undefined }
      : script.placeOf(offset, text.length)
  const unit: Unit = {
    url: place.url,
    code: applyEdits(parsed.code, applied),
    at: parsed.before,
    line: place.line,
    column: place.column,
    strict: free.strict || script.isStrict(offset),
    module: script.isModule || view.scopes.at(-1)?.kind === 'Module',
    names: captures.map(([name]) => name),
    map: place.map && shiftMap(place.map, applied, parsed.before),
  }
  return { unit, captures }
}

/** In order of position; an edit inside a replaced range is gone with it. */
function withoutNested(edits: readonly Edit[]): Edit[] {
  const sorted = [...edits].sort((a, b) => a.start - b.start || b.end - a.end)
  const kept: Edit[] = []
  for (const edit of sorted) if (edit.start >= (kept.at(-1)?.end ?? 0)) kept.push(edit)
  return kept
}

function applyEdits(code: string, edits: readonly Edit[]): string {
  let text = ''
  let from = 0
  for (const edit of edits) {
    text += code.slice(from, edit.start) + edit.text
    from = edit.end
  }
  return text + code.slice(from)
}

/** Moves the offsets of a map as the edits moved the text. */
function shiftMap(map: FunctionMap, edits: readonly Edit[], before: number): FunctionMap {
  if (edits.length === 0) return map
  const segments = map.segments.slice()
  let shift = 0
  let next = 0
  for (let i = 0; i < segments.length; i += 4) {
    const offset = (segments[i] ?? 0) + before
    for (let edit = edits[next]; edit !== undefined && edit.end <= offset; edit = edits[++next]) {
      shift += edit.text.length - (edit.end - edit.start)
    }
    segments[i] = (segments[i] ?? 0) + shift
  }
  return { sources: map.sources, segments }
}
