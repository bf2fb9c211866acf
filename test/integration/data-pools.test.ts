// Functions and classes of the user on real workers: what they are given, what becomes of their
// errors, and what of workers that die in the middle.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import * as ray from '../../src/index.js'
import { col, DataContext, type Dataset, fromItems, range, readCsv } from '../../src/data/index.js'
import { inCluster, rejection } from './in-cluster.js'

const folder = mkdtempSync(path.join(tmpdir(), 'typeray-pools-'))
after(() => rmSync(folder, { recursive: true }))

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const idsOf = async (ds: Dataset<{ id: number }>): Promise<number[]> => {
  return (await ds.takeAll()).map(({ id }) => id)
}

/** Dies the first time that it comes to one of some rows: once per row, over all workers. */
function dieOnce(rows: ArrayLike<number>, at: readonly number[], marks: string): void {
  for (const row of at) {
    const mark = path.join(marks, `died-${row}`)
    if (!Array.from(rows).includes(row) || existsSync(mark)) continue
    writeFileSync(mark, '')
    process.kill(process.pid, 'SIGKILL')
  }
}

class Fragile {
  readonly at: readonly number[]
  readonly marks: string
  constructor(at: readonly number[], marks: string) {
    this.at = at
    this.marks = marks
  }
  call({ id }: { id: ArrayLike<number> }) {
    dieOnce(id, this.at, this.marks)
    return { id: Float64Array.from(id), size: new Int32Array(id.length).fill(id.length) }
  }
}

/** The same numbers for the same seed. */
function drawn(seed: number, count: number, below: number): number[] {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state % below
  })
}

inCluster(
  'functions of datasets on workers',
  { numCpus: 2, numGpus: 1 },
  {
    'an actor that dies in a batch of several blocks loses none of them': async () => {
      const marks = mkdtempSync(path.join(folder, 'marks-'))
      const made = await range(90, { overrideNumBlocks: 30 })
        .mapBatches(Fragile, {
          batchSize: 8,
          concurrency: { min: 1, max: 2 },
          numCpus: 0.25,
          fnConstructorArgs: [[13, 61], marks],
        })
        .takeAll()
      assert.deepEqual(
        made.map(({ id }) => id),
        numbers(90),
      )
      // Three blocks of three rows make a batch of eight, and leave one.
      assert.deepEqual(
        made.slice(0, 10).map(({ size }) => size),
        [8, 8, 8, 8, 8, 8, 8, 8, 1, 8],
      )
      assert.ok(existsSync(path.join(marks, 'died-13')) && existsSync(path.join(marks, 'died-61')))
    },

    'a constructor that throws is an error of the dataset, in every kind of pool': async () => {
      class Failing {
        constructor(what: string) {
          throw new RangeError(`no ${what}`)
        }
        call(row: { id: number }) {
          return row
        }
      }
      for (const concurrency of [1, { min: 1, max: 3 }]) {
        const options = { concurrency, fnConstructorArgs: ['room'], numCpus: 0.25 }
        const failed = await rejection(
          range(20, { overrideNumBlocks: 4 }).map(Failing, options).takeAll(),
        )
        assert.match(String(failed), /new Failing\(\) failed: RangeError: no room/)
        assert.ok((failed as Error).cause instanceof RangeError)
      }
    },

    'an error names the file, the rows and the function, and has its stack': async () => {
      const file = path.join(folder, 'numbers.csv')
      writeFileSync(file, `n\n${numbers(50).join('\n')}\n`)
      function parse({ n }: { n: bigint }): { n: number } {
        if (n === 41n) throw new TypeError('odd one')
        return { n: Number(n) }
      }
      const failed = (await rejection(readCsv<{ n: bigint }>(file).map(parse).takeAll())) as Error
      assert.match(failed.message, /map\(parse\) failed .*numbers\.csv: TypeError: odd one/)
      assert.match(String((failed.cause as Error).stack), /at parse .*data-pools\.test/)
      const inBatch = range(100, { overrideNumBlocks: 2 }).mapBatches(
        function halve({ id }): { id: number[] } {
          if (id.includes(77)) throw new TypeError('no')
          return { id: Array.from(id) }
        },
        { batchSize: 10 },
      )
      const batch = (await rejection(inBatch.takeAll())) as Error
      assert.match(batch.message, /mapBatches\(halve\) failed in rows 70 to 79 of range/)
    },

    'blocks that fail in a pool are left out, as many as may': async () => {
      class Picky {
        call(row: { id: number }) {
          if (row.id % 10 === 4) throw new RangeError(`no ${row.id}`)
          return row
        }
      }
      const context = DataContext.getCurrent()
      const picky = range(40, { overrideNumBlocks: 8 }).map(Picky, {
        concurrency: 1,
        numCpus: 0.25,
      })
      try {
        context.maxErroredBlocks = 4
        assert.deepEqual(
          await idsOf(picky),
          numbers(40).filter((id) => id % 10 >= 5),
        )
        context.maxErroredBlocks = 3
        assert.match(String(await rejection(picky.takeAll())), /RangeError: no 34/)
      } finally {
        context.maxErroredBlocks = 0
      }
    },

    'arguments that are refs, generators and async functions, in a pool of classes': async () => {
      const table = ray.put(Float64Array.from({ length: 100 }, (_, i) => 10 * i))
      class Look {
        readonly offset: number
        constructor(offset: number) {
          this.offset = offset
        }
        async *call({ id }: { id: ArrayLike<number> }, values: Float64Array) {
          for (let half = 0; half < 2; half++) {
            await Promise.resolve()
            const from = Array.from(id).filter((each) => each % 2 === half)
            yield { id: from, value: from.map((each) => (values[each] ?? 0) + this.offset) }
          }
        }
      }
      const looked = await range(100, { overrideNumBlocks: 5 })
        .mapBatches(Look, {
          fnArgs: [table],
          fnConstructorArgs: [ray.put(1)],
          concurrency: 2,
          numCpus: 0.25,
        })
        .sort('id')
        .takeAll()
      assert.deepEqual(
        looked,
        numbers(100).map((id) => ({ id, value: 10 * id + 1 })),
      )
    },

    'a class that asks for a GPU has one': async () => {
      class OnGpu {
        call({ id }: { id: number }) {
          return { id, gpus: ray.getGpuIds().map(String).join() }
        }
      }
      const rows = await range(6).map(OnGpu, { numGpus: 1, concurrency: 1, numCpus: 0.5 }).takeAll()
      assert.deepEqual(
        rows.map(({ id, gpus }) => [id, gpus]),
        numbers(6).map((id) => [id, '0']),
      )
    },

    'groups go through a class of which there are two instances': async () => {
      class Sizes {
        call(rows: { id: number; k: number }[]) {
          return [{ k: rows[0]?.k ?? -1, rows: rows.length, pid: process.pid }]
        }
      }
      const sizes = await range(700)
        .withColumn('k', col<number>('id').mod(7))
        .groupBy('k', { numPartitions: 4 })
        .mapGroups(Sizes, { batchFormat: 'rows', concurrency: 2, numCpus: 0.25 })
        .sort('k')
        .takeAll()
      assert.deepEqual(
        sizes.map(({ k, rows }) => [k, rows]),
        numbers(7).map((k) => [k, 100]),
      )
      assert.ok(new Set(sizes.map(({ pid }) => pid)).size <= 2)
    },

    'whatever dies in the middle of an exchange, its result is the same': async () => {
      const rows = 3000
      const names = fromItems(numbers(17).map((k) => ({ k, name: `n${k % 3}` })))
      const k = (id: number): number => (id * 31) % 17
      const seed = Number(process.env.SEED ?? 3)
      const at = drawn(seed, 1, rows)
      /** Workers die before the exchange and behind it. */
      const exchanged = async (
        exchange: (ds: Dataset<{ id: number; k: number }>) => Dataset<{ id: number }>,
      ): Promise<number[]> => {
        const marks = mkdtempSync(path.join(folder, 'marks-'))
        const source = range(rows, { overrideNumBlocks: 6 }).mapBatches(({ id }) => {
          dieOnce(id, at, marks)
          return { id, k: Int32Array.from(id, (each) => (each * 31) % 17) }
        })
        const behind = exchange(source).mapBatches(({ id }) => {
          const next = at.map((each) => (each + 1) % rows)
          dieOnce(id, next, marks)
          return { id: Float64Array.from(id) }
        })
        const ids = await idsOf(behind)
        for (const each of at) assert.ok(existsSync(path.join(marks, `died-${each}`)))
        return ids
      }
      const byKey = numbers(rows).sort((a, b) => k(a) - k(b) || a - b)
      assert.deepEqual(await exchanged((ds) => ds.sort(['k', 'id'])), byKey)
      const shuffled = await exchanged((ds) => ds.randomShuffle({ seed }))
      const again = range(rows, { overrideNumBlocks: 6 }).randomShuffle({ seed })
      assert.deepEqual(await idsOf(again), shuffled)
      const inOrder = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b)
      assert.deepEqual(inOrder(shuffled), numbers(rows))
      for (const options of [{ on: 'k' }, { on: 'k', numPartitions: 3 }]) {
        const joined = await exchanged((ds) => ds.join(names, options))
        assert.deepEqual(inOrder(joined), numbers(rows))
      }
    },
  },
)
