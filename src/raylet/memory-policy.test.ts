import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseVictim, memoryReport, type MemoryUser } from './memory-policy.js'

let count = 0

function user(more: Partial<MemoryUser>): MemoryUser {
  count++
  return {
    start: String(count),
    pid: count,
    name: 'f',
    kind: 'task',
    owner: 1,
    isOnce: false,
    since: count,
    usedBytes: 50e6,
    ...more,
  }
}

test('the newest task that may run again ends first, whatever it uses', () => {
  const users = [
    user({ usedBytes: 900e6 }),
    user({}),
    user({ isOnce: true }),
    user({ kind: 'actor' }),
  ]
  assert.equal(chooseVictim(users), users[1])
})

test('an idle worker ends before all others when it keeps much', () => {
  const users = [user({ kind: 'idle', usedBytes: 20e6 }), user({})]
  assert.equal(chooseVictim(users), users[1])
  const large = user({ kind: 'idle', usedBytes: 200e6 })
  assert.equal(chooseVictim([...users, large]), large)
})

test('the owner with the most tasks gives the newest of them', () => {
  const users = [user({ owner: 1 }), user({ owner: 1 }), user({ owner: 2 })]
  assert.equal(chooseVictim(users), users[1])
})

test('tasks that may not run again come before actors, and nobody is better than nothing', () => {
  const actor = user({ kind: 'actor' })
  const once = user({ isOnce: true })
  assert.equal(chooseVictim([actor, once]), once)
  assert.equal(chooseVictim([actor]), actor)
  assert.equal(chooseVictim([]), undefined)
})

test('the report names the threshold, the usage and the largest workers', () => {
  const users = [user({ name: 'small' }), user({ name: 'leak', usedBytes: 400e6 })]
  const shortage = { what: 'the memory of this node', usedBytes: 960e6, limitBytes: 950e6 }
  const text = memoryReport(shortage, users)
  assert.match(text, /960 MB of at most 950 MB/)
  assert.match(text, /400 MB {2}pid=\d+ task leak\n.*50 MB {2}pid=\d+ task small/)
})
