// Files that import each other in a circle. Type-only imports are erased and do not count.
import { resolveImport } from './sources.js'
import type { Source, Violation } from './sources.js'

export function checkCycles(sources: readonly Source[]): Violation[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const state = new Map<string, 'open' | 'done'>()
  const trail: string[] = []
  const violations: Violation[] = []
  const visit = (source: Source): void => {
    if (state.get(source.path) === 'done') return
    if (state.get(source.path) === 'open') {
      const circle = [...trail.slice(trail.indexOf(source.path)), source.path]
      violations.push(`${source.path}:1: import cycle ${circle.join(' -> ')}`)
      return
    }
    state.set(source.path, 'open')
    trail.push(source.path)
    for (const each of source.imports) {
      const target = each.isType ? undefined : byPath.get(resolveImport(source, each) ?? '')
      if (target !== undefined) visit(target)
    }
    trail.pop()
    state.set(source.path, 'done')
  }
  for (const source of sources) visit(source)
  return violations
}
