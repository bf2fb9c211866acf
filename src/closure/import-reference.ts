// How a class or function travels by import, if it does: for the layer that sends instances of it.

import { commonjsExport, refreshCommonjs } from './commonjs.js'
import { viewFunction } from './inspector.js'
import { rememberImport, rememberedImport, type ImportReference } from './references.js'
import { scriptOf } from './script.js'

const none = new WeakSet<Function>()

/**
 * The import that gives this very function in any process: it arrived by one, or is an export of a
 * module. Undefined for what travels by value, among it everything written in the program's entry
 * file.
 */
export function importReferenceOf(fn: Function): ImportReference | undefined {
  const known = rememberedImport(fn)
  if (known !== undefined) return known
  if (none.has(fn)) return undefined
  refreshCommonjs()
  const found = commonjsExport(fn) ?? exportReference(fn)
  if (found === undefined) none.add(fn)
  else rememberImport(fn, found)
  return found
}

/** The module and name under which a function is exported from the ES module it is written in. */
function exportReference(fn: Function): ImportReference | undefined {
  const view = viewFunction(fn)
  if (view.kind !== 'written') return undefined
  const script = scriptOf(fn, view.scriptId)
  const text = Function.prototype.toString.call(fn)
  const offset = script?.offsetOf(text, view.line, view.column)
  if (script === undefined || offset === undefined) return undefined
  const name = script.exportName(offset, text.length)
  if (name === undefined) return undefined
  return {
    parent: script.url,
    specifier: script.url,
    name,
    commonjs: false,
    path: [],
    interop: undefined,
  }
}
