// The command line and the environment, compiled once.
import { parseArgs } from 'node:util'

export const usage = `npm run bench -- <suite> [row filter] [--json PATH] [--markdown]

  suite        core, cluster or data
  row filter   only rows whose name contains this text; several are separated by commas
  --json PATH  writes figures, ratios and verdicts of the run to a file
  --markdown   prints the table with its targets for docs/performance.md

  TYPERAY_BENCH_SECONDS     length of a round, of which each row has four (default 1)
  TYPERAY_BENCH_LIMIT       seconds that a row of data may take an engine (default 300)
  TYPERAY_BENCH_RAY_PYTHON  a Python with Ray 2.58 and numpy: its rows run in the same run`

/** The command line or the environment asks for something that cannot be done. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export interface BenchConfig {
  readonly suite: string
  readonly filters: readonly string[]
  readonly jsonPath: string | undefined
  readonly isMarkdown: boolean
  readonly roundMs: number
  readonly rayPython: string | undefined
  readonly limitSeconds: number
}

const roundSecondsMax = 60

function parseCommandLine(argv: readonly string[]): {
  values: { json?: string | undefined; markdown: boolean }
  positionals: string[]
} {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { json: { type: 'string' }, markdown: { type: 'boolean', default: false } },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

export function compileBenchOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): BenchConfig {
  const { values, positionals } = parseCommandLine(argv)
  const seconds = Number(env['TYPERAY_BENCH_SECONDS'] ?? 1)
  if (!(seconds > 0 && seconds <= roundSecondsMax)) {
    throw new UsageError(`TYPERAY_BENCH_SECONDS must be above 0 and at most ${roundSecondsMax}`)
  }
  const limitSeconds = Number(env['TYPERAY_BENCH_LIMIT'] ?? 300)
  if (!(limitSeconds > 0)) throw new UsageError('TYPERAY_BENCH_LIMIT must be above 0')
  const [suite, ...filters] = positionals
  if (suite === undefined) throw new UsageError('which suite?')
  return {
    suite,
    filters: filters.flatMap((filter) => filter.split(',')).filter((filter) => filter !== ''),
    jsonPath: values.json,
    isMarkdown: values.markdown,
    roundMs: seconds * 1000,
    rayPython: env['TYPERAY_BENCH_RAY_PYTHON'] || undefined,
    limitSeconds,
  }
}

export function matchesFilters(name: string, filters: readonly string[]): boolean {
  return filters.length === 0 || filters.some((filter) => name.includes(filter))
}
