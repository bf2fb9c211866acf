// `wait` gives results as they come, instead of in the order in which they were asked for.
import { setTimeout as sleep } from 'node:timers/promises'
import * as ray from 'typeray'

await ray.init({ numCpus: 4 })

const fetchPage = ray.remote(async (page: number) => {
  await sleep((4 - page) * 250)
  return `page ${page}`
})

let pending = [1, 2, 3, 4].map((page) => fetchPage.remote(page))
while (pending.length > 0) {
  const [ready, rest] = await ray.wait(pending, { numReturns: 1, timeoutMs: 10_000 })
  for (const ref of ready) console.log(await ray.get(ref))
  pending = rest
}
