// The functions of this package's own doors travel as "import this door", and a door as a whole
// does.
//
// They are written in a bundle, which no program imports and from which nothing could be imported
// by its name; so what they are exported as is said once, by the module that exports them.

import { pathToFileURL } from 'node:url'
import { rememberImport } from './references.js'

/** `door` is what an import of `url` gives. */
export function rememberDoor(url: string, door: Readonly<Record<string, unknown>>): void {
  const from = { parent: url, specifier: url, commonjs: false, path: [], interop: undefined }
  rememberImport(door, { ...from, name: '*' })
  for (const [name, value] of Object.entries(door)) {
    if (typeof value === 'function') rememberImport(value, { ...from, name })
  }
}

/**
 * The functions and classes of modules in a CommonJS bundle of this package travel as "require this
 * file". `modules` is what is found in its exports at `path`: exports by module.
 */
export function rememberModules(
  file: string,
  path: readonly string[],
  modules: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): void {
  const parent = pathToFileURL(file).href
  const from = { parent, specifier: file, name: undefined, commonjs: true, interop: undefined }
  for (const [module, exports] of Object.entries(modules)) {
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value === 'function') {
        rememberImport(value, { ...from, path: [...path, module, name] })
      }
    }
  }
}
