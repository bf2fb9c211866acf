import { requireCore } from '../worker/current-core.js'
import type { ObjectRef } from '../worker/object-ref.js'

/**
 * Drops all copies of the stored values of refs, as if the nodes that have them had died. What a
 * task had made is made again, if its `maxRetries` allow; the rest is lost.
 *
 * @example
 * import { withCluster, loseObjects } from 'typeray/testing'
 *
 * await withCluster({ numCpus: 1 }, async () => {
 *   const ref = ray.remote(() => new Float64Array(1e6)).remote()
 *   await ray.wait([ref])
 *   loseObjects([ref])
 *   await ray.get(ref)
 * })
 */
export function loseObjects(refs: readonly ObjectRef[]): void {
  const objects = refs.map(({ owner, sequence }): [number, number] => [owner, sequence])
  requireCore('loseObjects').raylet.send({ kind: 'loseObjects', objects })
}
