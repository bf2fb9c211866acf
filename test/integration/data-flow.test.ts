// Datasets on real workers: pools of actors, readers in other processes, workers that die, and more
// rows than the object store has room for.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { until, withCluster } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import {
  type DataIterator,
  fromArrowRefs,
  fromItems,
  range,
  readImages,
} from '../../src/data/index.js'
import { listTasks } from '../../src/state/index.js'
import { inCluster } from './in-cluster.js'

class Scaler {
  readonly factor: number
  readonly offsets: Float64Array
  batches = 0

  constructor(factor: number, offsets: Float64Array) {
    this.factor = factor
    this.offsets = offsets
  }

  call({ id }: { id: ArrayLike<number> }) {
    this.batches++
    const scaled = Float64Array.from(id, (value) => value * this.factor + (this.offsets[0] ?? 0))
    return {
      scaled,
      pid: new Int32Array(id.length).fill(process.pid),
      batches: new Int32Array(id.length).fill(this.batches),
    }
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0)

inCluster(
  'datasets on workers',
  { numCpus: 2, objectStoreMemory: 200e6 },
  {
    'two actors of one CPU each, behind a read on two CPUs, finish': async () => {
      const offsets = ray.put(Float64Array.of(1))
      const scaled = range(20_000, { overrideNumBlocks: 20 })
        .map((row) => row, { numCpus: 0.5 })
        .mapBatches(Scaler, { fnConstructorArgs: [2, offsets], concurrency: 2 })
      const rows = await scaled.takeAll()
      assert.deepEqual(
        rows.map((row) => row.scaled),
        Array.from({ length: 20_000 }, (_, i) => 2 * i + 1),
      )
      // Instances are kept: there are more batches than actors.
      const pids = new Set(rows.map(({ pid }) => pid))
      assert.ok(pids.size <= 2, `${pids.size} actors`)
      assert.ok(Math.max(...rows.map(({ batches }) => batches)) > 1)
    },

    'one worker loads what reads images while another one looks at the files': async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'typeray-load-'))
      try {
        const raw = { width: 1, height: 1, channels: 3 } as const
        const png = await sharp(new Uint8Array(3), { raw }).png().toBuffer()
        writeFileSync(path.join(folder, 'a.png'), png)
        for (let i = 0; i < 2; i++) assert.equal((await readImages(folder).takeAll()).length, 1)
        const loads = async () => {
          return (await listTasks()).filter(({ name }) => name === 'runLoadReader')
        }
        await until(async () => (await loads()).some((task) => task.state === 'FINISHED'))
        assert.equal((await loads()).length, 1, 'once for all')
      } finally {
        rmSync(folder, { recursive: true })
      }
    },

    'a pool that has all CPUs reads for itself': async () => {
      const read = range(4000).mapBatches(Scaler, {
        fnConstructorArgs: [1, Float64Array.of(0)],
        concurrency: 2,
      })
      assert.equal(await read.count(), 4000)
      assert.deepEqual(
        read.stats().operators.map(({ name }) => name),
        ['range -> mapBatches(Scaler) -> count'],
      )
    },

    'a pool grows while its actors are busy': async () => {
      class Meeting {
        readonly pids = new Set<number>()
        join(pid: number) {
          return this.pids.add(pid).size
        }
      }
      const meeting = ray.remote(Meeting).options({ numCpus: 0 }).remote()
      class Waiting {
        // Nobody goes on before a second actor is there, for which the pool has to grow.
        async call(row: { id: number }) {
          while ((await ray.get(meeting.join.remote(process.pid))) < 2) {
            await new Promise((resolve) => setTimeout(resolve, 10))
          }
          return row
        }
      }
      const concurrency = { min: 1, max: 2 }
      const rows = await range(12, { overrideNumBlocks: 12 })
        .map(Waiting, { concurrency, numCpus: 0.25 })
        .takeAll()
      assert.deepEqual(
        rows.map(({ id }) => id),
        Array.from({ length: 12 }, (_, i) => i),
      )
    },

    'an actor that dies is started again, and loses no block': async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'typeray-fragile-'))
      class Fragile {
        readonly marker: string
        constructor(marker: string) {
          this.marker = marker
        }
        call({ id }: { id: number }) {
          // Of all attempts, the first dies of this row.
          if (id === 7 && !existsSync(this.marker)) {
            writeFileSync(this.marker, '')
            process.kill(process.pid, 'SIGKILL')
          }
          return { id }
        }
      }
      try {
        const rows = await range(40, { overrideNumBlocks: 40 })
          .map(Fragile, {
            concurrency: 1,
            numCpus: 0.25,
            fnConstructorArgs: [path.join(folder, 'died')],
          })
          .takeAll()
        assert.ok(existsSync(path.join(folder, 'died')))
        assert.deepEqual(
          rows.map(({ id }) => id),
          Array.from({ length: 40 }, (_, i) => i),
        )
      } finally {
        rmSync(folder, { recursive: true })
      }
    },

    'a worker that is killed in mid-pipeline changes nothing in the result': async () => {
      const ids: number[] = []
      let isKilled = false
      const slow = range(40, { overrideNumBlocks: 40 })
        .map(async ({ id }) => {
          await new Promise((resolve) => setTimeout(resolve, 10))
          return { id, pid: process.pid }
        })
        .map((row) => row, { numCpus: 0.5 })
      for await (const { id, pid } of slow) {
        ids.push(id)
        if (!isKilled) process.kill(pid, 'SIGKILL')
        isKilled = true
      }
      assert.deepEqual(
        ids,
        Array.from({ length: 40 }, (_, i) => i),
      )
    },

    'a function that ends its process is named, and where it was': async () => {
      const at = (run: (id: number) => void) => (row: { id: number }) => {
        if (row.id === 7) run(row.id)
        return row
      }
      const exits = range(20, { overrideNumBlocks: 2 }).map(at(() => process.exit(3)))
      const lost = / failed in rows 0 to 9 of range: WorkerCrashedError: .* with exit code 3\.$/
      await assert.rejects(exits.takeAll(), (error: Error) => {
        assert.match(error.message, lost)
        assert.ok(error.cause instanceof ray.WorkerCrashedError)
        return true
      })
      // Whatever comes behind it tells of it, and not of itself.
      await assert.rejects(exits.mapBatches((rows) => rows, { numCpus: 0.5 }).takeAll(), lost)
      class Exits {
        call(row: { id: number }) {
          if (row.id === 7) process.exit(4)
          return row
        }
      }
      const pool = range(20, { overrideNumBlocks: 2 }).map(Exits, { concurrency: 1, numCpus: 0.5 })
      await assert.rejects(pool.takeAll(), /map\(Exits\) failed in rows 0 to 9 of range: Actor/)
    },

    'two readers in other processes get the same number of rows, epoch by epoch': async () => {
      const halves = range(1000)
        .map(({ id }) => ({ id }))
        .streamingSplit(2, { equal: true })
      const read = ray.remote(async (rows: DataIterator<{ id: number }>) => {
        const epochs: number[][] = []
        for (let epoch = 0; epoch < 2; epoch++) {
          const ids: number[] = []
          for await (const batch of rows.iterBatches({ batchSize: 64 })) ids.push(...batch.id)
          epochs.push(ids)
        }
        return epochs
      })
      const [one = [], two = []] = await ray.get(halves.map((half) => read.remote(half)))
      for (const epoch of [0, 1]) {
        assert.deepEqual([one[epoch]?.length, two[epoch]?.length], [500, 500])
        const ids = [...(one[epoch] ?? []), ...(two[epoch] ?? [])].sort((a, b) => a - b)
        assert.deepEqual(
          ids,
          Array.from({ length: 1000 }, (_, i) => i),
        )
      }
    },

    'a part of a streamed split says what it is, and can be kept': async () => {
      const [one, two] = range(1000, { overrideNumBlocks: 7 }).streamingSplit(2, { equal: true })
      assert.ok(one !== undefined && two !== undefined)
      assert.deepEqual(await one.schema(), { names: ['id'], types: ['Float64'] })
      await assert.rejects(one.stats(), /nobody has begun to read yet/)
      const keep = ray.remote(async (rows: DataIterator<{ id: number }>) => {
        return await (await rows.materialize()).toArrowRefs()
      })
      const [refs, kept] = await Promise.all([ray.get(keep.remote(two)), one.materialize()])
      assert.match(String(await two.stats()), /range: 7 tasks, 1000 rows/)
      const other = fromArrowRefs<{ id: number }>(refs)
      assert.deepEqual([await kept.count(), await other.count()], [500, 500])
      const ids = await kept.union(other).sort('id').takeAll()
      assert.deepEqual(
        ids.map(({ id }) => id),
        Array.from({ length: 1000 }, (_, i) => i),
      )
    },

    'a reader that leaves early does not hold up the next epoch': async () => {
      const [one, two] = range(4000).streamingSplit(2)
      assert.ok(one !== undefined && two !== undefined)
      const count = async (rows: DataIterator<{ id: number }>, most: number) => {
        let seen = 0
        for await (const _row of rows) if (++seen === most) break
        return seen
      }
      const [few] = await Promise.all([count(one, 5), count(two, Infinity)])
      assert.equal(few, 5)
      assert.equal(sum(await Promise.all([count(one, Infinity), count(two, Infinity)])), 4000)
    },

    'the error of a streamed split is the error of the function': async () => {
      const [rows] = fromItems([{ id: 1 }])
        .map(function explode(): { id: number } {
          throw new RangeError('no')
        })
        .streamingSplit(1)
      await assert.rejects(async () => {
        for await (const row of rows ?? []) assert.fail(`read ${String(row)}`)
      }, /map\(explode\) failed at row 0 of fromItems: RangeError: no/)
    },

    'arguments that are refs are resolved in the worker': async () => {
      const table = ray.put(Float64Array.of(10, 20, 30))
      const looked = range(3).map(({ id }, values: Float64Array) => ({ value: values[id] ?? 0 }), {
        fnArgs: [table],
      })
      assert.deepEqual(
        (await looked.takeAll()).map(({ value }) => value),
        [10, 20, 30],
      )
    },
  },
)

test('ten times as much as the object store holds streams through it unspilled', () =>
  withCluster({ numCpus: 2, objectStoreMemory: 100e6 }, async ({ spillFiles }) => {
    const wide = range(200, { overrideNumBlocks: 200 })
      .mapBatches(({ id }) => ({ value: new Float64Array(625_000).fill(id[0] ?? 0) }))
      .mapBatches(({ value }) => ({ value }), { numCpus: 0.5 })
    let next = 0
    for await (const { value } of wide.iterBatches()) {
      assert.deepEqual([value[0], value.at(-1)], [next, next])
      next++
      assert.deepEqual(spillFiles(), [])
    }
    assert.equal(next, 200)
  }))
