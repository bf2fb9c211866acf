// Rows about tasks.
import * as ray from 'typeray'
import type { OpenProbe, ProbeTable } from '../probe.js'
import { batch, inSession, rate } from './session.js'
import { busy, countTo, incremented, Server, smallTask, sumWith } from './work.js'

const clientCount = 4
const tasksPerClient = 10_000
const chainLinks = 1000
const streamedItems = 1000

const batchOf1000 = (units: number): OpenProbe =>
  rate(units, async () => batch(1000, () => smallTask.remote()))

const tasksSync = rate(1, async () => () => ray.get(smallTask.remote()))

const multiClientTasks = rate(clientCount * tasksPerClient, async () => {
  const RemoteServer = ray.remote(Server).options({ numCpus: 0 })
  const clients = Array.from({ length: clientCount }, () => RemoteServer.remote())
  return () => ray.get(clients.map((client) => client.smallTaskBatch.remote(tasksPerClient)))
})

const intArgument = rate(1000, async () => {
  const task = ray.remote(incremented)
  return batch(1000, (i) => task.remote(i))
})

const objectArgument = rate(1000, async () => {
  const task = ray.remote(sumWith)
  return batch(1000, (i) => task.remote(i, { a: 1 }))
})

const chain = inSession(async () => {
  const task = ray.remote(incremented)
  return {
    kind: 'duration',
    unitMs: 1000,
    step: () => {
      let ref = task.remote(0)
      for (let i = 1; i < chainLinks; i++) ref = task.remote(ref)
      return ray.get(ref)
    },
  }
})

const streaming = rate(streamedItems, async () => {
  const generator = ray.remote(countTo).options({ numReturns: 'streaming' })
  return async () => {
    for await (const ref of generator.remote(streamedItems)) await ray.get(ref)
  }
})

const workerCount = 2

/** Useful work done as a percentage of what the workers could do if tasks cost nothing. */
const busyTasks = (microseconds: number, count: number): OpenProbe =>
  inSession(
    async () => {
      const task = ray.remote(busy)
      const submit = batch(count, () => task.remote(microseconds))
      const workSeconds = (count * microseconds) / 1e6
      return {
        kind: 'rate',
        unitsPerStep: (100 * workSeconds) / workerCount,
        step: submit,
      }
    },
    { numCpus: workerCount },
  )

const noOpSamePool = inSession(
  async () => ({
    kind: 'rate',
    unitsPerStep: 1000,
    step: batch(1000, () => smallTask.remote()),
  }),
  { numCpus: workerCount },
)

export const taskProbes: ProbeTable = {
  'single client tasks and get batch': batchOf1000(1),
  'single client tasks sync': tasksSync,
  'single client tasks async': batchOf1000(1000),
  'multi client tasks async': multiClientTasks,
  'tasks with int arg': intArgument,
  'tasks with object arg': objectArgument,
  'chain of 1000 tasks': chain,
  'streaming generator items': streaming,
  '5 us tasks on 2 workers': busyTasks(5, 10_000),
  '100 us tasks on 2 workers': busyTasks(100, 2000),
  'no-op throughput, 2 workers': noOpSamePool,
}
