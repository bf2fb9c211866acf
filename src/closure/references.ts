// Values that travel as "import this", and the imports of the other side.
//
// A reference names the importing file, the specifier as written there, and the export. The
// receiving process resolves it itself, through the same loaders and caches as the user's own
// imports, so at home it leads to the very same class. A value that arrived by reference is
// remembered with it and leaves by reference again.

import { createRequire, isBuiltin } from 'node:module'
import { pathToFileURL } from 'node:url'
import { types } from 'node:util'
import { SerializationError } from '../base/errors.js'
import { messageOf } from '../base/thrown.js'
import type { ImportBinding } from './imports.js'
import { movedFile } from './moved-files.js'
import { compileAt } from './unit.js'

export interface ImportReference extends ImportBinding {
  /** URL of the file the specifier is relative to. */
  readonly parent: string
}

const remembered = new WeakMap<object, ImportReference>()

const isHeapValue = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

export function rememberImport(value: unknown, reference: ImportReference): void {
  if (isHeapValue(value) && !remembered.has(value)) remembered.set(value, reference)
}

export function rememberedImport(value: object): ImportReference | undefined {
  return remembered.get(value)
}

const importers = new Map<string, Function>()
const requirers = new Map<string, NodeJS.Require>()
const importing = new Set<string>()

export function requireFrom(parent: string): NodeJS.Require {
  let require = requirers.get(parent)
  if (require === undefined) {
    require = createRequire(
      parent.startsWith('file:') ? movedFile(parent) : pathToFileURL(`${process.cwd()}/x.js`),
    )
    requirers.set(parent, require)
  }
  return require
}

type Importer = (
  specifier: string,
  options?: { readonly with: Readonly<Record<string, string>> },
) => Promise<Readonly<Record<string, unknown>>>

/** `import()` as it would run inside the file `parent`. */
export function importFrom(parent: string): Importer {
  let load = importers.get(parent)
  if (load === undefined) {
    load = compileAt(movedFile(parent), 'return import(__ray_a, __ray_b)')
    importers.set(parent, load)
  }
  return load as Importer
}

/**
 * URL of a module whose top level the caller is running inside, because a closure that is being
 * rebuilt imports it. Code after a top-level `await` of that module is recognised only where the
 * caller knows that nothing else runs in this process (`isAlone`).
 */
export function importingModule(isAlone = false): string | undefined {
  if (importing.size === 0) return undefined
  if (isAlone) return [...importing].join(' or ')
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = Infinity
  const stack = new Error().stack ?? ''
  Error.stackTraceLimit = limit
  if (!/\bModuleJob\w*\.run|\bModule\._compile\b/.test(stack)) return undefined
  for (const url of importing) return url
  return undefined
}

export type LoadedModule = Readonly<Record<string, unknown>>

/** Loads the module of a reference; undefined for CommonJS, which `linkReference` requires. */
export async function loadReference(reference: ImportReference): Promise<LoadedModule | undefined> {
  if (reference.commonjs) return undefined
  const { parent, specifier, type } = reference
  const options = type === undefined ? undefined : { with: { type } }
  const label = specifier.startsWith('.') ? new URL(specifier, parent).href : specifier
  importing.add(label)
  try {
    return await importFrom(parent)(movedFile(specifier), options)
  } catch (cause) {
    throw importFailure(reference, cause)
  } finally {
    importing.delete(label)
  }
}

function importFailure({ specifier, parent }: ImportReference, cause: unknown): SerializationError {
  const why = messageOf(cause)
  const isMissing =
    types.isNativeError(cause) && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
  const hint = isMissing
    ? '. On other machines the files of a program are those of runtimeEnv.workingDir.'
    : ''
  return new SerializationError(
    `The worker cannot import '${specifier}' (from ${parent}): ${why}${hint}`,
    { cause },
  )
}

/** The value of a reference whose module is loaded. */
export function linkReference(
  reference: ImportReference,
  loaded: LoadedModule | undefined,
): unknown {
  const { name, specifier, parent } = reference
  let value: unknown
  if (reference.commonjs) {
    importing.add(specifier)
    try {
      value = applyInterop(requireFrom(parent)(movedFile(specifier)), reference.interop)
    } catch (cause) {
      throw importFailure(reference, cause)
    } finally {
      importing.delete(specifier)
    }
    for (const key of reference.path) value = (value as Record<string, unknown>)[key]
  } else if (name === '*' || loaded === undefined || name === undefined) {
    value = loaded
  } else if (name in loaded) {
    value = loaded[name]
  } else {
    throw new SerializationError(
      `The module '${specifier}' (from ${parent}) has no export '${name}'.`,
    )
  }
  rememberImport(value, reference)
  return value
}

export async function importReference(reference: ImportReference): Promise<unknown> {
  return linkReference(reference, await loadReference(reference))
}

/** The import of a builtin module that needs no file to resolve it. */
export function builtinOf(
  binding: ImportBinding,
): { module: string; name: string | undefined } | undefined {
  if (!isBuiltin(binding.specifier) || binding.interop !== undefined) return undefined
  const path = binding.commonjs ? binding.path.join('.') : binding.name
  const name = path === '' || path === 'default' ? undefined : path
  return { module: binding.specifier.replace(/^node:/, ''), name }
}

/** What the import helpers of compilers make of a CommonJS module. */
function applyInterop(exports: unknown, helper: string | undefined): unknown {
  if (helper === undefined) return exports
  const flagged = isHeapValue(exports) && '__esModule' in exports && exports.__esModule === true
  if (/toESM/i.test(helper)) return esbuildNamespace(exports, flagged && !helper.endsWith(':1'))
  if (flagged) return exports
  if (/default/i.test(helper)) return { default: exports }
  if (!/star|wildcard/i.test(helper)) return exports
  const namespace: Record<string, unknown> = { __proto__: null } as never
  for (const key of isHeapValue(exports) ? Object.keys(exports) : []) {
    if (key !== 'default') namespace[key] = (exports as Record<string, unknown>)[key]
  }
  namespace['default'] = exports
  return namespace
}

function esbuildNamespace(exports: unknown, flagged: boolean): unknown {
  const source = isHeapValue(exports) ? (exports as Record<string, unknown>) : undefined
  const namespace: object = source
    ? Object.create(Object.getPrototypeOf(source) as object | null)
    : {}
  if (!flagged) Object.defineProperty(namespace, 'default', { value: exports, enumerable: true })
  for (const key of source ? Object.getOwnPropertyNames(source) : []) {
    if (Object.hasOwn(namespace, key)) continue
    Object.defineProperty(namespace, key, { get: () => source?.[key], enumerable: true })
  }
  return namespace
}
