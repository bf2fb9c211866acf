// Exports of CommonJS modules that this process has loaded: they travel as "require this file".

import { createRequire } from 'node:module'
import { realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { types } from 'node:util'
import { builtinName } from './builtins.js'
import { isIntrinsic } from './intrinsics.js'
import type { ImportReference } from './references.js'

const require = createRequire(import.meta.url)

let table = new Map<unknown, ImportReference>()
let counted = -1
let main: string | undefined

/** Lists the exports of modules that were loaded since; called once per closure, not per value. */
export function refreshCommonjs(): void {
  const loaded = Object.values(require.cache)
  const ready = loaded.reduce((n, module) => n + (module?.loaded === true ? 1 : 0), 0)
  if (ready === counted) return
  counted = ready
  table = new Map()
  main ??= entryFile()
  for (const module of loaded) if (module?.loaded === true) addModule(module)
}

/**
 * The module and property whose value this is; undefined for anything the program's entry file
 * exports.
 */
export function commonjsExport(value: unknown): ImportReference | undefined {
  return table.get(value)
}

function entryFile(): string {
  try {
    return realpathSync(process.argv[1] ?? '')
  } catch {
    return process.argv[1] ?? ''
  }
}

const isHeapValue = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

function addModule(module: NodeModule): void {
  const { filename, exports } = module as { filename: string; exports: unknown }
  if (filename === main || module.id === '.' || !filename || !isHeapValue(exports)) return
  if (types.isProxy(exports) || isIntrinsic(exports) || builtinName(exports)) return
  const parent = pathToFileURL(filename).href
  const base = { parent, specifier: filename, name: undefined, commonjs: true, interop: undefined }
  if (!table.has(exports)) table.set(exports, { ...base, path: [] })
  if (typeof exports === 'function' && filename.includes('/node_modules/')) return
  for (const key of Object.keys(exports)) {
    const value = exportedValue(exports, key)
    if (typeof value !== 'function' || table.has(value) || isIntrinsic(value) || builtinName(value))
      continue
    table.set(value, { ...base, path: [key] })
  }
}

/** Compiled ES modules export through getters, which are safe to call; other getters are not. */
function exportedValue(exports: object, key: string): unknown {
  const property = Object.getOwnPropertyDescriptor(exports, key)
  if (property?.get === undefined) return property?.value as unknown
  if (!('__esModule' in exports)) return undefined
  try {
    return (exports as Record<string, unknown>)[key]
  } catch {
    // The binding is in its temporal dead zone: the module is part of an import cycle.
    return undefined
  }
}
