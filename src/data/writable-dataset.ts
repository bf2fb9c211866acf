// Methods that write a dataset.

import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { RayError } from '../base/errors.js'
import type { Datasink } from './datasink.js'
import { appendedPrefix, partPrefix } from './datasource/part-files.js'
import type { FolderSink, OutputFormat, Sink } from './logical/write-step.js'
import type { AnyRow, ConsumeOptions } from './planned-dataset.js'
import { DivisibleDataset } from './split/divisible-dataset.js'
import { refuseUnknown } from './step-options.js'
import {
  compileWrite,
  type WriteCsvOptions,
  type WriteFilesConfig,
  type WriteJsonOptions,
  type WriteParquetOptions,
} from './write-options.js'

const textCodecs = ['none', 'gzip', 'zstd']

interface FolderWrite {
  readonly name: string
  readonly folder: string
  readonly config: WriteFilesConfig
  readonly format: OutputFormat
  readonly options: ConsumeOptions
}

/** A dataset that can be written. */
export abstract class WritableDataset<Row = AnyRow> extends DivisibleDataset<Row> {
  /**
   * Writes one Parquet file per block, `part-00000.parquet` and so on, to a folder or `s3://`, and
   * removes parts that an earlier run left. Files appear when they are complete; reading the folder
   * gives the rows in the same order. Gives the paths.
   */
  writeParquet(folder: string, options: WriteParquetOptions = {}): Promise<readonly string[]> {
    const name = 'writeParquet'
    const config = compileWrite(name, options, {
      compressions: ['snappy', 'zstd', 'gzip', 'none'],
    })
    const { compression = 'snappy' } = options
    const codec = compression === 'none' ? 'uncompressed' : compression
    const format = { kind: 'parquet', compression: codec } as const
    return this.#writeFolder({ name, folder, config, format, options })
  }

  /** Writes one CSV file per block, in the way of `writeParquet`. */
  writeCsv(folder: string, options: WriteCsvOptions = {}): Promise<readonly string[]> {
    const name = 'writeCsv'
    const config = compileWrite(name, options, {
      known: ['delimiter', 'header'],
      compressions: textCodecs,
    })
    const { compression = 'none', delimiter = ',', header = true } = options
    const format = { kind: 'csv', compression, delimiter, hasHeader: header } as const
    return this.#writeFolder({ name, folder, config, format, options })
  }

  /** Writes one file per block with a JSON object per line, in the way of `writeParquet`. */
  writeJson(folder: string, options: WriteJsonOptions = {}): Promise<readonly string[]> {
    const name = 'writeJson'
    const config = compileWrite(name, options, { compressions: textCodecs })
    const format = { kind: 'json', compression: options.compression ?? 'none' } as const
    return this.#writeFolder({ name, folder, config, format, options })
  }

  /** Writes the rows to wherever `datasink` puts them. */
  async writeDatasink<Result>(
    datasink: Datasink<Result>,
    options: ConsumeOptions = {},
  ): Promise<readonly Result[]> {
    refuseUnknown('writeDatasink', options, ['onProgress'])
    await datasink.onWriteStart?.()
    try {
      const name = datasink.name ?? 'writeDatasink'
      const sink: Sink = { kind: 'custom', datasink: datasink as Datasink }
      const results = (await this.#write(name, sink, options)) as readonly Result[]
      await datasink.onWriteComplete?.(results)
      return results
    } catch (error) {
      await datasink.onWriteFailed?.(error)
      throw error
    }
  }

  async #writeFolder(write: FolderWrite): Promise<readonly string[]> {
    const { name, config, format, options } = write
    const { mode, partitionCols, filesystem } = config
    const folder = placeOf(write.folder)
    const prefix = mode === 'append' ? appendedPrefix(Date.now()) : partPrefix
    const sink: FolderSink = { kind: 'folder', folder, prefix, format, partitionCols, filesystem }
    if (mode === 'overwrite') await this.session.refuseOverwrite(this.plan, { name, folder })
    const present = mode === 'append' ? [] : await this.session.partsIn(sink)
    if (mode === 'ignore' && present.length > 0) return []
    if (mode === 'error' && present.length > 0) {
      throw new RayError(
        `${name}: ${folder} has ${present.length} parts already; write elsewhere, or with ` +
          "the mode 'overwrite' or 'append'.",
        { fields: { path: folder } },
      )
    }
    const files = ((await this.#write(name, sink, options)) as readonly string[][]).flat()
    const written = new Set(files)
    const stale = present.filter((file) => !written.has(file))
    if (stale.length > 0) await this.session.removeParts(sink, stale)
    return files
  }

  /** What each block gave when it was written, in order. */
  async #write(name: string, sink: Sink, options: ConsumeOptions): Promise<readonly unknown[]> {
    const writing = this.derive<Row>({ kind: 'write', name, sink })
    const results: unknown[] = []
    for await (const { metadata } of writing.execute(options)) results.push(metadata.written)
    this.statistics = writing.statistics
    return results
  }
}

/** An absolute path, or a URL without a slash at its end. */
function placeOf(given: string): string {
  if (given.startsWith('file://')) return fileURLToPath(given)
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(given) ? given.replace(/\/+$/, '') : path.resolve(given)
}
