// typeray microbenchmark: a few rows of `ray microbenchmark`, under its names. It starts a session
// of its own, so that what else runs in a cluster is not measured with it.

import * as ray from '../ray/index.js'

class Counter {
  ping(): number {
    return 0
  }
}

type Work = () => Promise<number>

const batch = 1000

export async function microbenchmark(options: {
  readonly seconds: number
  readonly numCpus?: number
}): Promise<void> {
  const { numCpus, seconds } = options
  await ray.init({ address: 'local', ...(numCpus !== undefined && { numCpus }) })
  try {
    for (const [name, work] of Object.entries(rows())) {
      await work()
      const rate = await rateOf(work, seconds * 1000)
      process.stdout.write(`${name} per second ${rate.toFixed(1)}\n`)
    }
  } finally {
    await ray.shutdown()
  }
}

function rows(): Readonly<Record<string, Work>> {
  const small = ray.remote(() => 0)
  const actor = ray.remote(Counter).remote()
  const stored = ray.put(new Uint8Array(100_000))
  return {
    'single client get calls': async () => {
      for (let i = 0; i < batch; i++) await ray.get(stored)
      return batch
    },
    'single client put calls': () => {
      for (let i = 0; i < batch; i++) ray.put(0)
      return Promise.resolve(batch)
    },
    'single client tasks sync': async () => {
      for (let i = 0; i < batch; i++) await ray.get(small.remote())
      return batch
    },
    'single client tasks async': async () => {
      const refs = Array.from({ length: 10 * batch }, () => small.remote())
      await ray.get(refs)
      return 10 * batch
    },
    '1:1 actor calls sync': async () => {
      for (let i = 0; i < batch; i++) await ray.get(actor.ping.remote())
      return batch
    },
    '1:1 actor calls async': async () => {
      const refs = Array.from({ length: 10 * batch }, () => actor.ping.remote())
      await ray.get(refs)
      return 10 * batch
    },
  }
}

async function rateOf(work: Work, ms: number): Promise<number> {
  const start = performance.now()
  let done = 0
  let elapsed = 0
  do {
    done += await work()
    elapsed = performance.now() - start
  } while (elapsed < ms)
  return (1000 * done) / elapsed
}
