import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResourcePool, devicesOf } from './resource-pool.js'
import { ResourceSet } from './resources.js'

const set = ResourceSet.from

test('adds and subtracts tenths without loss', () => {
  let left = set({ CPU: 1 })
  for (let i = 0; i < 10; i++) left = left.minus(set({ CPU: 0.1 }))
  assert.ok(left.isEmpty)
  assert.ok(left.plus(set({ CPU: 0.3 })).equals(set({ CPU: 0.1 + 0.2 })))
})

test('refuses amounts that make no sense, by name', () => {
  assert.throws(() => set({ magic: -1 }), /amount of magic/)
  assert.throws(() => set({ CPU: NaN }), /amount of CPU/)
  assert.throws(() => set({ GPU: 1.5 }), /more than one GPU must be a whole number/)
  assert.throws(() => set({ CPU: 0.00001 }), /at least 0.0001/)
  assert.throws(() => set({ '': 1 }), /must have a name/)
})

test('reads and writes the same amounts', () => {
  const amounts = { CPU: 1.5, GPU: 0.25, memory: 2 ** 37, custom: 3 }
  assert.deepEqual(set(amounts).toResources(), amounts)
  assert.equal(String(set({ GPU: 1, CPU: 2 })), '2 CPU, 1 GPU')
  assert.equal(String(set({ CPU: 0 })), 'nothing')
  assert.equal(String(set({ memory: 1.5 * 2 ** 30, CPU: 0.5 })), '0.5 CPU, 1.5 GiB memory')
  assert.notEqual(set({ memory: 2 ** 30 }).key(), set({ memory: 2 ** 30 + 1 }).key())
})

test('says what is lacking', () => {
  assert.deepEqual(set({ CPU: 2, GPU: 1 }).lacksIn(set({ CPU: 2 })), ['GPU'])
  assert.ok(set({ CPU: 2 }).fitsIn(set({ CPU: 2, GPU: 1 })))
})

test('availability may be below zero when a lent CPU is taken back', () => {
  const pool = new ResourcePool(set({ CPU: 1 }))
  const first = pool.allocate(set({ CPU: 1 }))
  assert.ok(first)
  pool.lend(set({ CPU: 1 }))
  const second = pool.allocate(set({ CPU: 1 }))
  assert.ok(second)
  pool.retake(set({ CPU: 1 }))
  assert.equal(pool.available.get('CPU'), -10_000)
  assert.equal(pool.allocate(set({ CPU: 0.5 })), undefined)
  assert.ok(pool.allocate(set({})), 'what needs nothing is not held up')
  pool.release(second)
  pool.release(first)
  pool.validate()
  assert.ok(pool.isWhole)
})

test('puts shares of a GPU together and keeps whole ones whole', () => {
  const pool = new ResourcePool(set({ GPU: 3 }))
  const shares = [0.5, 0.25, 0.25].map((GPU) => pool.allocate(set({ GPU })))
  assert.deepEqual(
    shares.map((share) => share && devicesOf(share, 'GPU')),
    [[0], [0], [0]],
  )
  const two = pool.allocate(set({ GPU: 2 }))
  assert.deepEqual(two && devicesOf(two, 'GPU'), [1, 2])
  pool.validate()
})

test('two halves of different GPUs are not one GPU', () => {
  const pool = new ResourcePool(set({ GPU: 2 }))
  const shares = [0.6, 0.6].map((GPU) => pool.allocate(set({ GPU })))
  assert.ok(shares.every((share) => share !== undefined))
  assert.deepEqual(pool.lacks(set({ GPU: 0.8 })), ['GPU'])
  assert.equal(pool.canAllocate(set({ GPU: 0.8 })), false)
  assert.ok(pool.canEverAllocate(set({ GPU: 2 })))
  assert.equal(pool.canEverAllocate(set({ GPU: 3 })), false)
})

test('a bundle consists of the devices that the node gave it', () => {
  const node = new ResourcePool(set({ CPU: 4, GPU: 2 }))
  node.allocate(set({ GPU: 1 }))
  const given = node.allocate(set({ CPU: 2, GPU: 1 }))
  assert.ok(given)
  const bundle = new ResourcePool(given.resources, given.devices)
  const half = bundle.allocate(set({ GPU: 0.5 }))
  assert.deepEqual(half && devicesOf(half, 'GPU'), [1])
  bundle.validate()
})
