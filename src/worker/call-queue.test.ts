import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../base/prng.js'
import { CallQueue } from './call-queue.js'
import type { Task } from './task.js'

const call = (id: number): Task => ({ id }) as unknown as Task

test('does what a list does, whatever is put in at both ends', () => {
  const prng = new Prng(7)
  const queue = new CallQueue()
  let model: Task[] = []
  for (let i = 0; i < 20_000; i++) {
    const dice = prng.integer(0, 99)
    if (dice < 45) {
      model.push(call(i))
      queue.push(model.at(-1)!)
    } else if (dice < 85) {
      assert.equal(queue.first, model[0] ?? null)
      if (model.length > 0) {
        model.shift()
        queue.shift()
      }
    } else if (dice < 99) {
      const back = Array.from({ length: prng.integer(0, 40) }, (_, k) => call(i + k / 100))
      queue.unshift(back)
      model = [...back, ...model]
    } else if (dice === 99 && i % 7 === 0) {
      assert.deepEqual(queue.take(), model)
      model = []
    }
    assert.equal(queue.size, model.length)
    const some = model[prng.integer(0, Math.max(1, model.length))]
    if (some !== undefined) assert.equal(queue.indexOf(some), model.indexOf(some))
  }
  assert.deepEqual([...queue], model)
  assert.equal(queue.indexOf(call(1)), -1)
})

test('a call that comes back again and again does not move those behind it', () => {
  const queue = new CallQueue()
  for (let i = 0; i < 200_000; i++) queue.push(call(i))
  const first = queue.first!
  for (let i = 0; i < 200_000; i++) {
    queue.shift()
    queue.unshift([first])
  }
  assert.equal(queue.size, 200_000)
  assert.equal(queue.first, first)
})
