// Private names as compilers write them for older targets, and esbuild for classes with
// decorators: a WeakMap or WeakSet beside the class for each name, keyed by the instances.
//
// The storage of a class that travels starts empty on the other side, because instances made there
// register themselves. An instance that was made here would arrive without what is in it.

import { types } from 'node:util'
import type { Occurrence } from './free-variables.js'

/** `__privateGet(this, _n`, `__classPrivateFieldSet(this, _C_n`, `_class_private_field_get(...`. */
const helperCall = /private_?(?:field|method|get|set|add|in|wrapper)\w*\)?\([^()]*$/i
/** The same where a minifier has renamed the helper. */
const helperOfThis = /[\w$)]\(\s*this,\s*$/
/** `_C_n.set(this, ...` of tsc, in the constructor. */
const registers = /^\.(?:set|add)\(this\b/
const added = /(?:privateAdd|private_?field_?init\w*)\)?\(this,\s*([\w$]+)/gi
const addedByTsc = /\b(_[\w$]+)\.(?:set|add)\(this\b/g

/** The variable `name` of a class holds the values of one of its private names. */
export function holdsPrivates(
  value: unknown,
  name: string,
  within: { readonly code: string; readonly occurrences: readonly Occurrence[] },
): value is WeakMap<object, unknown> | WeakSet<object> {
  if (!types.isWeakMap(value) && !types.isWeakSet(value)) return false
  const { code, occurrences } = within
  return occurrences.some(
    ({ start, end }) =>
      helperCall.test(code.slice(Math.max(0, start - 80), start)) ||
      helperOfThis.test(code.slice(Math.max(0, start - 80), start)) ||
      (/^_\w+_\w+$/.test(name) && registers.test(code.slice(end, end + 10))),
  )
}

/** Names of the variables that hold private values of the instances of a class. */
export function loweredPrivates(text: string): string[] {
  const names = [...text.matchAll(added)]
  if (text.includes('__classPrivateField')) names.push(...text.matchAll(addedByTsc))
  return [...new Set(names.flatMap(([, name]) => (name === undefined ? [] : [name])))]
}
