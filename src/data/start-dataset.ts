// A dataset over a source, on the Ray session of this process.
//
// Datasets and what belongs to them also travel, as arguments and as what functions capture: their
// plans do, and are run wherever the dataset is read. Blocks that are held already are read there
// from the object store.

import * as ray from '../ray/index.js'
import { Dataset } from './dataset.js'
import { DatasetSession } from './dataset-session.js'
import { RayTaskRunner } from './execution/ray-task-runner.js'
import { Expression } from './expression/expression.js'
import type { Source } from './logical/plan.js'

/** One per process: it holds no state but the functions it submits. */
const session = new DatasetSession(new RayTaskRunner())

export function startDataset<R>(source: Source): Dataset<R> {
  return new Dataset<R>(session, { source, steps: [] })
}

ray.registerSerializer(Dataset, {
  serialize: (dataset) => dataset.plan,
  deserialize: (plan) => startDataset(plan.source).over(plan),
})
ray.registerSerializer(Expression, {
  serialize: (expression) => expression.node,
  deserialize: (node) => new Expression(node),
})
