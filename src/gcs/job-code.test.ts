import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JobCode } from './job-code.js'
import { pieceKey } from './package-store.js'
import type { StorageChange } from './storage/gcs-storage.js'
import { unpackRow } from './stored-row.js'

const bytes = Uint8Array.of(1, 2, 3)
const nobody = (): boolean => false

function define(code: JobCode, hash: string, jobId: string): void {
  code.functions.add({ hash, bytes, contains: [], jobId })
}

function pack(code: JobCode, hash: string, jobId: string): void {
  for (const index of [0, 1])
    code.packages.add({ kind: 'exportPackage', hash, index, count: 2, bytes, jobId })
}

/** What is left in storage after all changes so far. */
class Stored {
  readonly rows = new Map<string, Uint8Array>()

  take(code: JobCode): string[] {
    const changes = [...code.functions.takeChanges(), ...code.packages.takeChanges()]
    for (const change of changes) this.#apply(change)
    return [...this.rows.keys()].sort()
  }

  #apply({ table, key, bytes: row }: StorageChange): void {
    if (row === undefined) this.rows.delete(`${table} ${key}`)
    else this.rows.set(`${table} ${key}`, row)
  }
}

void test('what a job has defined and packed goes when it is over, from storage too', () => {
  const code = new JobCode()
  const stored = new Stored()
  define(code, 'f', 'job1')
  define(code, 'g', 'job2')
  pack(code, 'p', 'job1')
  assert.equal(stored.take(code).length, 7)
  code.finished('job1')
  assert.deepEqual(code.settle(nobody), ['f'])
  assert.deepEqual(stored.take(code), ['functionBytes g', 'functions g'])
  assert.equal(code.functions.fetch('f', 'node'), 'gone')
  assert.notEqual(code.functions.fetch('g', 'node'), 'gone')
  assert.deepEqual(
    code.packages.fetch({ hash: 'p', nodeId: 'node' }, () => undefined),
    [],
  )
  // A worker that has not heard of the end yet.
  define(code, 'late', 'job1')
  pack(code, 'late', 'job1')
  assert.equal(stored.take(code).length, 2)
})

void test('it stays for what the job has detached, and for other jobs that use it', () => {
  const code = new JobCode()
  const stored = new Stored()
  for (const jobId of ['job1', 'job2']) pack(code, 'p', jobId)
  define(code, 'f', 'job1')
  code.functions.use('f', 'job3')
  for (const jobId of ['job1', 'job2', 'job3']) code.finished(jobId)
  assert.deepEqual(
    code.settle((jobId) => jobId !== 'job1'),
    [],
  )
  assert.equal(stored.take(code).length, 5)
  assert.deepEqual(
    code.settle((jobId) => jobId === 'job3'),
    [],
  )
  assert.deepEqual(stored.take(code), ['functionBytes f', 'functions f'])
  assert.deepEqual(code.settle(nobody), ['f'])
  assert.deepEqual(stored.take(code), [])
})

void test('a GCS that starts again knows from its tables who uses what', () => {
  const [before, after] = [new JobCode(), new JobCode()]
  const stored = new Stored()
  define(before, 'f', 'job1')
  before.functions.use('f', 'job2')
  pack(before, 'p', 'job1')
  stored.take(before)
  const rowsOf = (table: 'functions' | 'packages'): never[] =>
    [...stored.rows].flatMap(([name, row]) => {
      const [of, key = ''] = name.split(' ')
      return of === table ? [unpackRow(table, { key, bytes: row }) as never] : []
    })
  after.functions.load(rowsOf('functions'))
  after.packages.load(rowsOf('packages'))
  after.finished('job1')
  assert.deepEqual(after.settle(nobody), [])
  const changes = after.packages.takeChanges().map(({ key }) => key)
  assert.deepEqual(changes, [pieceKey('p', 0), pieceKey('p', 1), 'p'])
  after.finished('job2')
  assert.deepEqual(after.settle(nobody), ['f'])
})
