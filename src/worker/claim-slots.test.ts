import assert from 'node:assert/strict'
import { closeSync } from 'node:fs'
import { test } from 'node:test'
import { createMemory } from '../store/index.js'
import { claimSlotBytes } from '../wire/claim-slot.js'
import { ClaimSlots } from './claim-slots.js'

/** The same slots as an owner and as their worker see them. */
function withSlots(use: (owner: ClaimSlots, worker: ClaimSlots) => void): void {
  const memory = createMemory('typeray-test', 4 * claimSlotBytes)
  try {
    const [owner, worker] = [
      new ClaimSlots(process.pid, memory),
      new ClaimSlots(process.pid, memory),
    ]
    worker.prepare()
    use(owner, worker)
  } finally {
    closeSync(memory.fd)
  }
}

test('either the worker starts a task or its owner takes it back', () => {
  withSlots((owner, worker) => {
    worker.open(1, 5)
    worker.begin(1, 5)
    assert.equal(owner.announce(1, 5, 3), true)
    assert.equal(worker.claim(1, 5, 0), true)
    assert.equal(owner.stop(1, 5), 1)
    assert.equal(worker.claim(1, 5, 1), false)
    assert.equal(owner.stop(1, 5), -1)
    assert.equal(worker.shut(1), 3)
    assert.equal(owner.announce(1, 5, 4), false)
  })
})

test('an owner that looks late leaves other leases alone, also of the same remainder', () => {
  withSlots((owner, worker) => {
    const late = 7
    for (const lease of [late + 1, late + 2048, late + 5 * 2048]) {
      worker.open(2, lease)
      worker.begin(2, lease)
      assert.equal(owner.announce(2, late, 1), false)
      assert.equal(owner.stop(2, late), -1)
      assert.equal(worker.claim(2, lease, 0), true)
      assert.equal(worker.shut(2), 0)
    }
  })
})

test('nothing is taken back from a worker that has not mapped its slot', () => {
  withSlots((owner) => {
    for (const lease of [1, 2048, 4096]) {
      assert.equal(owner.stop(3, lease), -1)
      assert.equal(owner.announce(3, lease, 1), false)
    }
  })
})
