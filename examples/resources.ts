// Tasks say what they need; the scheduler runs as many at once as the resources of the cluster
// allow.
import { setTimeout as sleep } from 'node:timers/promises'
import * as ray from 'typeray'

await ray.init({ numCpus: 2, resources: { licence: 1 } })

const work = ray.remote(async (ms: number) => {
  await sleep(ms)
  return ms
})

async function timed(what: string, refs: ray.ObjectRef<number>[]): Promise<void> {
  const started = performance.now()
  await ray.get(refs)
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

await ray.get([work.remote(1), work.remote(1)]) // The workers have started.
const licensed = work.options({ numCpus: 0, resources: { licence: 1 } })
await timed(
  'four tasks of 0.3 s on two CPUs',
  [300, 300, 300, 300].map((ms) => work.remote(ms)),
)
await timed(
  'two tasks of two CPUs each',
  [300, 300].map((ms) => work.options({ numCpus: 2 }).remote(ms)),
)
await timed(
  'three tasks that share one licence',
  [300, 300, 300].map((ms) => licensed.remote(ms)),
)
