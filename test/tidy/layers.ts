// Who may import whom: the architecture as one table.
import { resolveImport } from './sources.js'
import type { Source, Violation } from './sources.js'

/** A folder of src/ may import itself and what is listed, nothing else. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: ['base'],
  scheduling: ['base'],
  store: ['base'],
  closure: ['base'],
  gcs: ['base', 'wire', 'scheduling'],
  raylet: ['base', 'wire', 'scheduling', 'store'],
  worker: ['base', 'wire', 'scheduling', 'store', 'closure'],
  node: ['base', 'wire', 'gcs', 'raylet', 'worker'],
  ray: ['base', 'worker', 'node'],
  data: ['base', 'ray'],
  tune: ['base', 'ray'],
  train: ['base', 'ray', 'data'],
  serve: ['base', 'ray'],
  dag: ['base', 'ray'],
  dask: ['base', 'ray'],
  rllib: ['base', 'ray'],
  util: ['base', 'ray'],
  state: ['base', 'wire', 'node', 'ray'],
  cli: ['base', 'node', 'ray', 'state'],
  testing: ['base', 'wire', 'scheduling', 'store', 'gcs', 'raylet', 'worker', 'node', 'ray'],
}

/** Customers of the public API: of another folder but base they see only its index.ts. */
const libraries = new Set(['data', 'tune', 'train', 'serve', 'dag', 'dask', 'rllib', 'util'])

const folderOf = (file: string): string => file.split('/')[1] ?? ''
const isEntry = (file: string): boolean => file === 'src/index.ts'

function importProblem(from: string, to: string): string | undefined {
  const [folder, target] = [folderOf(from), folderOf(to)]
  if (folder === target) return undefined
  if (isEntry(from)) {
    const isAllowed = target === 'base' || to === 'src/ray/index.ts'
    return isAllowed ? undefined : 'src/index.ts may use only base/ and ray/index.ts'
  }
  if (!to.startsWith('src/')) return `src/ must not import ${to}`
  if (layers[folder]?.includes(target) !== true) return `${folder}/ must not import ${target}/`
  if (libraries.has(folder) && target !== 'base' && !to.endsWith('/index.ts')) {
    return `${folder}/ may use only ${target}/index.ts`
  }
  return undefined
}

function checkPlace({ path }: Source): Violation[] {
  const isLoose = path.split('/').length === 2
  if (isLoose && !isEntry(path)) return [`${path}:1: no loose files in src/ but index.ts`]
  if (!isLoose && layers[folderOf(path)] === undefined) {
    return [`${path}:1: folder '${folderOf(path)}' is not in the table of test/tidy/layers.ts`]
  }
  const name = path.split('/').at(-1) ?? ''
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(name)) return [`${path}:1: name in kebab-case`]
  if (/^(types|utils?|helpers?|constants|common|misc)\.ts$/.test(name)) {
    return [`${path}:1: '${name}' names no noun; put each thing with what it belongs to`]
  }
  return []
}

export function checkLayers(sources: readonly Source[]): Violation[] {
  const known = new Set(sources.map((source) => source.path))
  return sources
    .filter((source) => source.path.startsWith('src/'))
    .flatMap((source) => {
      const violations = checkPlace(source)
      for (const each of source.imports) {
        const to = resolveImport(source, each)
        if (to === undefined) continue
        const at = `${source.path}:${each.line}`
        if (!known.has(to)) violations.push(`${at}: cannot resolve ${each.specifier}`)
        // A test beside its source may bring in whatever it needs to put it to work.
        const problem = source.isTest ? undefined : importProblem(source.path, to)
        if (problem !== undefined) violations.push(`${at}: ${problem}`)
      }
      return violations
    })
}
