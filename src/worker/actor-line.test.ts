import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ActorLine, type ActorLinePorts } from './actor-line.js'
import { LiveTaskList } from './live-tasks.js'
import { ObjectRef } from './object-ref.js'
import { type FunctionEntry, Task } from './task.js'

const entry = { number: 0, name: 'work' } as FunctionEntry

test('calls of an unordered actor that wait for their arguments are listed', () => {
  const line = new ActorLine([1, 1], 'Counter', {} as ActorLinePorts)
  line.isUnordered = true
  line.append(new Task(new ObjectRef(1, 2), entry))
  const list = new LiveTaskList()
  line.listLive(list)
  assert.deepEqual(
    list.tasks.map(({ name, state }) => [name, state]),
    [['Counter.work', 'PENDING_NODE_ASSIGNMENT']],
  )
})
