// Piscina, the usual pool of worker threads, where it can do the work of a row.
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { OpenProbe, ProbeTable } from '../probe.js'

const threadCount = 2
const filename = fileURLToPath(new URL('./piscina-worker.js', import.meta.url))

type Submit = (pool: Piscina, i: number) => Promise<unknown>

/** `count` calls at a time; one step is worth `units`. */
const open =
  (count: number, units: number, submit: Submit): OpenProbe =>
  async () => {
    const pool = new Piscina({ filename, minThreads: threadCount, maxThreads: threadCount })
    await submit(pool, 0)
    return {
      kind: 'rate',
      unitsPerStep: units,
      step: () => Promise.all(Array.from({ length: count }, (_, i) => submit(pool, i))),
      close: () => pool.close(),
    }
  }

const noOp: Submit = (pool) => pool.run(undefined, { name: 'noOp' })

export const piscinaProbes: ProbeTable = {
  'single client tasks and get batch': open(1000, 1, noOp),
  'single client tasks sync': open(1, 1, noOp),
  'single client tasks async': open(1000, 1000, noOp),
  'no-op throughput, 2 workers': open(1000, 1000, noOp),
  'tasks with int arg': open(1000, 1000, (pool, i) => pool.run(i, { name: 'incremented' })),
  'tasks with object arg': open(1000, 1000, (pool, i) =>
    pool.run({ number: i, options: { a: 1 } }, { name: 'sumWith' }),
  ),
}
