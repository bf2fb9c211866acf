// A class as an actor: one process keeps its state and answers calls in their order.
import * as ray from 'typeray'

class Counter {
  #count = 0

  increment(by = 1): number {
    this.#count += by
    return this.#count
  }
}

const RemoteCounter = ray.remote(Counter)
const counter = RemoteCounter.remote()
const counts = [1, 2, 3].map(() => counter.increment.remote())
console.log(await ray.get(counts)) // [ 1, 2, 3 ]

// The handle can be passed on: tasks on other workers count with the same counter.
const countTen = ray.remote(async (shared: typeof counter) => {
  for (let i = 0; i < 9; i++) shared.increment.remote()
  return ray.get(shared.increment.remote())
})
console.log(await ray.get(countTen.remote(counter))) // 13
