// Methods that look at one block at a time: each adds a step to the plan and returns at once.

import type { Table } from 'apache-arrow'
import type { Column, Columns, RowOfColumns } from './block/column.js'
import type { Dataset } from './dataset.js'
import { type AnyRow, PlannedDataset } from './planned-dataset.js'
import {
  compileMapBatchesOptions,
  compileStepOptions,
  functionName,
  type MapBatchesOptions,
  rowCount,
  type StepOptions,
} from './step-options.js'

/** A dataset that can be transformed. */
export abstract class MappableDataset<Row> extends PlannedDataset<Row> {
  /** Applies a function to batches of rows, in parallel. The function may be async. */
  mapBatches<Out extends Readonly<Record<keyof Out, Column>>>(
    fn: (batch: Columns<Row>) => Out | Promise<Out>,
    options?: MapBatchesOptions<'columns'>,
  ): Dataset<RowOfColumns<Out>>
  mapBatches<OutRow = AnyRow>(
    fn: (batch: Table) => Table | Promise<Table>,
    options: MapBatchesOptions<'arrow'> & { readonly batchFormat: 'arrow' },
  ): Dataset<OutRow>
  mapBatches(fn: (batch: never) => unknown, options: MapBatchesOptions = {}): unknown {
    const name = functionName('mapBatches', fn)
    return this.derive({ kind: 'map-batches', name, fn, ...compileMapBatchesOptions(options) })
  }

  /** Applies a function to every row. The function returns the new row, or a promise of it. */
  map<Out extends object>(
    fn: (row: Row) => Out | Promise<Out>,
    options: StepOptions = {},
  ): Dataset<Out> {
    const name = functionName('map', fn)
    return this.derive({ kind: 'map', name, fn, ...compileStepOptions('map', options) })
  }

  /** Keeps the first `rows` rows. */
  limit(rows: number): Dataset<Row> {
    return this.derive({ kind: 'limit', rows: rowCount('limit', rows) })
  }

  /**
   * The rows of this dataset, then those of the others. Columns that only some have are null in the
   * rows of the rest.
   *
   * @example
   * const both = range(3).union(range(2))
   * console.log(await both.count()) // 5
   */
  union(...others: readonly Dataset<Row>[]): Dataset<Row> {
    if (others.length === 0) return this.over(this.plan)
    const inputs = [this.plan, ...others.map(({ plan }) => plan)]
    return this.over({ source: { kind: 'union', inputs }, steps: [] })
  }
}
