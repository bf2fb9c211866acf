// Aggregates of groups that are complete: those that the engine computes, and those of the user.

import type { CustomAggregate, EngineAggregate } from '../aggregate/spec.js'
import type { AggregateSpec } from '../aggregate/spec.js'
import { type Block, blockOfData, columnsOfBlock, sliceBlock } from '../block/block.js'
import { dataOfColumn } from '../block/column-data.js'
import { dataOfBlock } from '../block/gather.js'
import { operatorError } from '../physical/function-transforms.js'
import { aggregateOfNothing, isWithoutColumns, wantedOf, wholeAggregate } from './aggregate.js'
import { BlockTable } from './engine-table.js'
import { groupRows } from './groups.js'
import { wholeTable } from './run-query.js'

/** One row per group, in the order of the keys. */
export async function aggregateBlock(
  block: Block,
  keys: readonly string[],
  specs: readonly AggregateSpec[],
): Promise<Block> {
  const ofEngine = specs.filter((spec): spec is EngineAggregate => spec.kind !== 'custom')
  const table = new BlockTable(block)
  const isUnknown = isWithoutColumns(table, wantedOf(keys, ofEngine))
  if (isUnknown && ofEngine.length === specs.length) {
    return aggregateOfNothing(keys, ofEngine)
  }
  const isNeeded = keys.length + ofEngine.length > 0 && !isUnknown
  const computed = isNeeded
    ? wholeAggregate(table, wholeTable(table.names), { keys, specs: ofEngine })
    : undefined
  if (ofEngine.length === specs.length && computed !== undefined) return computed
  const fields = computed?.schema.fields ?? []
  const data = computed === undefined ? [] : dataOfBlock(computed)
  const byName = new Map(fields.map((field, i) => [field.name, data[i]]))
  const grouped = groupRows(block, keys)
  for (const spec of specs) {
    if (spec.kind !== 'custom') continue
    byName.set(spec.name, dataOfColumn(spec.name, await customValues(grouped, spec, keys)))
  }
  const names = [...keys, ...specs.map(({ name }) => name)].filter((name) => byName.has(name))
  return blockOfData(
    names,
    names.flatMap((name) => byName.get(name) ?? []),
  )
}

async function customValues(
  { block, ends }: ReturnType<typeof groupRows>,
  spec: CustomAggregate,
  keys: readonly string[],
): Promise<readonly unknown[]> {
  const accumulate = spec.accumulate as (state: unknown, batch: unknown) => unknown
  const finalize = spec.finalize as (state: unknown) => unknown
  try {
    // Without keys all rows are one group, also where there are none.
    if (ends.length === 0) return keys.length === 0 ? [await finalize(spec.init())] : []
    const values: unknown[] = []
    for (const [i, end] of ends.entries()) {
      const rows = sliceBlock(block, ends[i - 1] ?? 0, end)
      const state = await accumulate(spec.init(), columnsOfBlock(rows))
      values.push((await finalize(state)) ?? null)
    }
    return values
  } catch (error) {
    throw operatorError(`aggregate(${spec.name})`, '', error)
  }
}
