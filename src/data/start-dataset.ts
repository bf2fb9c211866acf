// A dataset over a source, on the Ray session of this process.

import { Dataset } from './dataset.js'
import { DatasetSession } from './dataset-session.js'
import { RayTaskRunner } from './execution/ray-task-runner.js'
import type { Source } from './logical/plan.js'

/** One per process: it holds no state but the functions it submits. */
const session = new DatasetSession(new RayTaskRunner())

export function startDataset<R>(source: Source): Dataset<R> {
  return new Dataset<R>(session, { source, steps: [] })
}
