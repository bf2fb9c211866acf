// Joins: rows of two datasets with equal keys come to one task.
//
// A side that turns out to be small goes whole to a task for each block of the other one, which
// streams. Otherwise both are cut by the hash of their keys, and a task joins part `i` of both.
//
// Of a key that very many rows have, or of null, one part is far larger than the others. Its blocks
// on that side are then given to several tasks, each with the whole part of the other side: right
// for every join in which rows of the cut side decide for themselves. In a full join rows of the
// other side are looked for in one chunk after the other, and those without a partner come last.

import { addTransforms } from '../physical/add-transforms.js'
import type { JoinOperator } from '../physical/exchange-operators.js'
import type { JoinType } from '../physical/exchange-transforms.js'
import { type PhysicalPlan, plainResources } from '../physical/operators.js'
import { type DrainedBlock, drain } from './drain.js'
import { type CombinedBlock, Combiner, partitionAll } from './exchange.js'
import { SharedInputs } from './shared-inputs.js'
import type { Execution } from './streaming-executor.js'
import type { PendingBlock } from './task-runner.js'

type Blocks = AsyncGenerator<PendingBlock, void, void>
type Run = (plan: PhysicalPlan) => Blocks
type Side = 0 | 1

export function joinBlocks(operator: JoinOperator, execution: Execution, run: Run): Blocks {
  return new Joining(operator, execution, run).blocks()
}

/** What one side has of a part. */
interface Part {
  readonly inputs: readonly CombinedBlock[]
  /** Bytes of each. */
  readonly bytes: readonly number[]
}

/** Sides whose rows decide for themselves whether they have a partner. */
const separable: Readonly<Record<JoinType, readonly Side[]>> = {
  inner: [0, 1],
  left_outer: [0],
  left_semi: [0],
  left_anti: [0],
  right_outer: [1],
  right_semi: [1],
  right_anti: [1],
  full_outer: [],
}

class Joining {
  readonly #operator: JoinOperator
  readonly #execution: Execution
  readonly #run: Run
  readonly #combiner: Combiner

  constructor(operator: JoinOperator, execution: Execution, run: Run) {
    this.#operator = operator
    this.#execution = execution
    this.#run = run
    this.#combiner = new Combiner(operator, execution)
  }

  async *blocks(): Blocks {
    const { small, broadcastBytes, count } = this.#operator
    let first: readonly DrainedBlock[] | undefined
    if (small !== undefined) {
      first = await drain(this.#run(this.#plan(small)), this.#execution)
      const bytes = first.reduce((sum, { metadata }) => sum + metadata.bytes, 0)
      if (bytes <= broadcastBytes) {
        yield* this.#broadcast(first, small)
        return
      }
    }
    const cut = (side: Side) => this.#cut(side, side === small ? first : undefined)
    const left = await cut(0)
    const right = await cut(1)
    for (let part = 0; part < count; part++) {
      yield* this.#joinPart([partAt(left, part), partAt(right, part)])
    }
  }

  #plan(side: Side): PhysicalPlan {
    return side === 0 ? this.#operator.left : this.#operator.right
  }

  /**
   * The parts of a side: cut by the tasks that make it, or afterwards where it is there already.
   */
  #cut(side: Side, done: readonly DrainedBlock[] | undefined): Promise<readonly DrainedBlock[]> {
    const cut = this.#operator.cuts[side]
    if (done !== undefined) return partitionAll(done, cut, this.#combiner)
    const plan = addTransforms(this.#plan(side), [cut], this.#operator.name)
    return drain(this.#run(plan), this.#execution)
  }

  async *#broadcast(small: readonly DrainedBlock[], side: Side): Blocks {
    // One block, so that it is put together once.
    const inputs = small.length > 1 ? [this.#plainly().submit({ kind: 'concat' }, small)] : small
    const shared = new SharedInputs(inputs.map(combined), this.#execution.runner)
    try {
      for await (const pending of this.#run(this.#plan(side === 0 ? 1 : 0))) {
        yield shared.usedBy(this.#join(inOrder(side, shared.inputs, [combined(pending)])))
      }
    } finally {
      shared.end()
    }
  }

  /** The rows of one part, joined by one task, or by several if it is large. */
  *#joinPart(sides: readonly [Part, Part]): Generator<PendingBlock> {
    const { how } = this.#operator.spec
    const large = ([0, 1] as const).filter((side) => this.#isLarge(sides[side]))
    const cut = large.filter((side) => separable[how].includes(side))
    const [side] = how === 'full_outer' ? large : cut
    if (side === undefined) {
      yield this.#join([sides[0].inputs, sides[1].inputs])
      return
    }
    const { chunkBytes } = this.#operator
    const other = sides[side === 0 ? 1 : 0]
    const others = cut.length > 1 ? chunksOf(other, chunkBytes) : [other.inputs]
    const chunks = chunksOf(sides[side], chunkBytes).map((inputs) => this.#share(inputs))
    const counterparts = others.map((inputs) => this.#share(inputs))
    try {
      for (const chunk of chunks) {
        for (const counterpart of counterparts) {
          yield this.#joinShared(chunk, counterpart, side)
        }
      }
      const [counterpart] = counterparts
      if (how === 'full_outer' && counterpart !== undefined) {
        const { inputs, bytes } = sides[side]
        const witness = bytes.findIndex((size) => size > 0)
        yield this.#withoutPartner(chunks, counterpart, { side, columns: inputs[witness] })
      }
    } finally {
      for (const each of [...chunks, ...counterparts]) each.end()
    }
  }

  #isLarge({ inputs, bytes }: Part): boolean {
    const sum = bytes.reduce((total, each) => total + each, 0)
    return inputs.length > 1 && sum > 2 * this.#operator.chunkBytes
  }

  #share(inputs: readonly CombinedBlock[]): SharedInputs {
    return new SharedInputs(inputs, this.#execution.runner)
  }

  #joinShared(chunk: SharedInputs, other: SharedInputs, side: Side): PendingBlock {
    const { how } = this.#operator.spec
    const ofChunk = how === 'full_outer' ? (side === 0 ? 'left_outer' : 'right_outer') : how
    const made = this.#join(inOrder(side, chunk.inputs, other.inputs), ofChunk)
    return chunk.usedBy(other.usedBy(made))
  }

  /**
   * The rows of the other side that no chunk has a partner of. `columns` is a block of the cut side
   * that has rows: one without may have no columns.
   */
  #withoutPartner(
    chunks: readonly SharedInputs[],
    other: SharedInputs,
    { side, columns }: { readonly side: Side; readonly columns: CombinedBlock | undefined },
  ): PendingBlock {
    const anti = side === 0 ? 'right_anti' : 'left_anti'
    const plain = this.#plainly()
    let rest = other.inputs
    for (const chunk of chunks) {
      const [left, right] = inOrder(side, chunk.inputs, rest)
      const combination = { kind: 'join', ...this.#operator.spec, how: anti } as const
      const made = plain.submit(combination, [...left, ...right], { left: left.length })
      rest = [combined(chunk.usedBy(other.usedBy(made)))]
    }
    // None of the rows of the cut side, but its columns.
    const isWitness = ({ block }: CombinedBlock): boolean => block === columns?.block
    const none = chunks.find(({ inputs }) => inputs.some(isWitness))
    const sides = inOrder(side, none?.inputs.filter(isWitness) ?? [], rest)
    const ranges = sides.flatMap((inputs, each) => {
      return inputs.map(() => [0, each === side ? 0 : Number.POSITIVE_INFINITY] as const)
    })
    const made = this.#combinerOf('full_outer').submit(
      { kind: 'join', ...this.#operator.spec },
      sides.flat(),
      { left: sides[0].length, ranges },
    )
    return none === undefined ? made : none.usedBy(made)
  }

  #join(sides: readonly [readonly CombinedBlock[], readonly CombinedBlock[]], how?: JoinType) {
    const { spec } = this.#operator
    const combination = { kind: 'join', ...spec, how: how ?? spec.how } as const
    const [left, right] = sides
    return this.#combinerOf(combination.how).submit(combination, [...left, ...right], {
      left: left.length,
    })
  }

  /** By kind of join: each shares its transforms with all of its tasks. */
  readonly #combiners = new Map<JoinType, Combiner>()

  #combinerOf(how: JoinType): Combiner {
    if (how === this.#operator.spec.how) return this.#combiner
    const combiner = this.#combiners.get(how) ?? new Combiner(this.#operator, this.#execution)
    this.#combiners.set(how, combiner)
    return combiner
  }

  /** Without the steps behind the join. */
  #plainly(): Combiner {
    const { name } = this.#operator
    return new Combiner({ name, transforms: [], resources: plainResources }, this.#execution)
  }
}

function combined({ block, isOwned = false }: PendingBlock | DrainedBlock): CombinedBlock {
  return { block, isOwned }
}

/** Inputs of a side and of the other one, the left ones first. */
function inOrder(
  side: Side,
  own: readonly CombinedBlock[],
  others: readonly CombinedBlock[],
): readonly [readonly CombinedBlock[], readonly CombinedBlock[]] {
  return side === 0 ? [own, others] : [others, own]
}

function partAt(drained: readonly DrainedBlock[], part: number): Part {
  const inputs: CombinedBlock[] = []
  const bytes: number[] = []
  for (const { parts, isOwned, metadata } of drained) {
    const block = parts[part]
    if (block === undefined) continue
    inputs.push({ block, isOwned })
    const share = (metadata.partRows?.[part] ?? 0) / Math.max(1, metadata.rows)
    bytes.push(metadata.bytes * share)
  }
  return { inputs, bytes }
}

/** Neighbouring blocks together, while they stay below `bytesMax`. */
function chunksOf(
  { inputs, bytes }: Part,
  bytesMax: number,
): readonly (readonly CombinedBlock[])[] {
  const chunks: CombinedBlock[][] = []
  let sum = Number.POSITIVE_INFINITY
  for (const [i, input] of inputs.entries()) {
    const size = bytes[i] ?? 0
    if (sum + size > bytesMax) {
      chunks.push([input])
      sum = size
    } else {
      chunks.at(-1)?.push(input)
      sum += size
    }
  }
  return chunks
}
