// One copy of the package per process, also where a loader makes CommonJS of ES modules.
//
// tsx compiles what is required: `require('typeray')` would evaluate the package once more, beside
// the ES modules that the process runs on, and the refs of the one would be strangers to the other.
// So the door puts itself where `require` looks first.

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const preload = /(^|\s)(--import|--require|-r|--loader|--experimental-loader)\b/

/** Whether something was preloaded that may compile modules in its own way. */
export function hasPreloads(): boolean {
  const options = [...process.execArgv, process.env['NODE_OPTIONS'] ?? '']
  return options.some((option) => preload.test(option))
}

/** From now on `require` of that file gives these exports, unless it has given others before. */
export function answerRequire(url: string, exports: object): void {
  const require = createRequire(url)
  const filename = fileURLToPath(url)
  const module = { id: filename, filename, exports, loaded: true, children: [], paths: [] }
  require.cache[filename] ??= module as unknown as NodeJS.Module
}
