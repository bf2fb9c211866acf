// Plans as one query what fits in the memory of one task.
//
// An exchange takes two passes over blocks, with tasks and messages around each. Where all rows are
// in local files that fit in memory, one task that gives the whole query to the engine, with a
// thread per CPU, is done before the first pass would be. The plan is followed from its files as
// far as the engine can go, back to the last step where one task may end: behind groups and limits,
// which leave little, or where rows are written, or are few enough for one block.

import { dataBlockBytes, dataQueryBytesMax } from '../../base/limits.js'
import {
  type FileCount,
  type FilesDescription,
  type FilesSource,
  firstRows,
  groupPieces,
} from '../datasource/files.js'
import { isLocal } from '../datasource/storage.js'
import { isPure } from '../expression/node.js'
import type { JoinSource } from '../logical/exchange-step.js'
import { type LogicalPlan, sourceName, type Step, stepName } from '../logical/plan.js'
import type { KeepStep, ProjectStep, WhereStep } from '../relational/steps.js'
import type { QueryStep, WholeQuery } from '../relational/whole-query.js'

export interface WholeCluster {
  describe(source: FilesSource): Promise<FilesDescription>
  /** Whether blocks may fail and be left out: then they must not all be one. */
  readonly isTolerant: boolean
}

/** A plan whose first part is one query. */
export interface PlannedQuery {
  readonly name: string
  readonly query: WholeQuery
  readonly files: FileCount
  /** What is left to do. */
  readonly rest: readonly Step[]
}

/** The beginning of the plan as one query; undefined where there is none that one task can do. */
export async function planWhole(
  plan: LogicalPlan,
  cluster: WholeCluster,
): Promise<PlannedQuery | undefined> {
  if (cluster.isTolerant) return undefined
  const start = await startOf(plan, cluster)
  if (start === undefined || start.bytes > dataQueryBytesMax) return undefined
  const prefix = prefixOf(plan, start)
  if (prefix === undefined) return undefined
  const { steps, names, rest } = prefix
  const name = [sourceName(plan.source), ...names].join(' -> ')
  return { name, query: { source: start.source, steps }, files: start.files, rest }
}

/** What a query begins with. */
interface Start {
  readonly source: WholeQuery['source']
  readonly files: FileCount
  /** Size in memory, estimated. */
  readonly bytes: number
  /** Whether its rows can be sorted such that equal ones keep their order. */
  readonly isOrdered: boolean
}

async function startOf(
  { source, steps }: LogicalPlan,
  cluster: WholeCluster,
): Promise<Start | undefined> {
  if (source.kind === 'files') return startOfFiles(source, keptColumns(steps), cluster)
  return source.kind === 'join' ? startOfJoin(source, cluster) : undefined
}

/** The columns that the first step keeps, if it says so. */
function keptColumns([step]: readonly Step[]): readonly string[] | undefined {
  const first = step?.kind === 'fused' ? step.steps[0] : step
  return first?.kind === 'keep' ? first.columns : undefined
}

async function startOfFiles(
  source: FilesSource,
  kept: readonly string[] | undefined,
  cluster: WholeCluster,
): Promise<Start | undefined> {
  const { kind } = source.format
  if (kind !== 'parquet' && kind !== 'csv' && kind !== 'json') return undefined
  // Whoever asks for blocks wants tasks.
  if (source.blocks !== undefined) return undefined
  const { files, found, columns, isSampled = false } = await cluster.describe(source)
  const read = firstRows(files, source.limit)
  const [pieces, ...others] = groupPieces(read, Number.POSITIVE_INFINITY)
  if (pieces === undefined || others.length > 0 || columns.length === 0) return undefined
  if (!pieces.every(({ path }) => isLocal(path))) return undefined
  const lean = { ...source, paths: source.paths.slice(0, 1), partitionFilter: undefined }
  const needed = columns.filter(({ name }) => kept?.includes(name) ?? true)
  const width = needed.reduce((sum, { type }) => sum + widthOf(type), 0)
  const bytes = pieces.reduce((sum, piece) => {
    return sum + (piece.rows === undefined ? piece.bytes * textGrowth : piece.rows * width)
  }, 0)
  return {
    source: { kind: 'files', request: { source: lean, pieces, columns, isSampled } },
    files: { read: read.length, found },
    bytes,
    isOrdered: kind === 'parquet',
  }
}

/** The engine's vectors of values take about this many times the text of lines. */
const textGrowth = 2

/** Bytes that a value takes in the engine, about: strings are mostly short. */
function widthOf(type: string): number {
  if (/^(BOOLEAN|U?TINYINT)$/.test(type)) return 1
  if (/^(U?SMALLINT)$/.test(type)) return 2
  if (/^(U?INTEGER|FLOAT|DATE)$/.test(type)) return 4
  if (/^(U?BIGINT|DOUBLE|TIME|TIMESTAMP.*|DECIMAL.*)$/.test(type)) return 8
  return /^(VARCHAR|BLOB)$/.test(type) ? 24 : 100
}

async function startOfJoin(source: JoinSource, cluster: WholeCluster): Promise<Start | undefined> {
  if (source.blocks !== undefined) return undefined
  const sides: (Start & { readonly query: WholeQuery })[] = []
  for (const side of [source.left, source.right]) {
    const start = await startOf(side, cluster)
    const steps = plainSteps(side)
    if (start === undefined || steps === undefined) return undefined
    sides.push({ ...start, query: { source: start.source, steps } })
  }
  const [left, right] = sides
  if (left === undefined || right === undefined) return undefined
  const { spec } = source
  return {
    source: { kind: 'join', left: left.query, right: right.query, spec },
    files: {
      read: left.files.read + right.files.read,
      found: left.files.found + right.files.found,
    },
    bytes: left.bytes + right.bytes,
    isOrdered: false,
  }
}

/** The steps of a side of a join, if the engine can do all of them. */
function plainSteps({ steps }: LogicalPlan): readonly QueryStep[] | undefined {
  const all = flatSteps(steps)
  const plain = all.flatMap(({ step }) => plainStep(step) ?? [])
  return plain.length === all.length ? plain : undefined
}

interface Prefix {
  readonly steps: readonly QueryStep[]
  readonly names: readonly string[]
  /** What is left to do. */
  readonly rest: readonly Step[]
}

/** The steps up to the last one where a query may end. */
function prefixOf(plan: LogicalPlan, start: Start): Prefix | undefined {
  const following = new Following(start)
  let found: Prefix | undefined
  let rest = plan.steps
  for (const each of flatSteps(plan.steps)) {
    if (each.step.kind === 'write') {
      if (following.mayWrite) found = following.prefix(rest)
      break
    }
    if (!following.add(each.step)) break
    rest = each.rest
    if (following.mayEnd) found = following.prefix(rest)
  }
  return found
}

interface FlatStep {
  readonly step: Exclude<Step, { kind: 'fused' }>
  /** The steps behind it. */
  readonly rest: readonly Step[]
}

function flatSteps(steps: readonly Step[]): readonly FlatStep[] {
  return steps.flatMap((step, at): readonly FlatStep[] => {
    const behind = steps.slice(at + 1)
    if (step.kind !== 'fused') return [{ step, rest: behind }]
    return step.steps.map((each, i) => {
      const others = step.steps.slice(i + 1)
      const rest = others.length === 0 ? behind : [{ ...step, steps: others }, ...behind]
      return { step: each, rest }
    })
  })
}

/** How far a query has come, and what its rows are like. */
class Following {
  readonly #steps: QueryStep[] = []
  readonly #names: string[] = []
  #isOrdered: boolean
  /** Whether there are no more rows than in the files: a join may make many of few. */
  #isBounded: boolean
  /** Whether the rows fit in a block. */
  #isLittle: boolean
  #isWhole = false

  constructor({ source, bytes, isOrdered }: Start) {
    this.#isOrdered = isOrdered
    this.#isBounded = source.kind === 'files'
    this.#isLittle = this.#isBounded && bytes <= dataBlockBytes
  }

  /** Whether the rows are worth a query, and may be one block. */
  get mayEnd(): boolean {
    return this.#isWhole && this.#isLittle
  }

  /** Whether they may be written as one file. */
  get mayWrite(): boolean {
    return this.#isLittle || (this.#isWhole && this.#isBounded)
  }

  prefix(rest: readonly Step[]): Prefix {
    return { steps: [...this.#steps], names: [...this.#names], rest }
  }

  /** False for a step that must stay outside of the query. */
  add(step: FlatStep['step']): boolean {
    const added = this.#queryStep(step)
    if (added === undefined) return false
    this.#steps.push(added)
    // What only drops columns is none of the user's steps.
    if (step.kind !== 'keep') this.#names.push(stepName(step))
    this.#isWhole ||= !isPlain(added)
    if (added.kind === 'sort') this.#isOrdered = false
    if (added.kind === 'limit') this.#isLittle = true
    if (added.kind === 'aggregate') {
      this.#isOrdered = true
      this.#isBounded = true
      this.#isLittle = true
    }
    return true
  }

  #queryStep(step: FlatStep['step']): QueryStep | undefined {
    switch (step.kind) {
      case 'aggregate': {
        const { keys, aggregates, blocks } = step
        const isOfEngine = aggregates.every((spec) => {
          return spec.kind !== 'custom' && (spec.value === undefined || isPure(spec.value))
        })
        return blocks === undefined && isOfEngine
          ? { kind: 'aggregate', keys, aggregates }
          : undefined
      }
      case 'sort':
        return this.#isOrdered && step.keys.every(({ value }) => isPure(value)) ? step : undefined
      case 'limit':
        return this.#isWhole ? step : undefined
      default:
        return plainStep(step)
    }
  }
}

type PlainStep = WhereStep | ProjectStep | KeepStep

function isPlain({ kind }: QueryStep): boolean {
  return kind === 'where' || kind === 'project' || kind === 'keep'
}

/** A step that looks at one row at a time, if the engine can do it. */
function plainStep(step: Step): PlainStep | undefined {
  switch (step.kind) {
    case 'where':
      return isPure(step.predicate) ? step : undefined
    case 'project':
      return step.outputs.every(({ value }) => isPure(value)) ? step : undefined
    case 'keep':
      return step
    case 'select': {
      const outputs = step.columns.map((name) => {
        return { name, value: { kind: 'column', name } } as const
      })
      return { kind: 'project', operator: 'select', outputs, keepsOthers: false }
    }
    default:
      return undefined
  }
}
