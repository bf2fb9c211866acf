// The way from the shipped function to a value inside it, for error messages: `f ->
// conf.deep.sock`.

import { SerializationError } from '../base/errors.js'

export interface Path {
  readonly outer: Path | undefined
  readonly label: string
}

export const rootPath = (name: string): Path => ({ outer: undefined, label: name })

export const captured = (outer: Path, name: string): Path => ({ outer, label: ` -> ${name}` })

export const inside = (outer: Path, label: string): Path => ({ outer, label })

export function property(outer: Path, key: string | symbol): Path {
  if (typeof key === 'symbol') return { outer, label: `[${String(key)}]` }
  return { outer, label: /^[\w$]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]` }
}

function pathText(path: Path): string {
  const labels: string[] = []
  for (let p: Path | undefined = path; p !== undefined; p = p.outer) labels.push(p.label)
  const text = labels.reverse()
  const shown = text.length > 24 ? [...text.slice(0, 12), ' ... ', ...text.slice(-11)] : text
  return shown.join('')
}

/** The refusal of one value. `why` completes "it is ..." or is a sentence of its own. */
export function refuse(path: Path, why: string): never {
  const text = pathText(path)
  throw new SerializationError(`Cannot send ${text} to another process: ${why}.`, {
    fields: { path: text },
  })
}
