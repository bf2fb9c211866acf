/**
 * Typeray Data: datasets over blocks in the object store, read and transformed by tasks.
 *
 * @module typeray/data
 */

export type { BatchFormat } from './block/batch.js'
export { columnsOfBlock as columnsOf } from './block/block.js'
export type {
  Column,
  ColumnBatch,
  ColumnOf,
  Columns,
  DateFormat,
  RowOfColumns,
} from './block/column.js'
export { DictionaryColumn, dictionaryEncode } from './block/dictionary-column.js'
export type { BlockMetadata, BlockRef, RefBundle } from './block/metadata.js'
export type { IterBatchesOptions, Schema } from './consumable-dataset.js'
export { Dataset } from './dataset.js'
export type { DatasetStatistics } from './execution/statistics.js'
export type { Progress } from './execution/streaming-executor.js'
export type { AnyRow, ConsumeOptions } from './planned-dataset.js'
export { fromItems, range, readParquet, type ReadParquetOptions } from './read.js'
export type { MapBatchesOptions, StepOptions } from './step-options.js'
