import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Outbox } from './outbox.js'
import type { StorageChange } from './storage/gcs-storage.js'

const change = (key: string, byte: number): StorageChange => ({
  table: 'actors',
  key,
  bytes: Uint8Array.of(byte),
})

interface Disk {
  readonly said: string[]
  readonly batches: (readonly StorageChange[])[]
  readonly outbox: Outbox
  /** The batch under way is stored. */
  readonly stored: () => void
}

function disk(): Disk {
  const said: string[] = []
  const batches: (readonly StorageChange[])[] = []
  let done: (() => void) | undefined
  const outbox = new Outbox((changes, then) => {
    assert.equal(done, undefined, 'one batch at a time')
    batches.push(changes)
    done = then
  })
  const stored = (): void => {
    const then = done
    done = undefined
    then?.()
  }
  return { said, batches, outbox, stored }
}

test('what changes nothing is said at once', () => {
  const { said, batches, outbox } = disk()
  outbox.say(() => said.push('a'))
  assert.deepEqual(said, [], 'not before the event is handled')
  outbox.commit([])
  assert.deepEqual([said, batches], [['a'], []])
})

test('what is said waits for the rows of its event, and for those of earlier ones', () => {
  const { said, outbox, stored } = disk()
  outbox.say(() => said.push('a'))
  outbox.commit([change('1', 1)])
  outbox.say(() => said.push('b'))
  outbox.commit([])
  outbox.say(() => said.push('c'))
  outbox.commit([change('2', 1)])
  assert.deepEqual(said, [])
  stored()
  assert.deepEqual(said, ['a'], 'b was said when a later batch was open')
  stored()
  assert.deepEqual(said, ['a', 'b', 'c'])
})

test('rows that change while a batch is written are in one batch, each once', () => {
  const { batches, outbox, stored } = disk()
  outbox.commit([change('1', 1)])
  outbox.commit([change('1', 2), change('2', 1)])
  outbox.commit([change('1', 3)])
  stored()
  assert.deepEqual(batches, [[change('1', 1)], [change('1', 3), change('2', 1)]])
  stored()
  assert.equal(batches.length, 2)
})

test('keeps the order when what is said causes more', () => {
  const { said, outbox, stored } = disk()
  outbox.say(() => {
    said.push('a')
    outbox.say(() => said.push('c'))
    outbox.commit([change('2', 1)])
  })
  outbox.say(() => said.push('b'))
  outbox.commit([change('1', 1)])
  stored()
  assert.deepEqual(said, ['a', 'b'])
  stored()
  assert.deepEqual(said, ['a', 'b', 'c'])
})
