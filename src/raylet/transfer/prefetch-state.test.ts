import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workerProcess } from '../../base/ids.js'
import type { ObjectKey } from '../../wire/messages/terms.js'
import { PrefetchState, type PrefetchEvent } from './prefetch-state.js'

const owner = workerProcess(1, 1)
const [worker, other] = [workerProcess(2, 1), workerProcess(2, 2)]
const key = (sequence: number): ObjectKey => [owner, sequence]

class Script {
  readonly state = new PrefetchState()

  /** What follows, as `hint 1, unwanted 2`. */
  after(event: PrefetchEvent): string {
    const effects = this.state.handle(event)
    this.state.validate()
    return effects.map(({ kind, object }) => `${kind} ${object[1]}`).join(', ')
  }

  list(by: number, ...sequences: number[]): string {
    return this.after({ kind: 'list', by, objects: sequences.map(key) })
  }
}

void test('asks for what a list is the first to name, and drops what none names any more', () => {
  const script = new Script()
  assert.equal(script.list(worker, 1, 2, 2), 'hint 1, hint 2')
  assert.equal(script.list(other, 2, 3), 'hint 3')
  assert.equal(script.list(worker, 2), 'unwanted 1')
  assert.equal(script.list(worker), '')
  assert.equal(script.list(other), 'unwanted 2, unwanted 3')
})

void test('what has come counts until its task begins, or its copy is gone', () => {
  const script = new Script()
  script.list(worker, 1, 2)
  script.after({ kind: 'came', object: key(1), sizeBytes: 30 })
  script.after({ kind: 'came', object: key(2), sizeBytes: 40 })
  script.after({ kind: 'came', object: key(3), sizeBytes: 50 })
  assert.equal(script.state.heldBytes, 70)
  script.after({ kind: 'gone', object: key(2) })
  assert.equal(script.state.heldBytes, 30)
  assert.equal(script.list(worker, 2), 'unwanted 1')
  assert.equal(script.state.heldBytes, 0)
})
