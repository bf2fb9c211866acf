// Datasets of tables that are in the object store already.

import type { Table } from 'apache-arrow'
import { RayError } from '../base/errors.js'
import * as ray from '../ray/index.js'
import type { BlockRef, RefBundle } from './block/metadata.js'
import type { Dataset } from './dataset.js'
import { unwrapped } from './execution/ray-task-options.js'
import { type DescribedTable, runDescribeTable } from './physical/describe-arrow.js'
import type { AnyRow } from './planned-dataset.js'
import { startDataset } from './start-dataset.js'

const describeTask = ray.remote(runDescribeTable)

/**
 * Makes a dataset of apache-arrow tables in the object store, each as a block, without a copy: what
 * `toArrowRefs` gives, or tasks return. The dataset holds the refs; do not dispose of them while it
 * is used.
 *
 * @example
 * const tables = await range(1000).toArrowRefs()
 * const numbers = await fromArrowRefs<{ id: number }>(tables)
 * console.log(await numbers.sum('id')) // 499500
 */
export async function fromArrowRefs<R = AnyRow>(
  tables: ray.ObjectRef<Table> | readonly ray.ObjectRef<Table>[],
): Promise<Dataset<R>> {
  const refs = tables instanceof ray.ObjectRef ? [tables] : tables
  const bundles = await Promise.all(Array.from(refs, bundleOf))
  return startDataset({ kind: 'blocks', bundles })
}

type DescribedRefs = readonly [BlockRef, ray.ObjectRef<DescribedTable>]

/** A task looks at the table where it is; one of several batches it makes a block of. */
async function bundleOf(ref: ray.ObjectRef<Table>): Promise<RefBundle> {
  if (!(ref instanceof ray.ObjectRef)) {
    throw new RayError('fromArrowRefs takes refs of tables; fromArrow takes tables themselves.')
  }
  const run = describeTask.options({ name: 'fromArrowRefs', numReturns: 2 })
  const [made, described] = run.remote(ref) as unknown as DescribedRefs
  const { isBlock, metadata } = await unwrapped(ray.get(described))
  return { block: isBlock ? ref : made, metadata }
}
