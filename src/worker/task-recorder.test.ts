import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskEvents } from '../wire/messages/state.js'
import { howOf, TaskRecorder } from './task-recorder.js'

void test('a failure is told at once, those soon after it together', () => {
  const reports: TaskEvents[] = []
  const recorder = new TaskRecorder((events) => reports.push(events))
  for (const sequence of [1, 2, 3]) {
    const task = { from: { owner: 1 }, sequence, attempt: 0 }
    recorder.failed(task, { name: 'a', error: new Error('no'), durationUs: 1 })
  }
  assert.deepEqual(
    reports.map(({ count }) => count),
    [1],
  )
  recorder.report()
  assert.equal(reports[1]?.count, 2)
})

void test('a report has the names of its own tasks and of no earlier ones', () => {
  const reports: TaskEvents[] = []
  const recorder = new TaskRecorder((events) => reports.push(events))
  for (const name of ['a', 'b', 'a']) {
    const task = { from: { owner: 1 }, sequence: 1, attempt: 0 }
    recorder.timed(recorder.add(task, howOf(recorder.nameNumber(name), 0)), 0, 1)
    recorder.report()
  }
  assert.deepEqual(
    reports.map(({ names }) => names),
    [['a'], ['b'], ['a']],
  )
})
