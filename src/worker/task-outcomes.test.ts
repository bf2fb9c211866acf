import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyTag } from '../wire/frame.js'
import { ObjectRef } from './object-ref.js'
import { Task } from './task.js'
import { type OutcomePorts, TaskSettler } from './task-outcomes.js'

/** A body that says of two results that they are stored by process 7. */
function bothStored(): Uint8Array {
  const part = new Uint8Array(13)
  part[0] = bodyTag.stored
  part[7] = 7
  const sized = [part.length, 0, 0, 0, ...part]
  return Uint8Array.from([bodyTag.several, 2, 0, 0, 0, ...sized, ...sized])
}

test('a task that was run again for one of its results has made the others too', () => {
  const made: (readonly [number, Task | null])[] = []
  const settler = new TaskSettler({
    references: { hold: () => undefined, settled: () => undefined },
    stored: (ref: ObjectRef, _: number, task: Task | null) => void made.push([ref.sequence, task]),
  } as unknown as OutcomePorts)
  const [lost, present] = [new ObjectRef(1, 1), new ObjectRef(1, 2)]
  const task = new Task(lost, {
    number: 1,
    name: 'f',
    hash: '',
    define: null,
    averageUs: 0,
    measured: 0,
  })
  task.returns = [lost, present]
  lost.task = task
  settler.answered(task, bothStored())
  assert.deepEqual(
    made.map(([sequence, by]) => [sequence, by === task]),
    [
      [1, true],
      [2, true],
    ],
  )
})
