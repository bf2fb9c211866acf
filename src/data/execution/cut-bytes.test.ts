import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataHeldBytesMax } from '../../base/limits.js'
import { isStoredAnyway } from '../../base/stored-value.js'
import { blockOfColumns } from '../block/block.js'
import { type BlockRef, describeBlock } from '../block/metadata.js'
import { runPartitionTask } from '../physical/block-task.js'
import { CutBytes } from './cut-bytes.js'

const pending = (bytes: number) => {
  const metadata = Promise.resolve({ ...describeBlock(blockOfColumns({}), 0), bytes })
  return { block: {} as BlockRef, metadata }
}

test('parts are stored once more of them wait than the program may hold', async () => {
  const cut = new CutBytes()
  const half = pending(dataHeldBytesMax / 2)
  cut.add(half)
  cut.add(half)
  await half.metadata
  assert.deepEqual(cut.next({ index: 2 }), { index: 2 })
  const last = pending(1)
  cut.add(last)
  await last.metadata
  assert.deepEqual(cut.next({ index: 3 }), { index: 3, storesParts: true })
  const failed = { ...last, metadata: Promise.reject(new Error('lost')) }
  cut.add(failed)
  await assert.rejects(failed.metadata, /lost/)
})

test('a task marks the parts that it is told to store, but for those without rows', async () => {
  const by = { kind: 'random', seed: 1 } as const
  const block = blockOfColumns({ id: Float64Array.of(1, 2) })
  for (const storesParts of [true, false]) {
    const task = { index: 0, storesParts }
    const made = await runPartitionTask(task, [{ kind: 'partition', by, count: 8 }], block)
    const parts = made.slice(0, -1).map((part) => {
      return { hasRows: 'numRows' in part && part.numRows > 0, isStored: isStoredAnyway(part) }
    })
    assert.equal(parts.length, 8)
    for (const { hasRows, isStored } of parts) assert.equal(isStored, hasRows && storesParts)
  }
})
