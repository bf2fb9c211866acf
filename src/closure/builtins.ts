// Functions, classes and objects of node's builtin modules: they travel as module and name.

import { isBuiltin } from 'node:module'
import { isIntrinsic } from './intrinsics.js'

export interface BuiltinName {
  readonly module: string
  /** Exported name, `*` for the namespace, undefined for the module itself. */
  readonly name: string | undefined
}

let table = new Map<unknown, BuiltinName>()
let listed = -1

/**
 * Where in node's modules a value is exported. Only modules that this process has loaded are
 * searched.
 */
export function builtinName(value: unknown): BuiltinName | undefined {
  refresh()
  return table.get(value)
}

function refresh(): void {
  const loaded = (process as unknown as { moduleLoadList: readonly string[] }).moduleLoadList
  if (loaded.length === listed) return
  table = new Map()
  for (const entry of loaded) {
    const module = /^NativeModule (.*)$/.exec(entry)?.[1]
    if (module === undefined || module.startsWith('internal') || module.startsWith('_')) continue
    if (isBuiltin(module)) addModule(module)
  }
  listed = loaded.length
}

function addModule(module: string): void {
  const exports = builtinModule(module)
  if (exports === undefined) return
  if (!table.has(exports) && !isIntrinsic(exports)) table.set(exports, { module, name: undefined })
  for (const name of Object.keys(exports)) {
    const value: unknown = Object.getOwnPropertyDescriptor(exports, name)?.value
    const shared = (typeof value === 'object' && value !== null) || typeof value === 'function'
    if (shared && !table.has(value) && !isIntrinsic(value)) table.set(value, { module, name })
  }
}

function builtinModule(module: string): object | undefined {
  return process.getBuiltinModule(module) as object | undefined
}

export function builtinAt({ module, name }: BuiltinName): unknown {
  let value: unknown = builtinModule(module)
  if (name === undefined || name === '*') return value
  for (const key of name.split('.')) value = (value as Record<string, unknown>)[key]
  return value
}
