// A dataset: a lazy plan with a fluent face. Methods that add to the plan return at once; methods
// that consume run it. What runs functions of the user is in mappable-dataset, what computes
// with columns in relational-dataset, what runs the plan in consumable-dataset, what writes in
// writable-dataset.

import { refuseMethodsNotBuilt } from './methods-not-built.js'
import type { AnyRow } from './planned-dataset.js'
import { WritableDataset } from './writable-dataset.js'

/**
 * Rows in blocks across the cluster.
 *
 * @example
 * const delays = readParquet<{ origin: string; delay: bigint }>('flights.parquet')
 *   .filter((row) => row.delay > 60n)
 *   .map((row) => ({ origin: row.origin, hours: Number(row.delay) / 60 }))
 * console.log(await delays.count())
 */
export class Dataset<Row = AnyRow> extends WritableDataset<Row> {}

refuseMethodsNotBuilt(Dataset.prototype)
