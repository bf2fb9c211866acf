import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workerProcess } from '../base/ids.js'
import { leaseRequestsLongMax } from '../base/limits.js'
import { bodyTag } from '../wire/frame.js'
import type { ToRaylet } from '../wire/messages/raylet.js'
import type { ClaimSlots } from './claim-slots.js'
import { ObjectRef } from './object-ref.js'
import type { ReferenceHolder } from './reference-holder.js'
import { ReplyWriter } from './reply-writer.js'
import { type FunctionEntry, Task } from './task.js'
import { type TaskOutcomes, TaskSubmitter } from './task-submitter.js'

const owner = workerProcess(1, 1)
const worker = workerProcess(1, 2)
const shortUs = 100
const longUs = 30_000

/** A submitter whose raylet grants and answers what the test says. */
class Submitting {
  readonly sent: ToRaylet[] = []
  readonly answered: number[] = []
  readonly submitter: TaskSubmitter
  #sequence = 0

  constructor() {
    const nothing = (): void => undefined
    this.submitter = new TaskSubmitter({
      process: owner,
      token: '',
      raylet: { send: (message) => void this.sent.push(message), flush: nothing },
      references: { forgetResult: nothing } as unknown as ReferenceHolder,
      claims: {} as ClaimSlots,
      outcomes: {
        taskAnswered: ({ ref }: Task) => void this.answered.push(ref.sequence),
      } as Partial<TaskOutcomes> as TaskOutcomes,
      now: () => 0,
      total: { CPU: 2 },
    })
  }

  /** Submits a task; its sequence is also the number of its lease request. */
  submit(fn: FunctionEntry): void {
    const task = new Task(new ObjectRef(owner, ++this.#sequence), fn)
    task.slab = new Uint8Array(64)
    task.end = task.slab.length
    const strategy = { kind: 'default' } as const
    const key = this.submitter.key({ resources: { CPU: 1 }, strategy, environment: '' })
    this.submitter.submit(task, key)
  }

  /** The raylet grants a lease, whose number is that of the request, with the task in it. */
  grant(request: number): void {
    const to = { lease: request, worker, pid: 1, address: '\0typeray-test-nobody', claimSlot: 0 }
    this.submitter.granted({ kind: 'leaseGranted', request, carried: true, ...to })
  }

  /** The worker has run the task that came with its lease. */
  answer(sequence: number, durationUs: number): void {
    const frames: Uint8Array[] = []
    const reply = new ReplyWriter((bytes) => void frames.push(bytes))
    reply.body(sequence, durationUs, Uint8Array.of(bodyTag.small, 0))
    reply.flush()
    this.submitter.relayed(sequence, Buffer.concat(frames))
  }

  get requested(): number[] {
    return this.sent.flatMap((each) => (each.kind === 'requestLease' ? [each.request] : []))
  }

  get returned(): number[] {
    return this.sent.flatMap((each) => (each.kind === 'returnLease' ? [each.lease] : []))
  }
}

const taking = (averageUs: number, more: Partial<FunctionEntry> = {}): FunctionEntry => ({
  number: 0,
  name: 'work',
  hash: 'hash',
  define: new Uint8Array(4),
  averageUs,
  measured: 10,
  ...more,
})

/** Of several tasks with a request each the first is run; gives the leases that were returned. */
function returnedAfter(
  fn: FunctionEntry,
  how: { readonly tasks: number; readonly durationUs: number },
): number[] {
  const submitting = new Submitting()
  for (let i = 0; i < how.tasks; i++) submitting.submit(fn)
  const all = Array.from({ length: how.tasks }, (_, i) => i + 1)
  assert.deepEqual(submitting.requested, all)
  submitting.grant(1)
  assert.deepEqual(submitting.returned, [])
  submitting.answer(1, how.durationUs)
  assert.deepEqual(submitting.answered, [1])
  submitting.submitter.close()
  return submitting.returned
}

test('an idle lease is handed back at once when long tasks wait at the raylet', () => {
  assert.deepEqual(returnedAfter(taking(longUs), { tasks: 3, durationUs: longUs }), [1])
})

test('a lease is kept when no task waits, or short ones do', () => {
  assert.deepEqual(returnedAfter(taking(longUs), { tasks: 1, durationUs: longUs }), [])
  assert.deepEqual(returnedAfter(taking(shortUs), { tasks: 3, durationUs: shortUs }), [])
})

test('a lease is kept while nobody knows how long the waiting tasks take', () => {
  const submitting = new Submitting()
  submitting.submit(taking(longUs))
  for (let i = 0; i < 2; i++) submitting.submit(taking(0, { number: 1, measured: 0 }))
  submitting.grant(1)
  submitting.answer(1, longUs)
  assert.deepEqual(submitting.returned, [])
  submitting.submitter.close()
})

test('a worker that may be about to end is not handed back, so that it runs no other task', () => {
  const fn = taking(longUs, { endsWorkers: true })
  assert.deepEqual(returnedAfter(fn, { tasks: 3, durationUs: longUs }), [])
})

test('a lease goes on with long tasks that are queued here', () => {
  const submitting = new Submitting()
  const fn = taking(longUs)
  // The last of them waits here as there may be no more requests, and the free lease is for it.
  for (let i = 0; i < leaseRequestsLongMax + 2; i++) submitting.submit(fn)
  submitting.grant(1)
  assert.equal(submitting.requested.length, leaseRequestsLongMax + 1)
  submitting.answer(1, longUs)
  assert.deepEqual(submitting.returned, [])
  submitting.submitter.close()
})
