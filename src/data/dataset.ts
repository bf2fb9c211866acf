// A dataset: a lazy plan with a fluent face. Methods that add to the plan return at once; methods
// that consume run it. What runs functions of the user is in mappable-dataset, what computes
// with columns in relational-dataset, what runs the plan in consumable-dataset.

import fs from 'node:fs'
import path from 'node:path'
import { refuseMethodsNotBuilt } from './methods-not-built.js'
import type { AnyRow, ConsumeOptions } from './planned-dataset.js'
import { refuseUnknown } from './step-options.js'
import { DivisibleDataset } from './split/divisible-dataset.js'

/**
 * Rows in blocks across the cluster.
 *
 * @example
 * const delays = readParquet<{ origin: string; delay: bigint }>('flights.parquet')
 *   .filter((row) => row.delay > 60n)
 *   .map((row) => ({ origin: row.origin, hours: Number(row.delay) / 60 }))
 * console.log(await delays.count())
 */
export class Dataset<Row = AnyRow> extends DivisibleDataset<Row> {
  /**
   * Writes one Parquet file per block, `part-00000.parquet` and so on, and removes parts that an
   * earlier run left beyond them. Files appear when they are complete. Gives their paths.
   */
  async writeParquet(folder: string, options: ConsumeOptions = {}): Promise<readonly string[]> {
    refuseUnknown('writeParquet', options, ['onProgress'])
    const absolute = path.resolve(folder)
    await this.session.refuseOverwrite(this.plan, absolute)
    const written = this.derive<Row>({ kind: 'write-parquet', folder: absolute })
    const files: string[] = []
    for await (const { metadata } of written.execute(options)) {
      if (metadata.file !== undefined) files.push(metadata.file)
    }
    this.statistics = written.statistics
    removeStaleParts(absolute, files)
    return files
  }
}

refuseMethodsNotBuilt(Dataset.prototype)

/** A shorter dataset over the files of a longer one must not read as the two together. */
function removeStaleParts(folder: string, files: readonly string[]): void {
  const written = new Set(files)
  const present = fs.existsSync(folder) ? fs.readdirSync(folder) : []
  for (const name of present) {
    const file = path.join(folder, name)
    if (/^part-\d{5,}\.parquet$/.test(name) && !written.has(file)) fs.rmSync(file)
  }
}
