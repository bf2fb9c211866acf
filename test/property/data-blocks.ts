// Datasets of given blocks, run in this process: what the properties of datasets are tested on.

import { Dataset } from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'

/** A dataset whose blocks are these rows, empty ones among them. */
export function datasetOf<R extends object>(
  parts: readonly (readonly R[])[],
  runner = new InProcessRunner(),
): Dataset<R> {
  const session = new DatasetSession(runner)
  const inputs = parts.map((rows) => {
    return {
      source: { kind: 'items', rows: rows as readonly Record<string, unknown>[] },
      steps: [],
    }
  }) as never
  return new Dataset<R>(session, { source: { kind: 'union', inputs }, steps: [] })
}
