// Values that no column holds: which one it is, and what to do.

import { RayError } from '../../base/errors.js'

/** Deeper than this nothing is nested but by mistake. */
const depthMax = 200

/** Thrown where a value is found to be inside itself, on the way to where its row is known. */
export class SelfContainedError extends Error {
  override name = 'SelfContainedError'
}

/** Whether a value is somewhere inside itself, or nested as deeply as if it were. */
export function containsItself(value: unknown): boolean {
  const around = new Set<object>()
  const done = new Set<object>()
  const visit = (inner: unknown): boolean => {
    if (typeof inner !== 'object' || inner === null || ArrayBuffer.isView(inner)) return false
    if (around.has(inner) || around.size > depthMax) return true
    if (done.has(inner)) return false
    around.add(inner)
    const members = inner instanceof Map ? [...inner.values()] : Object.values(inner)
    const isFound = members.some(visit)
    around.delete(inner)
    done.add(inner)
    return isFound
  }
  return visit(value)
}

/** The error of a column of which a value contains itself. */
export function containingItself(column: string, values: readonly unknown[]): RayError {
  const row = Math.max(0, values.findIndex(containsItself))
  return new RayError(
    `Row ${row} of column "${column}" contains itself, or is nested more than ${depthMax} levels ` +
      'deep. Leave that part out, or return the text that JSON.stringify makes of what is left.',
    { fields: { column, row } },
  )
}

/** The error of values that have no type in common; says of which one it is so. */
export function noCommonType(column: string, values: readonly unknown[]): RayError {
  const odd = values.findIndex((value) => typeof value === 'function' || typeof value === 'symbol')
  const first = values.findIndex((value) => value !== null && value !== undefined)
  const kind = kindOf(values[first])
  const other = values.findIndex((value) => {
    return value !== null && value !== undefined && kindOf(value) !== kind
  })
  const row = odd !== -1 ? odd : other !== -1 ? other : first
  const beside = odd === -1 && other !== -1 ? `, and row ${first} ${kind}` : ''
  return new RayError(
    `The values of column "${column}" have no common Arrow type: row ${row} is ` +
      `${kindOf(values[row])}${beside}. Return numbers, text, Dates, bytes, arrays, Maps or ` +
      'plain objects, of one kind in each column, such as what JSON.stringify makes of it.',
    { fields: { column, row } },
  )
}

function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`
  if (Array.isArray(value)) return 'an array'
  const { constructor } = value as { readonly constructor?: { readonly name?: string } }
  const name = constructor?.name ?? 'Object'
  return name === 'Object' ? 'an object' : `a value of class ${name}`
}
