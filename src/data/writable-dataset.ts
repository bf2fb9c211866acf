// Methods that write a dataset.

import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { RayError } from '../base/errors.js'
import { describeThrown } from '../base/thrown.js'
import type { Datasink } from './datasink.js'
import type { StagedFile } from './datasource/output-storage.js'
import { appendedPrefix, partPrefix } from './datasource/part-files.js'
import { processMark } from './datasource/process-mark.js'
import type { Step } from './logical/plan.js'
import type { FolderSink, OutputFormat, Sink } from './logical/write-step.js'
import type { RunningPlan } from './dataset-session.js'
import type { AnyRow, ConsumeOptions } from './planned-dataset.js'
import { DivisibleDataset } from './split/divisible-dataset.js'
import { refuseUnknown, whole } from './step-options.js'
import {
  compileWrite,
  type WriteCsvOptions,
  type WriteDatasinkOptions,
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

/** What the engine calls codecs: its `lz4` is one with frames, which few others read. */
const codecNames = {
  snappy: 'snappy',
  zstd: 'zstd',
  gzip: 'gzip',
  brotli: 'brotli',
  lz4: 'lz4_raw',
  none: 'uncompressed',
} as const

/** A dataset that can be written. */
export abstract class WritableDataset<Row = AnyRow> extends DivisibleDataset<Row> {
  /**
   * Writes one Parquet file per block, `part-00000.parquet` and so on, to a folder or `s3://`, and
   * removes parts that an earlier run left. Files appear when all of them are complete; reading the
   * folder gives the rows in the same order. Gives the paths.
   *
   * @throws RayError if a block cannot be computed or written; the folder is then as it was.
   *
   * @example
   * const files = await range(1000).writeParquet('out/', { compression: 'zstd' })
   */
  writeParquet(folder: string, options: WriteParquetOptions = {}): Promise<readonly string[]> {
    const name = 'writeParquet'
    const config = compileWrite(name, options, {
      compressions: Object.keys(codecNames),
    })
    const { compression = 'snappy' } = options
    const format = { kind: 'parquet', compression: codecNames[compression] } as const
    return this.#writeFolder({ name, folder, config, format, options })
  }

  /**
   * Writes one CSV file per block, in the way of `writeParquet`.
   *
   * @throws RayError as `writeParquet` does.
   *
   * @example
   * await range(1000).writeCsv('out/', { mode: 'append', delimiter: ';' })
   */
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

  /**
   * Writes one file per block with a JSON object per line, in the way of `writeParquet`.
   *
   * @throws RayError as `writeParquet` does.
   *
   * @example
   * await range(1000).writeJson('s3://bucket/out/', { compression: 'gzip' })
   */
  writeJson(folder: string, options: WriteJsonOptions = {}): Promise<readonly string[]> {
    const name = 'writeJson'
    const config = compileWrite(name, options, { compressions: textCodecs })
    const format = { kind: 'json', compression: options.compression ?? 'none' } as const
    return this.#writeFolder({ name, folder, config, format, options })
  }

  /**
   * Writes the rows to wherever `datasink` puts them; gives what writing each block gave, in order.
   *
   * @throws RayError if a block cannot be computed or written, after `onWriteFailed` was told.
   *
   * @example
   * const counts = await range(10).writeDatasink({ write: (block) => block.numRows })
   */
  async writeDatasink<Result>(
    datasink: Datasink<Result>,
    options: WriteDatasinkOptions = {},
  ): Promise<readonly Result[]> {
    refuseUnknown('writeDatasink', options, ['onProgress', 'concurrency'])
    const concurrency = whole('writeDatasink', 'concurrency', options.concurrency)
    await datasink.onWriteStart?.()
    try {
      const name = datasink.name ?? 'writeDatasink'
      const sink: Sink = { kind: 'custom', datasink: datasink as Datasink }
      const work = { ...options, concurrency }
      const results = (await this.#working(name, sink, work).run()) as readonly Result[]
      await datasink.onWriteComplete?.(results)
      return results
    } catch (error) {
      await failedWrite(datasink, error)
      throw error
    }
  }

  async #writeFolder(write: FolderWrite): Promise<readonly string[]> {
    const { name, config, format, options } = write
    const { mode, partitionCols, filesystem, filenameProvider } = config
    const folder = placeOf(write.folder)
    const writeId = randomBytes(8).toString('hex')
    const prefix = mode === 'append' ? appendedPrefix(Date.now(), writeId) : partPrefix
    const writer = processMark()
    const place = { folder, prefix, writeId, writer, partitionCols, filesystem, filenameProvider }
    const rowsPerFileMax = config.maxRowsPerFile
    const sink: FolderSink = { kind: 'folder', ...place, format, rowsPerFileMax }
    if (mode === 'overwrite') await this.session.refuseOverwrite(this.plan, { name, folder })
    const { writes } = this.session
    const work = this.#working(name, sink, { ...config, ...options })
    // Files are looked at while the folder is made ready, unless that may say not to write at all.
    // What may be one query is left to one worker: a second one would load the engine in vain.
    const isSure = mode === 'overwrite' || mode === 'append'
    if (isSure && this.plan.steps.some(hasFunction)) work.prepare()
    const present = await writes.beginWrite(name, sink, mode)
    if (mode === 'ignore' && present.length > 0) return []
    if (mode === 'error' && present.length > 0) {
      throw new RayError(
        `${name}: ${folder} has ${present.length} parts already; write elsewhere, or with ` +
          "the mode 'overwrite' or 'append'.",
        { fields: { path: folder } },
      )
    }
    try {
      const blocks = (await work.run()) as StagedFile[][]
      const staged = blocks.flat()
      const files = staged.map((file) => file.path)
      refuseTwice(name, files, mode === 'append' ? present : [])
      const written = new Set(files)
      const stale = mode === 'append' ? [] : present.filter((file) => !written.has(file))
      await writes.publishWrite(name, sink, { staged, stale })
      return files
    } catch (error) {
      await endFailed(writes.endWrite(name, sink))
      throw error
    }
  }

  #working(name: string, sink: Sink, options: WriteOptions): WriteWork {
    const { minRowsPerFile: rows, concurrency } = options
    const gathered = rows === undefined ? this : this.derive<Row>({ kind: 'coalesce', rows })
    const bound = concurrency === undefined ? {} : { numCpus: undefined, concurrency }
    const writing = gathered.derive<Row>({ kind: 'write', name, sink, ...bound })
    let prepared: Promise<RunningPlan> | undefined
    return {
      prepare: () => {
        prepared = writing.prepare(options)
        // Whoever runs it meets the failure; nobody does if the folder cannot be written to.
        prepared.catch(() => undefined)
      },
      run: async () => {
        const results: unknown[] = []
        const bundles = writing.execute(options, prepared)
        for await (const { metadata } of bundles) results.push(metadata.written)
        this.statistics = writing.statistics
        return results
      },
    }
  }
}

/** Whether a step calls a function of the user, so that there are tasks for several workers. */
function hasFunction(step: Step): boolean {
  return 'fn' in step
}

/** The work of a write. */
interface WriteWork {
  /** Plans it ahead of its run. */
  prepare(): void
  /** Gives what each block gave when it was written, in order. */
  run(): Promise<readonly unknown[]>
}

interface WriteOptions extends ConsumeOptions {
  readonly minRowsPerFile?: number | undefined
  readonly concurrency?: number | undefined
}

/** Files that the user named must not take the place of each other, nor of what is kept. */
function refuseTwice(name: string, files: readonly string[], kept: readonly string[]): void {
  const known = new Set(kept)
  for (const file of files) {
    if (known.has(file)) {
      throw new RayError(`${name}: filenameProvider names two files ${file}.`, {
        fields: { path: file },
      })
    }
    known.add(file)
  }
}

/** The failure of the write is told, and not that what it left could not be removed either. */
async function endFailed(end: Promise<void>): Promise<void> {
  const [outcome] = await Promise.allSettled([end])
  if (outcome.status === 'rejected') {
    process.stderr.write(`A write left files that it staged: ${String(outcome.reason)}\n`)
  }
}

/** The error that ended the write is told, whatever the sink makes of it. */
async function failedWrite(datasink: Pick<Datasink, 'onWriteFailed'>, why: unknown): Promise<void> {
  try {
    await datasink.onWriteFailed?.(why)
  } catch (error) {
    process.stderr.write(`onWriteFailed failed as well: ${describeThrown(error)}\n`)
  }
}

/** An absolute path, or a URL without a slash at its end. */
function placeOf(given: string): string {
  if (given.startsWith('file://')) return fileURLToPath(given)
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(given) ? given.replace(/\/+$/, '') : path.resolve(given)
}
