// Rows about collectives: two actors add their arrays, and what adding alone takes.
import * as ray from 'typeray'
import { allReduce, initCollectiveGroup } from 'typeray/util'
import type { OpenProbe, ProbeTable } from '../probe.js'
import { rate } from './session.js'

const arrayBytes = 64e6

class Rank {
  readonly #array = new Float64Array(arrayBytes / 8).fill(1)

  async join(rank: number): Promise<void> {
    await initCollectiveGroup(2, rank)
  }

  async sum(): Promise<void> {
    await allReduce(this.#array)
  }
}

const allReduceProbe = rate(arrayBytes / 1e9, async () => {
  const RemoteRank = ray.remote({ numCpus: 1 }, Rank)
  const ranks = [RemoteRank.remote(), RemoteRank.remote()]
  await ray.get(ranks.map((actor, rank) => actor.join.remote(rank)))
  return () => ray.get(ranks.map((actor) => actor.sum.remote()))
})

type FloatArray = Float32Array | Float64Array

/** Every kind of array in a process of its own: its loop has never seen another. */
const addProbe =
  (make: () => FloatArray): OpenProbe =>
  async () => {
    const sum = make().fill(1)
    const values = make().fill(1)
    return {
      kind: 'rate',
      unitsPerStep: arrayBytes / 1e9,
      step: () => add(sum, values),
    }
  }

function add(sum: FloatArray, values: FloatArray): void {
  const { length } = sum
  for (let i = 0; i < length; i++) sum[i] = (sum[i] as number) + (values[i] as number)
}

export const collectiveProbes: ProbeTable = {
  'allReduce 64 MB, 2 actors': allReduceProbe,
  'allReduce compute limit: add 64 MB of Float64Array': addProbe(
    () => new Float64Array(arrayBytes / 8),
  ),
  'allReduce compute limit: add 64 MB of Float32Array': addProbe(
    () => new Float32Array(arrayBytes / 4),
  ),
}
