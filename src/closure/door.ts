// The functions of this package's own doors travel as "import this door".
//
// They are written in a bundle, which no program imports and from which nothing could be imported
// by its name; so what they are exported as is said once, by the module that exports them.

import { rememberImport } from './references.js'

/** Each function among these is what an import of `url` has under that name. */
export function rememberDoor(url: string, exports: Readonly<Record<string, unknown>>): void {
  const from = { parent: url, specifier: url, commonjs: false, path: [], interop: undefined }
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value === 'function') rememberImport(value, { ...from, name })
  }
}
