// The groups of tests: where their files are, how many run at once, how long one may take.
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { root } from '../sources.mjs'

const dist = path.join(root, 'dist')

// In the order in which they run: what fails fast comes first, what needs the machine last.
export const groups = {
  layers: { folder: 'test', depth: 1, timeoutMs: 60_000 },
  unit: { folder: 'src', timeoutMs: 60_000 },
  docs: { folder: 'test/docs', timeoutMs: 120_000 },
  golden: { folder: 'test/golden', timeoutMs: 60_000 },
  property: { folder: 'test/property', timeoutMs: 120_000 },
  contract: { folder: 'test/contract', timeoutMs: 120_000 },
  simulation: { folder: 'test/simulation', depth: 1, timeoutMs: 180_000 },
  bench: { folder: 'bench', timeoutMs: 60_000 },
  clusters: { folder: 'test/simulation/large', timeoutMs: 300_000 },
  integration: { folder: 'test/integration', timeoutMs: 180_000 },
  chaos: { folder: 'test/chaos', timeoutMs: 300_000, isAlone: true },
  closure: { folder: 'test/closure', timeoutMs: 240_000 },
  package: { folder: 'test/package', timeoutMs: 400_000, isAlone: true },
}

/** What `npm run check` runs: everything that needs no process but its own. */
export const checkGroups = [
  'layers',
  'unit',
  'docs',
  'golden',
  'property',
  'contract',
  'simulation',
  'bench',
]

function testFilesBelow(folder, depth = Infinity) {
  if (depth === 0 || !existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) return testFilesBelow(file, depth - 1)
    return entry.name.endsWith('.test.js') ? [file] : []
  })
}

/**
 * Built test files of a group. `isAlone` is set for files that measure (`*.measured.test.ts`), or
 * that belong to a group which does: nothing else runs beside them.
 */
export function filesOf(name) {
  const group = groups[name]
  if (group === undefined) {
    throw new Error(`no group '${name}'; there are: ${Object.keys(groups).join(', ')}`)
  }
  return testFilesBelow(path.join(dist, group.folder), group.depth).map((file) => ({
    file,
    source: path.relative(dist, file).replace(/\.js$/, '.ts'),
    timeoutMs: group.timeoutMs,
    isAlone: group.isAlone === true || file.endsWith('.measured.test.js'),
  }))
}
