// How a join is run: whether one side may be small enough to go, whole, to all blocks of the other.
//
// Cutting both sides by their keys moves every row of both. A small side is cheaper to hand to
// everybody, and the other one then streams. Sizes are known only roughly beforehand, so the side
// is a candidate here, and what it really has decides when it is there.

import { dataBlockBytes, dataBroadcastBytes } from '../../base/limits.js'
import type { JoinSource } from '../logical/exchange-step.js'
import { sourceName } from '../logical/plan.js'
import type { JoinOperator } from '../physical/exchange-operators.js'
import type { JoinType, PartitionTransform } from '../physical/exchange-transforms.js'
import { addUp, type PhysicalPlan, plainResources, type TaskInput } from '../physical/operators.js'

type Sides = readonly [left: PhysicalPlan, right: PhysicalPlan]

/** A side is tried if its estimate is so many times what is small: estimates are of whole files. */
const hopeful = 4
/** The same of a side that drops rows: a filter may leave few. */
const hopefulFiltered = 16

/** Sides that may go to everybody: a row of theirs that has no partner must not be seen twice. */
const smallSides: Readonly<Record<JoinType, readonly (0 | 1)[]>> = {
  inner: [1, 0],
  left_outer: [1],
  left_semi: [1],
  left_anti: [1],
  right_outer: [0],
  right_semi: [0],
  right_anti: [0],
  full_outer: [],
}

export function planJoinOperator(source: JoinSource, sides: Sides, parts: number): JoinOperator {
  const { spec, blocks } = source
  const count = blocks ?? parts
  const [left, right] = sides
  const cutOf = (side: 0 | 1): PartitionTransform => {
    const keys = spec.on.map((pair) => pair[side])
    return { kind: 'partition', by: { kind: 'hash', keys }, count }
  }
  return {
    kind: 'join',
    name: sourceName(source),
    left,
    right,
    count,
    cuts: [cutOf(0), cutOf(1)],
    // Whoever says how many parts there are wants them.
    small: blocks === undefined ? smallSide(sides, spec.how) : undefined,
    broadcastBytes: dataBroadcastBytes,
    chunkBytes: dataBlockBytes,
    spec,
    transforms: [],
    resources: plainResources,
  }
}

function smallSide(sides: Sides, how: JoinType): 0 | 1 | undefined {
  let best: { readonly side: 0 | 1; readonly bytes: number } | undefined
  for (const side of smallSides[how]) {
    const bytes = bytesOf(sides[side])
    if (bytes === undefined || bytes >= (best?.bytes ?? Number.POSITIVE_INFINITY)) continue
    const hope = dropsRows(sides[side]) ? hopefulFiltered : hopeful
    if (bytes <= hope * dataBroadcastBytes) best = { side, bytes }
  }
  return best?.side
}

/** About how many bytes the plan's sources have; undefined where nothing tells. */
function bytesOf({ source }: PhysicalPlan): number | undefined {
  switch (source.kind) {
    case 'source':
      return addUp(source.inputs.map(bytesOfInput))
    case 'blocks':
      return addUp(source.bundles.map(({ metadata }) => metadata.bytes))
    case 'union':
      return addUp(source.inputs.map(bytesOf))
    case 'join':
    case 'zip':
      return addUp([bytesOf(source.left), bytesOf(source.right)])
  }
}

const rowBytes = 64

function bytesOfInput(input: TaskInput): number | undefined {
  switch (input.kind) {
    case 'files':
      return addUp(input.request.pieces.map(({ bytes }) => bytes))
    case 'rows':
      return rowBytes * input.rows.length
    case 'range':
      return 8 * (input.shape ?? []).reduce((product, each) => product * each, input.rows)
    default:
      return undefined
  }
}

const dropping = ['where', 'filter', 'sample', 'partial-aggregate']

function dropsRows({ source, operators }: PhysicalPlan): boolean {
  return [source, ...operators].some((part) => {
    if (part.kind === 'limit') return true
    return 'transforms' in part && part.transforms.some(({ kind }) => dropping.includes(kind))
  })
}
