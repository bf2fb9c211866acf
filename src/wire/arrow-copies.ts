// The copies of apache-arrow in this process: which one makes the tables that are read here, and
// how all of them come to take each other's tables.
//
// `import` and `require` give two copies of the library, and a program may have either or both. Of
// all Arrow classes only DataType (21.2) checks no brand in `instanceof`, so a copy takes the
// columns of another for something that it does not know: it fails, or writes them without their
// buffers. Each copy is taught the brand here.
//
// - A CommonJS copy is found among the modules that are loaded, and one that is loaded later is
//   taught as it is loaded. That is seen where `require` compiles files, and watched from the first
//   Arrow value on.
// - An ES module can only be imported, and that takes a turn of the event loop and up to 100 ms of
//   CPU. A value that has Arrow values in it therefore names the library among the code that it
//   needs (`arrowCode`), and a process that has not loaded it does so before it reads the value.

import { createRequire } from 'node:module'
import type * as Arrow from 'apache-arrow'

type TypeModule = Pick<typeof Arrow, 'DataType'>
type ImportModule = (specifier: string) => Promise<unknown>

/** Stands for the library among the code that a value needs. */
export const arrowCode = 'apache-arrow'
/** The same for blocks of datasets, which any copy may read. */
export const blockCode = 'apache-arrow for blocks'
const typeModule = 'apache-arrow/type'
const typeFile = '/apache-arrow/type.js'

const require = createRequire(import.meta.url)
/** The copy that reads and writes here. */
let chosen: typeof Arrow | undefined
/** The ES module copy knows the brand. */
let isImportedTaught = false
let isWatching = false
let loading: Promise<void> | undefined

/** Decides which copy of apache-arrow makes the tables that are decoded here. */
function useArrow(library: typeof Arrow): void {
  chosen = library
  isImportedTaught ||= library.DataType !== requiredByProgram()?.DataType
  honourTypeBrand(library)
}

/** What it takes to write blocks of datasets, and to read them. */
export type BlockArrow = Pick<
  typeof Arrow,
  'RecordBatchReader' | 'RecordBatchStreamWriter' | 'Table'
>

/** The copy that is part of the bundle of datasets, where that is loaded. */
let ofBlocks: BlockArrow | undefined

/** Decides which copy reads and writes blocks of datasets. */
export function useBlockArrow(library: BlockArrow & TypeModule): void {
  ofBlocks = library
  honourTypeBrand(library)
}

/** Whether `table` was made by the copy of datasets. */
export function isOfBlocks(table: object): boolean {
  return ofBlocks !== undefined && Object.getPrototypeOf(table) === ofBlocks.Table.prototype
}

/** Undefined until a value that has blocks in it can be read. */
export function loadedBlockArrow(): BlockArrow | undefined {
  return ofBlocks ?? loadedArrow()
}

export function arrowForBlocks(): BlockArrow {
  return ofBlocks ?? arrowForReading()
}

/**
 * Makes the program's copies take tables of other copies, without loading more of the library than
 * that takes.
 */
export async function teachArrow(importModule: ImportModule): Promise<void> {
  watchRequired()
  if (isImportedTaught) return
  try {
    honourTypeBrand((await importModule(typeModule)) as TypeModule)
  } catch {
    // What this program cannot import has no use for tables.
  }
  isImportedTaught = true
}

/** Undefined until a value that has Arrow values in it can be read. */
export function loadedArrow(): typeof Arrow | undefined {
  return isImportedTaught ? chosen : undefined
}

/**
 * Makes ready to read Arrow values. `importModule` is `import()`, which the bundle that this is
 * part of cannot write.
 */
export async function loadArrow(importModule: ImportModule): Promise<typeof Arrow> {
  loading ??= load(importModule)
  await loading
  return arrowForReading()
}

async function load(importModule: ImportModule): Promise<void> {
  chosen ??= requiredByProgram()
  try {
    if (chosen === undefined) useArrow((await importModule(arrowCode)) as typeof Arrow)
    else honourTypeBrand((await importModule(typeModule)) as TypeModule)
  } catch {
    // What this program cannot import has no tables that a copy could be strange to.
    chosen ??= require(arrowCode) as typeof Arrow
  }
  isImportedTaught = true
}

/** The copy whose classes the values have that are read here. */
export function arrowForReading(): typeof Arrow {
  watchRequired()
  chosen ??= require(arrowCode) as typeof Arrow
  return chosen
}

/**
 * A copy to write a table of any copy with, at once: the program's own as a rule, as it has made
 * the table.
 */
export function arrowForWriting(): typeof Arrow {
  watchRequired()
  chosen ??= requiredByProgram() ?? requireImported() ?? (require(arrowCode) as typeof Arrow)
  return chosen
}

/** The CommonJS copy, if the program has loaded it. */
function requiredByProgram(): typeof Arrow | undefined {
  const file = require.resolve(arrowCode)
  return require.cache[file]?.loaded === true ? (require(file) as typeof Arrow) : undefined
}

/**
 * The ES module copy by `require`, which takes no time where the program has imported it. Not while
 * it is being imported, nor where Node was told not to.
 */
function requireImported(): typeof Arrow | undefined {
  try {
    const library = require(require.resolve(arrowCode).replace(/\.js$/, '.mjs')) as typeof Arrow
    honourTypeBrand(library)
    isImportedTaught = true
    return library
  } catch {
    return undefined
  }
}

/** Teaches CommonJS copies the brand: those that are loaded, and from now on those that will be. */
function watchRequired(): void {
  if (isWatching) return
  isWatching = true
  for (const [file, module] of Object.entries(require.cache)) {
    if (file.endsWith(typeFile)) honourTypeBrand(module?.exports as Partial<TypeModule>)
  }
  // Deprecated, and what every tool that compiles on the fly relies on.
  const { extensions } = require
  const compile = extensions?.['.js']
  if (typeof compile !== 'function') return
  extensions['.js'] = (module, file) => {
    compile(module, file)
    if (file.endsWith(typeFile)) honourTypeBrand(module.exports as Partial<TypeModule>)
  }
}

/** The check is for DataType alone, so subclasses are not affected. */
function honourTypeBrand({ DataType }: Partial<TypeModule>): void {
  if (typeof DataType?.isDataType !== 'function') return
  if (Object.hasOwn(DataType, Symbol.hasInstance)) return
  Object.defineProperty(DataType, Symbol.hasInstance, {
    configurable: true,
    value(this: unknown, value: unknown): boolean {
      const isInstance = Function.prototype[Symbol.hasInstance]
      return (
        isInstance.call(this as CallableFunction, value) ||
        (this === DataType && DataType.isDataType(value))
      )
    },
  })
}
