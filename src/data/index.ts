/**
 * Typeray Data: datasets over blocks in the object store, read and transformed by tasks.
 *
 * @module typeray/data
 */

export {
  AbsMax,
  Aggregate,
  AggregateFn,
  type AggregateName,
  type AggregateOn,
  type AggregateOptions,
  AsList,
  Count,
  CountDistinct,
  type CustomAggregateOptions,
  Max,
  Mean,
  Min,
  MissingValuePercentage,
  Quantile,
  type QuantileOptions,
  type SameAs,
  type ListOf,
  Std,
  type StdOptions,
  Sum,
  Unique,
  ZeroPercentage,
} from './aggregate/aggregates.js'
export {
  ApproximateQuantile,
  type ApproximateQuantileOptions,
  ApproximateTopK,
  type ApproximateTopKOptions,
  type CountedValue,
  ValueCounter,
  type ValueCounterOptions,
  type ValueCounts,
} from './aggregate/sketches.js'
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
export type { Schema } from './block/block.js'
export type { SchemaOptions, SummaryOptions, TakeBatchOptions } from './consumable-dataset.js'
export type { IterBatchesOptions } from './consume/iter-batches.js'
export { type ColumnSummary, DatasetSummary } from './consume/summary.js'
export { DataContext } from './data-context.js'
export { Dataset } from './dataset.js'
export type {
  How,
  JoinOptions,
  RepartitionOptions,
  ShuffleOptions,
  SortOn,
  SortOptions,
} from './exchange-options.js'
export type { Joined, Zipped } from './joined-row.js'
export type { CastType, CastValue } from './expression/casts.js'
export type { DateFunctions, DateUnit } from './expression/date-functions.js'
export { col, Expression, lit, type Operand, when } from './expression/expression.js'
export type {
  ArrayFunctions,
  ListFunctions,
  ListSortOptions,
  MapFunctions,
  StructFunctions,
} from './expression/nested-functions.js'
export type { ExpressionNode, Literal } from './expression/node.js'
export type { StringFunctions } from './expression/string-functions.js'
export { download, monotonicallyIncreasingId, random, udf, uuid } from './expression/udf.js'
export { type AggregatedColumns, GroupedDataset, type MapGroupsOptions } from './grouped-dataset.js'
export type { DatasetStatistics } from './execution/statistics.js'
export type { Progress } from './execution/streaming-executor.js'
export type { AnyRow, ConsumeOptions } from './planned-dataset.js'
export {
  fromArrow,
  fromArrowRefs,
  fromColumns,
  rangeTensor,
  readDatasource,
} from './from-memory.js'
export type { Datasink, WriteContext } from './datasink.js'
export type { Datasource, ReadBatch, ReadTask } from './datasource-port.js'
export type { FilenameProvider, FilePlace } from './filename-provider.js'
export type { SaveMode } from './logical/write-step.js'
export type {
  WriteCsvOptions,
  WriteDatasinkOptions,
  WriteFilesOptions,
  WriteJsonOptions,
  WriteParquetOptions,
} from './write-options.js'
export { fromItems, range } from './read.js'
export {
  readBinaryFiles,
  readCsv,
  type ReadCsvOptions,
  readImages,
  type ReadImagesOptions,
  readJson,
  type ReadJsonOptions,
  readParquet,
  type ReadParquetOptions,
  readText,
  type ReadTextOptions,
} from './read-files.js'
export type { ReadFilesOptions, ReadTableOptions } from './read-options.js'
export type {
  Compression,
  FilesystemOptions,
  Int64Format,
  Partitioning,
  PartitionType,
  PartitionValues,
} from './datasource/files.js'
export type { AddColumnOptions, Callable, Renamed } from './mappable-dataset.js'
export { DataIterator } from './split/data-iterator.js'
export type {
  SplitOptions,
  StreamingTrainTestSplitOptions,
  TrainTestSplitOptions,
} from './split/divisible-dataset.js'
export { stackTensors, Tensor, TensorColumn } from './block/tensor.js'
export type { MapBatchesOptions, StepOptions } from './step-options.js'
export * from './readers-not-built.js'
