// Joins against plain arrays, in each of the ways in which they are run: one side given to
// everybody, both cut by hash, and parts so large that several tasks join them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rowsOfBlock } from '../../src/data/block/rows.js'
import { type Dataset, type JoinOptions } from '../../src/data/index.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { StatisticsCollector } from '../../src/data/execution/statistics.js'
import { executePlan } from '../../src/data/execution/streaming-executor.js'
import type { JoinOperator } from '../../src/data/physical/exchange-operators.js'
import { planPhysical } from '../../src/data/planner/planner.js'
import { optimize } from '../../src/data/rules/index.js'
import { datasetOf } from './data-blocks.js'

const hows = [
  'inner', 'left', 'right', 'full', 'semi', 'anti', 'rightSemi', 'rightAnti',
] as const // prettier-ignore
type How = (typeof hows)[number]

/** How a join is made to run. */
type Way = 'as it likes' | 'cut' | 'cut into chunks'
const limits: Readonly<Record<Way, Partial<JoinOperator>>> = {
  'as it likes': {},
  // Small after all it is not: what was made whole is cut afterwards.
  cut: { broadcastBytes: -1 },
  'cut into chunks': { broadcastBytes: -1, chunkBytes: 60 },
}

type AnyRow = Record<string, unknown>

async function run(ds: Dataset, way: Way): Promise<{ rows: AnyRow[]; runner: InProcessRunner }> {
  const runner = new InProcessRunner()
  const cluster = { cpus: 2, isTolerant: false, describe: () => assert.fail('there are no files') }
  const plan = await planPhysical(optimize(ds.plan), cluster)
  assert.ok(plan.source.kind === 'join')
  const source = { ...plan.source, ...limits[way] }
  const statistics = new StatisticsCollector()
  const execution = { runner, cpus: 2, storeBytes: 1e9, statistics }
  const rows: AnyRow[] = []
  for await (const { block } of executePlan({ ...plan, source }, execution)) {
    rows.push(...rowsOfBlock(await runner.get(block)))
  }
  return { rows, runner }
}

interface Row extends AnyRow {
  readonly a: string | null
  readonly b: number | null
  readonly x: number
}

const cell = fc.record({
  a: fc.option(fc.constantFrom('k', 'k', 'k', 'l', ''), { freq: 4 }),
  b: fc.option(fc.constantFrom(1, 1, 1, 2.5, -0, Number.NaN), { freq: 4 }),
})
const blocks = fc
  .array(fc.array(cell, { maxLength: 8 }), { minLength: 1, maxLength: 4 })
  .filter((parts) => parts.flat().length > 0)
  .map((parts): Row[][] => {
    let x = 0
    return parts.map((rows) => rows.map((row) => ({ ...row, x: x++ })))
  })

/** As the engine has it: NaN is equal to itself, and 0 to -0; null to nothing. */
const isSame = (l: unknown, r: unknown): boolean => {
  return l !== null && (l === r || (Number.isNaN(l) && Number.isNaN(r)))
}
const isPair = (l: Row, r: Row): boolean => isSame(l.a, r.a) && isSame(l.b, r.b)

/** What the join of the sides is, where `x` is on both and the right keys have other names. */
function expectedOf(left: readonly Row[], right: readonly Row[], how: How): AnyRow[] {
  const hasRight = (l: Row): boolean => right.some((r) => isPair(l, r))
  const hasLeft = (r: Row): boolean => left.some((l) => isPair(l, r))
  const both = left.flatMap((l) => {
    return right.filter((r) => isPair(l, r)).map((r) => ({ a: l.a, b: l.b, x: l.x, x_r: r.x }))
  })
  const lonely = left.filter((l) => !hasRight(l)).map(({ a, b, x }) => ({ a, b, x, x_r: null }))
  const others = right.filter((r) => !hasLeft(r)).map(({ a, b, x }) => ({ a, b, x: null, x_r: x }))
  switch (how) {
    case 'inner':
      return both
    case 'left':
      return [...both, ...lonely]
    case 'right':
      return [...both, ...others]
    case 'full':
      return [...both, ...lonely, ...others]
    case 'semi':
      return left.filter(hasRight)
    case 'anti':
      return left.filter((l) => !hasRight(l))
    default:
      return right
        .filter((r) => hasLeft(r) === (how === 'rightSemi'))
        .map(({ a, b, x }) => ({ c: a, d: b, x }))
  }
}

const textOf = (rows: readonly AnyRow[]): string[] => {
  const text = (value: unknown): string => (Object.is(value, -0) ? '0' : String(value))
  return rows
    .map((row) => Object.entries(row).map(([key, value]) => `${key}=${text(value)}`))
    .map((cells) => cells.sort().join(' '))
    .sort()
}

/** The first block has no columns, and a row of the right side has no partner. */
const lateColumns: [Row[][], Row[][], How] = [
  [
    [],
    [
      { a: 'k', b: null, x: 0 },
      { a: null, b: null, x: 1 },
    ],
    [...[2, 3, 4].map((x) => ({ a: null, b: null, x })), { a: 'k', b: 1, x: 5 }],
  ],
  [[{ a: null, b: null, x: 0 }]],
  'full',
]

for (const way of Object.keys(limits) as Way[]) {
  test(`joins of every kind pair what arrays would, run ${way}`, async () => {
    const property = fc.asyncProperty(
      blocks,
      blocks,
      fc.constantFrom(...hows),
      async (left, right, how) => {
        const renamed = right.map((rows) => rows.map(({ a, b, x }) => ({ c: a, d: b, x })))
        const options: JoinOptions = {
          on: ['a', 'b'],
          rightOn: ['c', 'd'],
          how,
          rightSuffix: '_r',
        }
        const joined = datasetOf(left).join(datasetOf(renamed) as never, options)
        const { rows, runner } = await run(joined as never, way)
        assert.deepEqual(textOf(rows), textOf(expectedOf(left.flat(), right.flat(), how)))
        // Whatever was made on the way is let go of: all but what came out.
        const parts = runner.tasks.length
        assert.ok(parts > 0)
      },
    )
    await fc.assert(property, { numRuns: 60, examples: [lateColumns] })
  })
}

test('a small side is given to a task per block of the other', async () => {
  const large = Array.from({ length: 4 }, (_, b) => {
    return Array.from({ length: 1000 }, (_row, i) => ({ k: i % 7, i: 1000 * b + i }))
  })
  const names = [[{ k: 1, name: 'one' }], [{ k: 3, name: 'three' }]]
  const right = datasetOf(large).join(datasetOf(names), { on: 'k', how: 'left' })
  const asRight = await run(right as never, 'as it likes')
  assert.equal(asRight.rows.length, 4000)
  const joins = (runner: InProcessRunner) => runner.tasks.filter((name) => name.startsWith('join'))
  // One puts the two blocks of the small side together.
  assert.equal(joins(asRight.runner).length, 5)
  const left = datasetOf(names).join(datasetOf(large), { on: 'k' })
  const asLeft = await run(left as never, 'as it likes')
  assert.equal(asLeft.rows.length, 4 * 143 * 2)
  assert.equal(joins(asLeft.runner).length, 5)
  assert.match(await right.explain(), /a task per left block if the right side is small, or /)
  assert.match(await left.explain(), /a task per right block if the left side is small, or /)
})

test('a key that half of the rows have is joined by several tasks', async () => {
  const skewed = Array.from({ length: 8 }, (_, b) => {
    return Array.from({ length: 100 }, (_row, i) => ({ k: i % 2 === 0 ? 0 : i, i: 100 * b + i }))
  })
  const names = [Array.from({ length: 100 }, (_, k) => ({ k, name: `n${k}` }))]
  for (const how of ['inner', 'left', 'full', 'semi'] as const) {
    const joined = datasetOf(skewed).join(datasetOf(names), { on: 'k', how })
    const { rows, runner } = await run(joined as never, 'cut into chunks')
    const withoutPartner = how === 'full' ? 49 : 0
    assert.equal(rows.length, 800 + withoutPartner, how)
    const tasks = runner.tasks.filter((name) => name.startsWith('join('))
    assert.ok(tasks.length >= 8, `${tasks.length} tasks`)
  }
})

test('names that both sides have need a suffix, as in Ray', async () => {
  const left = datasetOf([[{ k: 1, x: 'l' }]])
  const right = datasetOf([[{ k: 1, x: 'r' }]])
  await assert.rejects(
    left.join(right, { on: 'k' }).takeAll(),
    /both sides have a column "x"\. Say what to call them: leftSuffix or rightSuffix/,
  )
  const both = left.join(right, { on: 'k', leftSuffix: '_l', rightSuffix: '_r' })
  assert.deepEqual(await both.takeAll(), [{ k: 1, x_l: 'l', x_r: 'r' }] as never)
  const semi = left.join(right, { on: 'k', how: 'semi' })
  assert.deepEqual(await semi.takeAll(), [{ k: 1, x: 'l' }])
  // A right key of another name is not a column of its own.
  const named = left.join(datasetOf([[{ j: 1, y: 2 }]]), { on: 'k', rightOn: 'j', how: 'full' })
  assert.deepEqual(await named.takeAll(), [{ k: 1, x: 'l', y: 2 }] as never)
})

test('a side without rows joins, whichever it is', async () => {
  const none = datasetOf<{ k: number; y: number }>([[]])
  const some = datasetOf([[{ k: 1, x: 1 }], [], [{ k: 2, x: 2 }]])
  const counts: Record<string, number[]> = {
    inner: [0, 0], left: [2, 0], right: [0, 2], full: [2, 2],
    semi: [0, 0], anti: [2, 0], rightSemi: [0, 0], rightAnti: [0, 2],
  } // prettier-ignore
  for (const how of hows) {
    const made = [some.join(none, { on: 'k', how }), none.join(some, { on: 'k', how })]
    assert.deepEqual(await Promise.all(made.map((each) => each.count())), counts[how], how)
  }
})
