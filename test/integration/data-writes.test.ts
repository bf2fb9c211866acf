// Writes that lose their workers, their disk or their last block: what readers find is either all
// of a write or nothing of it, and nothing else is left behind.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as ray from '../../src/index.js'
import {
  type Dataset,
  type FilenameProvider,
  fromColumns,
  range,
  readCsv,
  readJson,
  readParquet,
} from '../../src/data/index.js'
import { Prng } from '../../src/base/prng.js'
import { startS3 } from '../contract/s3-server.js'
import { inCluster, rejection } from './in-cluster.js'

const rows = 600
const blocks = 6

type Row = { id: number; group: number }
type Write = 'writeParquet' | 'writeCsv' | 'writeJson'

const numbers = (): Dataset<Row> =>
  range(rows, { overrideNumBlocks: blocks }).map(({ id }) => ({ id, group: id % 3 }))

const readers = {
  writeParquet: (folder: string, options: object) => readParquet<Row>(folder, options),
  writeCsv: (folder: string, options: object) => readCsv<Row>(folder, options),
  writeJson: (folder: string, options: object) => readJson<Row>(folder, options),
} as const

const extensions = { writeParquet: 'parquet', writeCsv: 'csv', writeJson: 'json' } as const

/**
 * Names files, and kills its worker before it writes one of them, the first time: the blocks before
 * have been written, and parts of this one.
 */
function killer(write: Write, at: { block: number; slice: number }): FilenameProvider {
  const extension = extensions[write]
  return {
    getFilenameForBlock: (_block, { taskIndex, blockIndex }) => {
      const { attempt } = ray.getRuntimeContext() as { attempt?: number }
      if (attempt === 0 && taskIndex === at.block && blockIndex === at.slice) {
        process.kill(process.pid, 'SIGKILL')
      }
      return `${String(taskIndex).padStart(3, '0')}-${blockIndex}.${extension}`
    },
  }
}

async function idsOf(write: Write, folder: string, options: object = {}): Promise<number[]> {
  const found = await readers[write](folder, options).takeAll()
  return found.map(({ id }) => Number(id)).sort((a, b) => a - b)
}

const all = Array.from({ length: rows }, (_, id) => id)

/** All files below a folder, hidden ones too. */
const everything = (folder: string): string[] =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort()

const ours = (): string[] =>
  fs.readdirSync(tmpdir()).filter((name) => /^typeray-output-/.test(name))

const folder = fs.mkdtempSync(path.join(tmpdir(), 'typeray-writes-'))

inCluster(
  'Writes of datasets',
  { numCpus: 2 },
  {
    'a worker that dies in mid-write costs nothing and leaves nothing': async () => {
      const prng = new Prng(7)
      const writes = [
        ['writeParquet', []],
        ['writeCsv', ['group']],
        ['writeJson', ['group']],
      ] as const
      for (const [write, partitionCols] of writes) {
        const at = { block: prng.integer(0, blocks - 1), slice: prng.integer(0, 1) }
        const to = path.join(folder, write)
        const options = { filenameProvider: killer(write, at), maxRowsPerFile: 50, partitionCols }
        const files = await numbers()[write](to, options)
        assert.deepEqual(await idsOf(write, to), all, JSON.stringify({ write, at }))
        assert.equal(files.length, (rows / 50) * (partitionCols.length === 0 ? 1 : 3))
        assert.deepEqual(everything(to), files.map((file) => path.basename(file)).sort())
        assert.deepEqual(
          fs.readdirSync(to).filter((name) => name.startsWith('.')),
          [],
        )
      }
    },

    'a write that fails leaves what was there, and nothing of its own': async () => {
      const to = path.join(folder, 'fails')
      await numbers().writeParquet(to)
      const before = everything(to)
      const broken = numbers().map((row) => {
        if (row.id === 550) throw new Error('no')
        return { id: -row.id, group: 0 }
      })
      assert.match(String(await rejection(broken.writeParquet(to))), /row 550 of range.*Error: no/)
      assert.deepEqual(everything(to), before)
      assert.deepEqual(await idsOf('writeParquet', to), all)
      const always: FilenameProvider = {
        getFilenameForBlock: (_block, { taskIndex }) => {
          if (taskIndex === 3) process.kill(process.pid, 'SIGKILL')
          return `${taskIndex}.parquet`
        },
      }
      const lost = numbers().writeParquet(path.join(folder, 'lost'), { filenameProvider: always })
      assert.match(String(await rejection(lost)), /WorkerCrashedError/)
      assert.equal(fs.existsSync(path.join(folder, 'lost')), false)
    },

    'a sink that throws hears of it, and one whose worker dies gets the block again': async () => {
      const heard: string[] = []
      const failing = {
        write: (block: { numRows: number }, { index }: { index: number }) => {
          if (index === 2) throw new Error('the sink is full')
          return block.numRows
        },
        onWriteComplete: () => void heard.push('complete'),
        onWriteFailed: (error: unknown) => void heard.push(String(error)),
      }
      const error = await rejection(numbers().writeDatasink(failing))
      assert.match(String(error), /the sink is full/)
      assert.deepEqual([heard.length, /the sink is full/.test(heard[0] ?? '')], [1, true])
      const dying = {
        write: (block: { numRows: number }, { index }: { index: number }) => {
          const { attempt } = ray.getRuntimeContext() as { attempt?: number }
          if (index === 4 && attempt === 0) process.kill(process.pid, 'SIGKILL')
          return [index, block.numRows]
        },
      }
      const results = await numbers().writeDatasink(dying)
      assert.deepEqual(
        results,
        Array.from({ length: blocks }, (_, i) => [i, 100]),
      )
    },

    'a full disk is an error that names the file, and is free again after it': async () => {
      const disk = path.join(folder, 'disk')
      fs.mkdirSync(disk)
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' })
      } catch {
        // Only root may make a small disk.
        return
      }
      try {
        const to = path.join(disk, 'out')
        await range(100).writeCsv(to)
        const before = everything(disk)
        const large = range(8, { overrideNumBlocks: 8 }).flatMap(({ id }) => {
          return Array.from({ length: 5000 }, (_, i) => ({ id, text: `${i}-${'x'.repeat(40)}` }))
        })
        for (const write of ['writeCsv', 'writeParquet', 'writeJson'] as const) {
          const error = await rejection(large[write](to, { compression: 'none' }))
          assert.match(String(error), new RegExp(`${write}: .*part-0000\\d.*No space left`), write)
          assert.deepEqual(everything(disk), before)
          assert.deepEqual(fs.readdirSync(disk), ['out'])
        }
        assert.equal((await idsOf('writeCsv', to)).length, 100)
      } finally {
        execFileSync('umount', [disk])
      }
    },

    'in S3, uploads are completed when all are there, and the others are aborted': async () => {
      const s3 = await startS3(path.join(folder, 's3'))
      const { filesystem } = s3
      try {
        const prng = new Prng(11)
        for (const write of ['writeParquet', 'writeJson'] as const) {
          const at = { block: prng.integer(0, blocks - 1), slice: 1 }
          const to = `s3://bucket/${write}`
          const filenameProvider = killer(write, at)
          const options = { filenameProvider, maxRowsPerFile: 50, filesystem }
          const files = await numbers()[write](to, options)
          assert.equal(files.length, 12)
          assert.deepEqual(await idsOf(write, to, { filesystem }), all, JSON.stringify(at))
          assert.deepEqual([...s3.uploads], [])
        }
        const broken = numbers().map((row) => {
          if (row.id === 550) throw new Error('no')
          return row
        })
        const to = 's3://bucket/broken'
        assert.match(String(await rejection(broken.writeCsv(to, { filesystem }))), /Error: no/)
        assert.deepEqual([...s3.uploads], [])
        const nothing = await rejection(readCsv(to, { filesystem }).count())
        assert.match(String(nothing), /no file or folder/)
        // Folders of workers that were killed go when the next one is made.
        await numbers().writeCsv('s3://bucket/last', { filesystem })
        const left = ours().filter((name) => !fs.existsSync(`/proc/${name.split('-')[3] ?? ''}`))
        assert.ok(left.length <= 3, left.join())
      } finally {
        await s3.close()
      }
    },

    'a large file goes to S3 in parts, and comes back whole': async () => {
      const s3 = await startS3(path.join(folder, 's3-large'))
      const { filesystem } = s3
      try {
        const texts = Array.from({ length: 20_000 }, (_, id) => `${id}`.repeat(100))
        await fromColumns({ text: texts }).writeCsv('s3://bucket/large', { filesystem })
        assert.ok(s3.longest() > 5e6 && s3.longest() < 9e6, `${s3.longest()}`)
        assert.deepEqual([...s3.uploads], [])
        const columnTypes = { text: 'string' } as const
        const back = readCsv('s3://bucket/large', { filesystem, columnTypes })
        const { text } = await back.toColumns()
        assert.ok(Array.from(text as string[]).join() === texts.join())
      } finally {
        await s3.close()
        fs.rmSync(folder, { recursive: true })
      }
    },
  },
)
