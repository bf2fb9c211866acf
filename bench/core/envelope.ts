// Ray's scalability envelope of a single node (release/benchmarks/single_node): how much one task,
// one get and one queue hold. Seconds of Ray are its published figures, from a machine of 64 cores.
import * as ray from 'typeray'
import type { OpenProbe, ProbeTable } from '../probe.js'
import { inSession } from './session.js'
import { returnLists, smallTask, sumOfLists } from './work.js'

const listItems = 10_000
const argumentCount = 10_000
const returnCount = 3000
const objectCount = 10_000
const queuedCount = 1_000_000
const workerCount = 2

function seconds(prepare: () => Promise<() => Promise<void>>): OpenProbe {
  const options = { numCpus: workerCount, objectStoreMemory: 2 * 1024 ** 3 }
  return inSession(async () => ({ kind: 'duration', unitMs: 1000, step: await prepare() }), options)
}

const filledList = (): number[] => new Array<number>(listItems).fill(1)
const ascendingList = (): number[] => ascending(new Array<number>(listItems))
const ascendingArray = (): Float64Array => ascending(new Float64Array(listItems))

function ascending<T extends number[] | Float64Array>(list: T): T {
  for (let i = 0; i < listItems; i++) list[i] = i
  return list
}

const manyArguments = seconds(async () => {
  const task = ray.remote(sumOfLists)
  return async () => {
    const lists = Array.from({ length: argumentCount }, filledList)
    const sum = await ray.get(task.remote(...lists))
    if (sum !== argumentCount * listItems) throw new Error(`The sum is ${sum}.`)
  }
})

const manyReturns = seconds(async () => {
  const task = ray.remote({ numReturns: returnCount }, returnLists)
  return async () => {
    for (const ref of task.remote(returnCount, listItems)) checkList(await ray.get(ref))
  }
})

/** Lists, which are decoded, and then arrays of 80 KB, which are not. */
const manyObjects = seconds(async () => {
  return async () => {
    for (const make of [ascendingList, ascendingArray]) {
      const refs = Array.from({ length: objectCount }, () => ray.put<Numbers>(make()))
      for (const list of await ray.get(refs)) checkList(list)
    }
  }
})

type Numbers = readonly number[] | Float64Array

/** As in Ray's benchmark every item counts, and the time that this takes does too. */
function checkList(list: Numbers): void {
  if (list.length !== listItems) throw new Error(`A list has ${list.length} items.`)
  if (Array.isArray(list)) checkItems(list)
  else checkArray(list as Float64Array)
}

function checkItems(list: readonly number[]): void {
  for (let i = 0; i < list.length; i++) if (list[i] !== i) throw new Error(`Item ${i} is wrong.`)
}

function checkArray(list: Float64Array): void {
  for (let i = 0; i < list.length; i++) if (list[i] !== i) throw new Error(`Item ${i} is wrong.`)
}

/** The workers are taken while the tasks are queued, and let go when all of them are. */
const queuedTasks = seconds(async () => {
  const blocker = ray.remote(async () => {
    const { signal } = ray.getRuntimeContext()
    await new Promise((resolve) => signal?.addEventListener('abort', resolve))
  })
  return async () => {
    const blockers = Array.from({ length: workerCount }, () => blocker.remote())
    const refs = new Array<ray.ObjectRef<string>>(queuedCount)
    for (let i = 0; i < queuedCount; i++) refs[i] = smallTask.remote()
    for (const ref of blockers) ray.cancel(ref)
    await ray.get(refs)
  }
})

export const envelopeProbes: ProbeTable = {
  '10 000 arguments to one task': manyArguments,
  '3000 returns of one task': manyReturns,
  '10 000 objects put and got at once': manyObjects,
  '1 000 000 queued tasks, submit and drain': queuedTasks,
}
