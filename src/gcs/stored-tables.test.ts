import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Packr } from 'msgpackr/pack'
import { SessionError } from '../base/errors.js'
import { MemoryStorage } from './storage/memory-storage.js'
import { loadTables } from './stored-tables.js'

const packr = new Packr({ useRecords: false })

async function problemOf(bytes: Uint8Array): Promise<string> {
  const storage = new MemoryStorage()
  storage.apply([{ table: 'actors', key: '7/1', bytes }])
  try {
    await loadTables(storage)
  } catch (error) {
    assert.ok(error instanceof SessionError)
    return error.message
  }
  return 'none'
}

test('a row of a version that is not known is refused by table, key and version', async () => {
  const problem = await problemOf(packr.pack([99, { kind: 'live' }]))
  assert.match(problem, /Row 7\/1 of table actors has version 99, and typeray \S+ reads version 1/)
})

test('a row that is no row is refused', async () => {
  assert.match(
    await problemOf(packr.pack('oops')),
    /Row 7\/1 of table actors has version undefined/,
  )
  assert.match(
    await problemOf(packr.pack([1, 'a row that is cut']).subarray(0, 5)),
    /Row 7\/1 of table actors is damaged/,
  )
})
