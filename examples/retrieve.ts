// Six slow look-ups, one after the other and in parallel. An item takes its number in tenths of a
// second.
import { setTimeout as sleep } from 'node:timers/promises'
import * as ray from 'typeray'

await ray.init({ numCpus: 6 })

const database = 'Learning Ray Flexible Distributed Python for Machine Learning'.split(' ')
const items = [0, 1, 2, 3, 4, 5]

async function retrieve(item: number): Promise<string> {
  await sleep(item * 100)
  return `${item} ${database[item]}`
}

async function timed(what: string, run: () => Promise<string[]>): Promise<void> {
  const started = performance.now()
  const results = await run()
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(2)} s`)
  console.log(results.join(', '))
}

await timed('serial', async () => {
  const results: string[] = []
  for (const item of items) results.push(await retrieve(item))
  return results
})

const remoteRetrieve = ray.remote(retrieve)
await timed('parallel', () => ray.get(items.map((item) => remoteRetrieve.remote(item))))
