// Datasets on several nodes, some of which, or some of whose workers, die in the middle.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { col, Count, range, readCsv, readParquet, Sum } from '../../src/data/index.js'
import { listActors } from '../../src/state/index.js'
import type { SessionFile } from '../../src/node/session-file.js'
import { until } from '../../src/testing/index.js'
import { onNodes } from './on-nodes.js'

const blocks = 8
const rowsPerBlock = 500
const ids = Array.from({ length: blocks * rowsPerBlock }, (_, id) => id)

/**
 * Notes in a folder which node has come to which block. Blocks from `holdsFrom` on wait there until
 * the test goes on, which it does when it has killed somebody.
 */
async function arrive(folder: string, block: number, holdsFrom: number): Promise<void> {
  const { nodeId } = ray.getRuntimeContext()
  fs.writeFileSync(path.join(folder, `at-${block}-${nodeId}-${process.pid}`), '')
  while (block >= holdsFrom && !fs.existsSync(path.join(folder, 'go'))) await delay(5)
}

interface Arrival {
  readonly block: number
  readonly nodeId: string
  readonly pid: number
}

const arrivals = (folder: string): Arrival[] =>
  fs.readdirSync(folder).flatMap((name) => {
    const [, block, nodeId = '', pid] = /^at-(\d+)-(\w+)-(\d+)$/.exec(name) ?? []
    return block === undefined ? [] : [{ block: Number(block), nodeId, pid: Number(pid) }]
  })

/** A dataset whose blocks arrive, each in a task of its own. */
const arriving = (folder: string, holdsFrom: number) =>
  range(ids.length, { overrideNumBlocks: blocks }).mapBatches(async ({ id }) => {
    await arrive(folder, (id[0] ?? 0) / rowsPerBlock, holdsFrom)
    return { id, key: id.map((value) => value % 7) }
  })

/** Runs `body` with a folder for arrivals and one for files, which all nodes see. */
async function inFolders(body: (notes: string, files: string) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'typeray-nodes-'))
  const notes = path.join(folder, 'notes')
  fs.mkdirSync(notes)
  try {
    await body(notes, path.join(folder, 'files'))
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

/** When the block is being worked on, and the node has come to one: kills, and lets all go on. */
async function strike(
  notes: string,
  { nodeId, block, kill }: { nodeId: string; block: number; kill: (at: Arrival) => unknown },
): Promise<void> {
  const seen = (): Arrival | undefined => {
    const all = arrivals(notes)
    const isThere = all.some((arrival) => arrival.block >= block)
    return isThere ? all.findLast((arrival) => arrival.nodeId === nodeId) : undefined
  }
  await until(() => seen() !== undefined)
  const at = seen()
  assert.ok(at !== undefined)
  await kill(at)
  fs.writeFileSync(path.join(notes, 'go'), '')
}

test('two nodes read, shuffle, write and read back what one would', () =>
  onNodes(2, () =>
    inFolders(async (notes, files) => {
      await arriving(notes, Infinity).writeParquet(path.join(files, 'parquet'))
      await arriving(notes, Infinity).writeCsv(path.join(files, 'csv'), { partitionCols: ['key'] })
      const seen = new Set(arrivals(notes).map(({ nodeId }) => nodeId))
      assert.equal(seen.size, 2)

      const nodes = readParquet<{ id: number; key: number }>(path.join(files, 'parquet'), {
        overrideNumBlocks: 4,
      })
        .map(({ id }) => ({ id, nodeId: ray.getRuntimeContext().nodeId }))
        .randomShuffle({ seed: 5 })
      const shuffled = await nodes.takeAll()
      assert.deepEqual(
        shuffled.map(({ id }) => id).sort((a, b) => a - b),
        ids,
      )
      assert.equal(new Set(shuffled.map(({ nodeId }) => nodeId)).size, 2)
      assert.deepEqual(
        (await nodes.takeAll()).map(({ id }) => id),
        shuffled.map(({ id }) => id),
      )

      const groups = readCsv<{ id: bigint; key: bigint }>(path.join(files, 'csv'))
        .filter(col('key').lt(2))
        .groupBy('key')
        .aggregate(Count(), Sum('id'))
        .sort('key')
      const expected = [0, 1].map((key) => {
        const own = ids.filter((id) => id % 7 === key)
        return [key, own.length, own.reduce((sum, id) => sum + id, 0)]
      })
      const found = (await groups.takeAll()).map((row) => Object.values(row).map(Number))
      assert.deepEqual(found, expected)
    }),
  ))

test('a node that dies in mid-shuffle, or in mid-write, changes nothing in the result', () =>
  onNodes(2, async ({ kill, join }, [first, second]) => {
    assert.ok(first !== undefined && second !== undefined)
    const shuffleWhile = (victim: SessionFile) =>
      inFolders(async (notes) => {
        const shuffled = arriving(notes, 4).randomShuffle({ seed: 9 })
        const struck = strike(notes, { nodeId: victim.nodeId, block: 4, kill: () => kill(victim) })
        const [found] = await Promise.all([shuffled.takeAll(), struck])
        assert.deepEqual(
          found.map(({ id }) => id).sort((a, b) => a - b),
          ids,
        )
        // The same seed gives the same order, on however many nodes.
        const again = await arriving(notes, Infinity).randomShuffle({ seed: 9 }).takeAll()
        assert.deepEqual(
          found.map(({ id }) => id),
          again.map(({ id }) => id),
        )
      })
    await shuffleWhile(second)
    const third = await join({ numCpus: 1 })
    await inFolders(async (notes, files) => {
      const to = path.join(files, 'out')
      const struck = strike(notes, { nodeId: third.nodeId, block: 5, kill: () => kill(third) })
      const [written] = await Promise.all([arriving(notes, 5).writeCsv(to), struck])
      assert.deepEqual(
        fs.readdirSync(to).sort(),
        written.map((file) => path.basename(file)),
      )
      const back = await readCsv<{ id: bigint }>(to).takeAll()
      assert.deepEqual(
        back.map(({ id }) => Number(id)),
        ids,
      )
    })
    // What a node that dies had of the parts is made again while others are put together.
    const fourth = await join({ numCpus: 1 })
    await inFolders(async (notes) => {
      const found: number[] = []
      let isKilled = false
      for await (const { id } of arriving(notes, Infinity).sort('key').iterBatches()) {
        found.push(...Array.from(id))
        if (!isKilled) await kill(fourth)
        isKilled = true
      }
      const expected = ids.toSorted((a, b) => (a % 7) - (b % 7) || a - b)
      assert.deepEqual(found, expected)
    })
  }))

test('a node that dies while a dataset is split for readers takes no rows with it', () =>
  onNodes(2, ({ kill, sessions: [head] }, [, second]) =>
    inFolders(async (notes) => {
      assert.ok(head !== undefined && second !== undefined)
      const readers = arriving(notes, 4).streamingSplit(2, { equal: true })
      const { nodeId } = second
      const struck = strike(notes, { nodeId, block: 4, kill: () => kill(second) })
      const read = readers.map(async (reader) => {
        const found: number[] = []
        for await (const { id } of reader.iterBatches({ batchSize: 64 })) found.push(...id)
        return found
      })
      const [one = [], two = []] = await Promise.all(read)
      await struck
      assert.equal(one.length, two.length)
      assert.deepEqual(
        [...one, ...two].sort((a, b) => a - b),
        ids,
      )
      // Whoever divides the rows is where the program is, and cannot be lost without it.
      const actors = await listActors({ filters: [['className', '=', 'SplitCoordinator']] })
      assert.deepEqual(
        actors.map((actor) => actor.nodeId),
        [head.nodeId],
      )
    }),
  ))

test('a worker that dies in mid-shuffle on another node changes nothing in the result', () =>
  onNodes(2, (_nodes, [, second]) =>
    inFolders(async (notes) => {
      assert.ok(second !== undefined)
      const joined = arriving(notes, 4)
        .randomShuffle({ seed: 2 })
        .join(range(7).renameColumns({ id: 'key' }), { on: 'key' })
        .groupBy('key')
        .aggregate(Count())
        .sort('key')
      const kill = ({ pid }: Arrival): void => void process.kill(pid, 'SIGKILL')
      const struck = strike(notes, { nodeId: second.nodeId, block: 4, kill })
      const [found] = await Promise.all([joined.takeAll(), struck])
      const expected = Array.from({ length: 7 }, (_, key) => [
        key,
        ids.filter((id) => id % 7 === key).length,
      ])
      assert.deepEqual(
        found.map((row) => Object.values(row).map(Number)),
        expected,
      )
    }),
  ))
