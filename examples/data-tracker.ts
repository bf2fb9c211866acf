// Tasks that report to an actor: every look-up counts itself, whichever worker it runs on.
import * as ray from 'typeray'

const words = 'Learning Ray Flexible Distributed Python for Machine Learning'.split(' ')

class DataTracker {
  #counts = 0

  increment(): void {
    this.#counts++
  }

  counts(): number {
    return this.#counts
  }
}

const tracker = ray.remote(DataTracker).remote()
const database = ray.put(words)

const retrieve = ray.remote(async (item: number, counter: typeof tracker, db: string[]) => {
  await ray.get(counter.increment.remote())
  return `${item} ${db[item]}`
})

const refs = words.map((_, item) => retrieve.remote(item, tracker, database))
console.log(await ray.get(refs))
console.log(`retrieved ${await ray.get(tracker.counts.remote())} items`) // retrieved 8 items
