// The name that a program gives to what it makes remote: `square` in
// `const square = ray.remote((x) => x * x)`, where the function itself has none.

import { viewFunction } from './inspector.js'
import { scriptOf } from './script.js'

/** What stands before the function: a name, the call of `remote`, perhaps options. */
const opening = new RegExp(
  /(?:([\w$]+)\s*=|[{,]\s*([\w$]+)\s*:)\s*/.source +
    /(?:\(\s*0\s*,\s*)?[\w$.]*\bremote\s*\)?\s*\(\s*/.source +
    /(?:\{(?:[^{}]|\{[^{}]*\})*\}\s*,\s*)?$/.source,
)
/** Longer options than this leave the function without a name. */
const openingCharsMax = 500

/** Undefined where the source tells none, or cannot be had. Costs no more than an export does. */
export function declaredName(fn: Function): string | undefined {
  try {
    const view = viewFunction(fn)
    if (view.kind !== 'written') return undefined
    const script = scriptOf(fn, view.scriptId)
    const text = Function.prototype.toString.call(fn)
    const offset = script?.offsetOf(text, view.line, view.column)
    if (script === undefined || offset === undefined) return undefined
    const found = opening.exec(script.before(offset, openingCharsMax))
    return found?.[1] ?? found?.[2]
  } catch {
    // A name is not worth an error; exporting the function will say what is wrong.
    return undefined
  }
}
