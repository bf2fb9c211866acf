import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ToRaylet } from '../wire/messages/raylet.js'
import { CallRunner, type Job } from './call-runner.js'
import type { CoreWorker } from './core-worker.js'
import type { OwnerConnection } from './owner-connection.js'

const nothing = (): void => undefined

/** As much of a worker as a call asks for that returns a number. */
function someWorker(): { core: CoreWorker; sent: ToRaylet[] } {
  const sent: ToRaylet[] = []
  const core = {
    now: () => 0,
    values: { bodyOf: () => ({ body: new Uint8Array([1]), refs: [] }) },
    raylet: { send: (message: ToRaylet) => sent.push(message) },
  }
  return { core: core as unknown as CoreWorker, sent }
}

function connectionOf(owner: number): OwnerConnection {
  const replies = { small: () => true, body: nothing }
  return { owner, isRelay: false, replies } as unknown as OwnerConnection
}

/** Answers task 5 of the connection. */
function answer(runner: CallRunner, from: OwnerConnection): void {
  const fn = { run: () => 1, isInterruptible: false, measure: nothing }
  const task = { from, sequence: 5, flags: 0 }
  const extension = { events: false }
  const context = { isCancelled: false }
  void runner.run({ task, fn, name: 'f', context, returns: 1, extension } as unknown as Job, [])
}

test('a note of an escape outlives other connections of its owner, and goes with the last', () => {
  const { core, sent } = someWorker()
  const runner = new CallRunner(core)
  const [old, current] = [connectionOf(7), connectionOf(7)]
  runner.escape(current, 5)
  runner.abandon(old, [current, connectionOf(8)])
  answer(runner, current)
  assert.deepEqual(
    sent.map(({ kind }) => kind),
    ['settle'],
  )

  runner.escape(current, 5)
  runner.abandon(current, [connectionOf(8)])
  answer(runner, connectionOf(7))
  assert.equal(sent.length, 1)
})
