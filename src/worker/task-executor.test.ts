import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FromRaylet, ToRaylet } from '../wire/messages/raylet.js'
import type { CoreWorker } from './core-worker.js'
import { TaskExecutor } from './task-executor.js'

/** As much of a worker as an executor without a task asks for. */
function idleWorker() {
  const sent: ToRaylet[] = []
  const nothing = (): void => undefined
  const core = {
    claims: { isReady: false, open: nothing, begin: nothing, carry: nothing },
    welcome: { claimSlot: -1, resources: {} },
    raylet: { send: (message: ToRaylet) => sent.push(message) },
    now: () => 0,
  } as unknown as CoreWorker
  return { executor: new TaskExecutor(core), sent }
}

function opened(lease: number, frames?: Uint8Array): Extract<FromRaylet, { kind: 'leaseOpened' }> {
  const carried = frames === undefined ? {} : { frames }
  return { kind: 'leaseOpened', lease, owner: 7, resources: {}, gpus: [], jobId: '1', ...carried }
}

void test('nothing is left of a lease that its owner returned when the next one begins', () => {
  const { executor } = idleWorker()
  executor.leaseOpened(opened(1, new Uint8Array(0)))
  assert.equal(executor.hasConnections, true)
  executor.leaseOpened(opened(2))
  assert.equal(executor.hasConnections, false)
})

void test('a lease is not closed because the one before was recalled', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { executor, sent } = idleWorker()
  executor.leaseOpened(opened(1))
  executor.recalled(1, { ownerDied: false })
  executor.leaseOpened(opened(2))
  t.mock.timers.runAll()
  assert.deepEqual(sent, [])
})
