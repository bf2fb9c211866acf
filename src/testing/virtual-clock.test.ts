import assert from 'node:assert/strict'
import test from 'node:test'
import { VirtualClock } from './virtual-clock.js'

test('timers run in the order of their time, and of their setting within one instant', () => {
  const clock = new VirtualClock()
  const ran: string[] = []
  for (const [ms, name] of [
    [30, 'c'],
    [10, 'a'],
    [30, 'd'],
    [20, 'b'],
  ] as const) {
    clock.timer(ms, () => ran.push(`${name}@${clock.now()}`))
  }
  clock.advance(100)
  assert.deepEqual(ran, ['a@10', 'b@20', 'c@30', 'd@30'])
  assert.equal(clock.now(), 100)
})

test('a cancelled timer does not run, and a timer may set another', () => {
  const clock = new VirtualClock()
  const ran: number[] = []
  const cancel = clock.timer(5, () => ran.push(5))
  clock.timer(1, () => {
    cancel()
    clock.timer(2, () => ran.push(clock.now()))
  })
  clock.advance(10)
  assert.deepEqual(ran, [3])
  assert.equal(clock.step(), false)
})
