// Runs a random plan over random tables: as one query of the engine where it can be one, as blocks
// that stream through tasks, and step by step, each against plain arrays.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { DataType, tableToIPC } from 'apache-arrow'
import { Prng } from '../../src/base/prng.js'
import { describeBlock } from '../../src/data/block/metadata.js'
import { Dataset, readParquet } from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { type PlannedStep, randomStep, type State } from './random-plans.js'
import { type RandomTable, randomTable, type Row } from './random-tables.js'
import { textOfRow } from './value-text.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'typeray-plans-'))
after(() => fs.rmSync(folder, { recursive: true }))

const newSession = (): DatasetSession => new DatasetSession(new InProcessRunner())

/** Blocks that come through Arrow messages as between processes. */
function inBlocks({ blocks }: RandomTable): Dataset<Row> {
  const bundles = blocks.map((block) => {
    return { block: Promise.resolve(tableToIPC(block)) as never, metadata: describeBlock(block, 0) }
  })
  return new Dataset<Row>(newSession(), { source: { kind: 'blocks', bundles }, steps: [] })
}

/** Whether a column has no type in any block: files give it one, which may be another. */
function hasUnknown({ columns, blocks }: RandomTable): boolean {
  return columns.some(({ name, kind }) => {
    const types = blocks.map((block) => block.getChild(name)?.type)
    return kind !== 'nothing' && types.every((type) => DataType.isNull(type))
  })
}

let written = 0
/** The same table as files. */
async function inFiles(table: RandomTable): Promise<Dataset<Row>> {
  const out = path.join(folder, String(written++))
  await inBlocks(table).writeParquet(out)
  return new Dataset<Row>(newSession(), readParquet<Row>(out).plan)
}

/** How a plan is run. */
export interface Way {
  readonly name: string
  readonly begin: (table: RandomTable) => Dataset<Row> | Promise<Dataset<Row>>
  /** Whether each step is computed by itself. */
  readonly isStepwise?: boolean
}

export const ways: readonly Way[] = [
  { name: 'blocks', begin: inBlocks },
  { name: 'step by step', begin: inBlocks, isStepwise: true },
  { name: 'files', begin: inFiles },
]

const stateOf = ({ columns, rows }: RandomTable): State => ({ columns, rows, isOrdered: true })

function planned(state: State, other: State, seeds: readonly number[]): PlannedStep[] {
  const steps: PlannedStep[] = []
  for (const seed of seeds) {
    const made = randomStep(new Prng(seed), steps.at(-1)?.state ?? state, other)
    // Rows that multiply would only take time.
    if (made !== undefined && made.state.rows.length < 300) steps.push(made)
  }
  return steps
}

/** Two tables of as many rows per block, and what is done to the first of them. */
export interface PlanSeeds {
  readonly tables: number
  readonly left: readonly number[]
  readonly right: readonly number[]
  readonly steps: readonly number[]
}

/**
 * Runs the plan of some seeds.
 *
 * @throws Error that shows the plan where the rows are not those of arrays.
 */
export async function runPlan(way: Way, seeds: PlanSeeds): Promise<void> {
  const prng = new Prng(seeds.tables)
  const table = randomTable(prng, seeds.left)
  const other = randomTable(prng, seeds.right)
  const steps = planned(stateOf(table), stateOf(other), seeds.steps)
  if (way.begin === inFiles && [table, other].some(hasUnknown)) return
  try {
    await compare(way, [table, other], steps)
  } catch (error) {
    const kinds = [table, other].map(({ columns }) => {
      return columns.map(({ name, kind }) => `${name}: ${kind}`).join(', ')
    })
    const text = steps.map((each) => each.text).join('\n  ')
    const { message } = error as Error
    throw new Error(`${way.name}: ${kinds.join(' | ')}\n  ${text}\n${message}`, { cause: error })
  }
}

async function compare(
  way: Way,
  [table, other]: readonly [RandomTable, RandomTable],
  steps: readonly PlannedStep[],
): Promise<void> {
  let ds = await way.begin(table)
  const right = await way.begin(other)
  for (const { apply } of steps) {
    ds = apply(ds, right)
    if (way.isStepwise === true) ds = await ds.materialize()
  }
  const made = await ds.takeAll()
  const { rows, isOrdered, sorted = [] } = steps.at(-1)?.state ?? stateOf(table)
  const textsOf = (all: readonly Row[]): string[] => {
    const texts = all.map(textOfRow)
    return isOrdered ? texts : texts.sort()
  }
  assert.deepEqual(textsOf(made), textsOf(rows))
  const keysOf = (all: readonly Row[]): string[] => {
    return all.map((row) => textOfRow(sorted.map((key) => row[key])))
  }
  assert.deepEqual(keysOf(made), keysOf(rows))
  assert.equal(await ds.count(), rows.length)
}
