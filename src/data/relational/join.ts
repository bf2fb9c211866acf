// Two blocks as one table: which rows belong together, and what their columns are called.
//
// Keys that are compared for equality are one column of the result, as in Ray (pyarrow's
// `coalesce_keys`): from whichever side has the row.

import { type Data, DataType, Null } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type Block, blockOfData } from '../block/block.js'
import { nullsOf } from '../block/concat.js'
import { dataOfBlock } from '../block/gather.js'
import type { JoinSpec } from '../physical/exchange-transforms.js'
import { BlockTable, type JoinColumn, JoinTable, requireColumns } from './engine-table.js'

/** How the engine spells the kinds of joins. */
export const sqlOfJoin = {
  inner: 'JOIN',
  left_outer: 'LEFT JOIN',
  right_outer: 'RIGHT JOIN',
  full_outer: 'FULL JOIN',
  left_semi: 'SEMI JOIN',
  right_semi: 'SEMI JOIN',
  left_anti: 'ANTI JOIN',
  right_anti: 'ANTI JOIN',
} as const

/** The join of two blocks, as a table that can be queried further. */
export function joinTable(left: Block, right: Block, spec: JoinSpec): JoinTable {
  const sides = leftOf(left, right, spec)
  return joinLeft(sides.first, sides.second, sides.spec)
}

/** Both sides of a join; swapped where it gives columns of the right side only. */
export function leftOf<Side>(
  left: Side,
  right: Side,
  spec: JoinSpec,
): { readonly first: Side; readonly second: Side; readonly spec: JoinSpec } {
  const { how } = spec
  if (how !== 'right_semi' && how !== 'right_anti') return { first: left, second: right, spec }
  const on = spec.on.map(([l, r]) => [r, l] as const)
  const swapped = how === 'right_semi' ? 'left_semi' : 'left_anti'
  return { first: right, second: left, spec: { ...spec, on, how: swapped } }
}

function joinLeft(left: Block, right: Block, spec: JoinSpec): JoinTable {
  const { how, on } = spec
  const leftTable = new BlockTable(withKeys(left, right, on))
  const swapped = on.map(([l, r]) => [r, l] as const)
  const rightTable = new BlockTable(withKeys(right, left, swapped))
  requireColumns(
    leftTable.names,
    on.map(([l]) => l),
  )
  requireColumns(
    rightTable.names,
    on.map(([, r]) => r),
  )
  for (const pair of on) refuseKinds(pair, leftTable, rightTable)
  const columns = joinColumns(leftTable.names, rightTable.names, spec)
  return new JoinTable({ left: leftTable, right: rightTable, join: sqlOfJoin[how], on, columns })
}

/** Numbers and text are never equal: parts by their hashes would not even meet. */
function refuseKinds(
  [leftKey, rightKey]: readonly [string, string],
  left: BlockTable,
  right: BlockTable,
): void {
  const [l, r] = [left.stored(leftKey)?.data, right.stored(rightKey)?.data]
  if (l === undefined || r === undefined) return
  // What has no values may well have got its type by chance.
  if (l.nullCount === l.length || r.nullCount === r.length) return
  const [ofLeft, ofRight] = [kindOf(l.type), kindOf(r.type)]
  if (ofLeft === undefined || ofRight === undefined || ofLeft === ofRight) return
  throw new RayError(
    `join: the key "${leftKey}" is ${ofLeft} on the left, and "${rightKey}" is ${ofRight} on the ` +
      'right. Convert one of them, such as with cast().',
    { fields: { column: leftKey } },
  )
}

function kindOf(type: DataType): string | undefined {
  const plain = DataType.isDictionary(type) ? type.dictionary : type
  if (DataType.isUtf8(plain) || DataType.isLargeUtf8(plain)) return 'text'
  if (DataType.isInt(plain) || DataType.isFloat(plain) || DataType.isDecimal(plain)) {
    return 'a number'
  }
  if (DataType.isTimestamp(plain) || DataType.isDate(plain)) return 'a date'
  return DataType.isBool(plain) ? 'a boolean' : undefined
}

/**
 * A side without rows may have no columns at all, and one without values has no types: it gets its
 * keys, of the other side's types.
 */
function withKeys(block: Block, other: Block, on: JoinSpec['on']): Block {
  const columns = columnsByName(block)
  const others = columnsByName(other)
  let isComplete = true
  for (const [key, otherKey] of on) {
    const data = columns.get(key)
    if (data === undefined && block.numRows > 0) continue
    if (data !== undefined && !DataType.isNull(data.type)) continue
    isComplete = false
    columns.set(key, nullsOf(others.get(otherKey)?.type ?? new Null(), block.numRows))
  }
  return isComplete ? block : blockOfData([...columns.keys()], [...columns.values()])
}

function columnsByName(block: Block): Map<string, Data> {
  const data = dataOfBlock(block)
  return new Map(block.schema.fields.map(({ name }, i) => [name, data[i] as Data]))
}

/** The columns of a join, and what they are called. */
export function joinColumns(
  left: readonly string[],
  right: readonly string[],
  spec: JoinSpec,
): readonly JoinColumn[] {
  const { how, on, leftSuffix = '', rightSuffix = '' } = spec
  if (how === 'left_semi' || how === 'left_anti') {
    return left.map((name) => ({ name, side: 0, from: name }))
  }
  const rightOf = new Map(on)
  const others = right.filter((name) => !on.some(([, key]) => key === name))
  const clashes = new Set(others.filter((name) => left.includes(name)))
  const columns = [
    ...left.map((from): JoinColumn => {
      const name = clashes.has(from) ? `${from}${leftSuffix}` : from
      const key = rightOf.get(from)
      if (key === undefined || how === 'inner' || how === 'left_outer')
        return { name, side: 0, from }
      if (how === 'right_outer') return { name, side: 1, from: key }
      return { name, side: 0, from, orRight: key }
    }),
    ...others.map((from): JoinColumn => {
      return { name: clashes.has(from) ? `${from}${rightSuffix}` : from, side: 1, from }
    }),
  ]
  const names = columns.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice === undefined) return columns
  throw new RayError(
    `join: both sides have a column "${twice}". Say what to call them: leftSuffix or rightSuffix.`,
    { fields: { column: twice } },
  )
}
