import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FilePiece, FoundFile } from '../datasource/files.js'
import { piecesOfTasks } from './plan-reads.js'

const mb = 1024 * 1024

/** Files of one piece each. */
function filesOf(sizes: readonly number[]): readonly FoundFile[] {
  return sizes.map((bytes, i) => {
    const path = `/data/${i}.parquet`
    const piece: FilePiece = { path, start: 0, length: 10, fileLength: 10, rows: 10, bytes }
    return { path, pieces: [piece] }
  })
}

function countsOf(files: readonly FoundFile[], cpus: number, asked?: number): readonly number[] {
  const groups = piecesOfTasks(files, asked, cpus)
  const paths = groups.flat().map(({ path }) => path)
  assert.deepEqual(
    paths,
    files.map(({ path }) => path),
  )
  return groups.map((group) => group.length)
}

test('every CPU has as many tasks, and these as much to read', () => {
  assert.deepEqual(countsOf(filesOf(new Array<number>(36).fill(0.35 * mb)), 2), [9, 9, 9, 9])
  assert.deepEqual(countsOf(filesOf(new Array<number>(40).fill(0.1 * mb)), 2), [20, 20])
  assert.equal(countsOf(filesOf(new Array<number>(1000).fill(mb)), 2).length, 16)
  assert.equal(countsOf(filesOf(new Array<number>(80).fill(mb / 8)), 16).length, 10)
})

test('a little data is one task, and none is none', () => {
  assert.deepEqual(countsOf(filesOf([1000, 1000, 1000]), 8), [3])
  assert.deepEqual(countsOf([], 8), [])
})

test('where pieces are large no task has more than a block of them', () => {
  const sizes = [40, 40, 20, 20, 70].map((size) => size * mb)
  const files = filesOf([...sizes, ...sizes, ...sizes, ...sizes])
  for (const group of piecesOfTasks(files, undefined, 1)) {
    const bytes = group.reduce((sum, piece) => sum + piece.bytes, 0)
    assert.ok(bytes <= 64 * mb || group.length === 1)
  }
})

test('as many tasks as are asked for, where there are pieces enough', () => {
  assert.deepEqual(countsOf(filesOf(new Array<number>(12).fill(mb)), 2, 3), [4, 4, 4])
  assert.equal(countsOf(filesOf(new Array<number>(12).fill(mb)), 2, 12).length, 12)
})
