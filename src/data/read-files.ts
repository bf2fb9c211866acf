// Datasets that begin in files.

import { RayError } from '../base/errors.js'
import type { Tensor } from './block/tensor.js'
import type { Dataset } from './dataset.js'
import type { CastType } from './expression/casts.js'
import type { AnyRow } from './planned-dataset.js'
import {
  compileColumnTypes,
  compileFiles,
  compileTable,
  type FilesBeginning,
  type ReadFilesOptions,
  type ReadTableOptions,
} from './read-options.js'
import { startDataset } from './start-dataset.js'

/** Asks for the column `path`. */
interface WithPaths {
  readonly includePaths: true
}
/** Rows that say which file they are from. */
type OfFile<R> = R & { path: string }

const hive = { style: 'hive' } as const

/** What is read of Parquet files. */
export type ReadParquetOptions = Omit<ReadTableOptions, 'compression'>

/**
 * Reads Parquet files: a file, a folder, a glob, or a list of these, on this machine, in S3 or on a
 * web server. Nothing is read before the dataset is consumed.
 *
 * @example
 * const flights = readParquet<{ origin: string; delay: bigint }>('flights/*.parquet')
 */
export function readParquet<R = AnyRow>(
  paths: string | readonly string[],
  options: ReadParquetOptions & WithPaths,
): Dataset<OfFile<R>>
export function readParquet<R = AnyRow>(
  paths: string | readonly string[],
  options?: ReadParquetOptions,
): Dataset<R>
export function readParquet(
  paths: string | readonly string[],
  options: ReadParquetOptions = {},
): unknown {
  const operator = 'readParquet'
  const files = compileFiles(paths, options, {
    operator,
    known: [],
    isTable: true,
    partitioning: hive,
    fileExtensions: ['parquet'],
  })
  const { columns, int64 } = compileTable(operator, options)
  // What looks like the name of a codec is not one: Parquet compresses inside.
  const compression = 'none'
  return startDataset({ ...files, format: { kind: 'parquet', int64 }, columns, compression })
}

/** How CSV files are written. */
export interface ReadCsvOptions extends ReadTableOptions {
  /** Between values; a comma unless told otherwise, or a tab where all paths end in `.tsv`. */
  readonly delimiter?: string
  /** Around values that contain the delimiter; '"' unless told otherwise, '' for none. */
  readonly quoteChar?: string
  /** Before a quote inside quotes; the quote itself unless told otherwise. */
  readonly escapeChar?: string
  /** Names of the columns: the files then have no line that names them. */
  readonly columnNames?: readonly string[]
  /** Whether the first line names the columns, which it does unless told otherwise. */
  readonly header?: boolean
  /** Lines before the header that are passed over. */
  readonly skipRows?: number
  /** Texts that mean null where they are not quoted; the empty one unless told otherwise. */
  readonly nullValues?: readonly string[]
  /** 'utf-8', the default, 'utf-16' or 'latin-1'. */
  readonly encoding?: 'utf-8' | 'utf-16' | 'latin-1'
  /** Types of columns; the others are found in their values. */
  readonly columnTypes?: Readonly<Record<string, CastType>>
  /** With false, columns without a type in `columnTypes` are text. */
  readonly inferTypes?: boolean
  /**
   * With false, no quoted value contains a line end, and large files are cut without looking at
   * quotes.
   */
  readonly newlinesInValues?: boolean
}

const ofCsv = [
  'delimiter', 'quoteChar', 'escapeChar', 'columnNames', 'header', 'skipRows', 'nullValues',
  'encoding', 'columnTypes', 'inferTypes', 'newlinesInValues',
] // prettier-ignore

/**
 * Reads CSV files. Integers, numbers, booleans, dates and timestamps are recognised, the latter in
 * the forms of ISO 8601. A line with too few or too many values is an error that names it.
 *
 * @example
 * const iris = readCsv<{ 'sepal length (cm)': number }>('s3://anonymous@ray-example-data/iris.csv')
 */
export function readCsv<R = AnyRow>(
  paths: string | readonly string[],
  options: ReadCsvOptions & WithPaths,
): Dataset<OfFile<R>>
export function readCsv<R = AnyRow>(
  paths: string | readonly string[],
  options?: ReadCsvOptions,
): Dataset<R>
export function readCsv(paths: string | readonly string[], options: ReadCsvOptions = {}): unknown {
  const operator = 'readCsv'
  const files = compileFiles(paths, options, {
    operator,
    known: ofCsv,
    isTable: true,
    partitioning: hive,
    fileExtensions: ['csv', 'tsv'],
  })
  const { columns, int64 } = compileTable(operator, options)
  const { delimiter = usualDelimiter(files), quoteChar = '"', columnNames, skipRows = 0 } = options
  if (delimiter === '') throw new RayError('readCsv: `delimiter` is empty.')
  const format = {
    kind: 'csv',
    int64,
    delimiter,
    quoteChar,
    escapeChar: options.escapeChar ?? quoteChar,
    hasHeader: options.header ?? columnNames === undefined,
    columnNames,
    skipRows,
    nullValues: options.nullValues ?? [''],
    encoding: options.encoding ?? 'utf-8',
    columnTypes: compileColumnTypes(options.columnTypes),
    inferTypes: options.inferTypes ?? true,
    newlinesInValues: options.newlinesInValues ?? true,
  } as const
  return startDataset({ ...files, format, columns })
}

function usualDelimiter({ paths }: FilesBeginning): string {
  return paths.every((path) => /\.tsv(\.\w+)?$/i.test(path)) ? '\t' : ','
}

/** How JSON files are written. */
export interface ReadJsonOptions extends ReadTableOptions {
  /** Whether each line is an object; found out unless told. */
  readonly lines?: boolean
  /** Types of columns; the others are found in their values. */
  readonly columnTypes?: Readonly<Record<string, CastType>>
}

/**
 * Reads JSON files: an object per line, an array of objects, or objects one behind the other. Lists
 * and objects inside become columns of arrays and objects. A key that a row lacks is null in it.
 *
 * @example
 * const events = readJson<{ user: string; tags: string[] }>('events/*.jsonl')
 */
export function readJson<R = AnyRow>(
  paths: string | readonly string[],
  options: ReadJsonOptions & WithPaths,
): Dataset<OfFile<R>>
export function readJson<R = AnyRow>(
  paths: string | readonly string[],
  options?: ReadJsonOptions,
): Dataset<R>
export function readJson(
  paths: string | readonly string[],
  options: ReadJsonOptions = {},
): unknown {
  const operator = 'readJson'
  const files = compileFiles(paths, options, {
    operator,
    known: ['lines', 'columnTypes'],
    isTable: true,
    partitioning: hive,
    fileExtensions: ['json', 'jsonl', 'ndjson'],
  })
  const { columns, int64 } = compileTable(operator, options)
  const columnTypes = compileColumnTypes(options.columnTypes)
  const format = { kind: 'json', int64, lines: options.lines, columnTypes } as const
  return startDataset({ ...files, format, columns })
}

/** How text is read. */
export interface ReadTextOptions extends ReadFilesOptions {
  /** 'utf-8' unless told otherwise; any name that `TextDecoder` knows. */
  readonly encoding?: string
  /** Lines without a character are left out, unless this is false. */
  readonly dropEmptyLines?: boolean
}

/**
 * Reads text, a row per line, in the column `text`.
 *
 * @example
 * const words = readText('books/*.txt').flatMap(({ text }) => {
 *   return text.split(' ').map((word) => ({ word }))
 * })
 */
export function readText<R = { text: string }>(
  paths: string | readonly string[],
  options: ReadTextOptions & WithPaths,
): Dataset<OfFile<R>>
export function readText<R = { text: string }>(
  paths: string | readonly string[],
  options?: ReadTextOptions,
): Dataset<R>
export function readText(
  paths: string | readonly string[],
  options: ReadTextOptions = {},
): unknown {
  const files = compileFiles(paths, options, {
    operator: 'readText',
    known: ['encoding', 'dropEmptyLines'],
    isTable: false,
    partitioning: undefined,
    fileExtensions: undefined,
  })
  const { encoding = 'utf-8', dropEmptyLines = true } = options
  const format = { kind: 'text', encoding, dropEmptyLines } as const
  return startDataset({ ...files, format, columns: undefined })
}

/**
 * Reads files as they are, a row per file, in the column `bytes`. They are not decompressed unless
 * `compression` says how.
 *
 * @example
 * const sizes = readBinaryFiles('scans', { includePaths: true })
 *   .map(({ bytes, path }) => ({ path, size: bytes.length }))
 */
export function readBinaryFiles<R = { bytes: Uint8Array }>(
  paths: string | readonly string[],
  options: ReadFilesOptions & WithPaths,
): Dataset<OfFile<R>>
export function readBinaryFiles<R = { bytes: Uint8Array }>(
  paths: string | readonly string[],
  options?: ReadFilesOptions,
): Dataset<R>
export function readBinaryFiles(
  paths: string | readonly string[],
  options: ReadFilesOptions = {},
): unknown {
  const files = compileFiles(paths, options, {
    operator: 'readBinaryFiles',
    known: [],
    isTable: false,
    partitioning: undefined,
    fileExtensions: undefined,
  })
  const compression = options.compression ?? 'none'
  return startDataset({ ...files, compression, format: { kind: 'binary' }, columns: undefined })
}

/** How images are read. */
export interface ReadImagesOptions extends ReadFilesOptions {
  /** Height and width that all images are brought to. */
  readonly size?: readonly [height: number, width: number]
  /** What a pixel is: 'RGB', 'RGBA' or 'L' for grey; as the file has it unless told. */
  readonly mode?: 'RGB' | 'RGBA' | 'L'
}

const imageExtensions = ['png', 'jpg', 'jpeg', 'tif', 'tiff', 'bmp', 'gif', 'webp', 'avif']

/**
 * Reads images, a row per file, in the column `image`: a tensor of bytes with the shape
 * `[height, width, channels]`, or `[height, width]` where a pixel is one number.
 *
 * @example
 * const sizes = readImages('photos', { size: [224, 224], mode: 'RGB' })
 *   .map(({ image }) => ({ mean: image.data.reduce((sum, x) => sum + x, 0) / image.data.length }))
 */
export function readImages<R = { image: Tensor<Uint8Array> }>(
  paths: string | readonly string[],
  options: ReadImagesOptions & WithPaths,
): Dataset<OfFile<R>>
export function readImages<R = { image: Tensor<Uint8Array> }>(
  paths: string | readonly string[],
  options?: ReadImagesOptions,
): Dataset<R>
export function readImages(
  paths: string | readonly string[],
  options: ReadImagesOptions = {},
): unknown {
  const operator = 'readImages'
  const files = compileFiles(paths, options, {
    operator,
    known: ['size', 'mode'],
    isTable: false,
    partitioning: undefined,
    fileExtensions: imageExtensions,
  })
  const { size, mode } = options
  if (size?.some((length) => !Number.isInteger(length) || length < 1) === true) {
    throw new RayError(`readImages: size must be [height, width], not [${size.join(', ')}].`)
  }
  const format = { kind: 'image', size, mode } as const
  return startDataset({ ...files, format, columns: undefined })
}
