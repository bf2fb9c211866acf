// Programs that are killed while they write: what they leave is not seen, and goes.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { Dataset, readJson } from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { startDriver, until } from '../../src/testing/index.js'
import { rowsOf } from '../contract/read-in-process.js'

const rows = [{ n: 1 }, { n: 2 }]
const dataset = () => {
  const plan = { source: { kind: 'items', rows }, steps: [] } as const
  return new Dataset(new DatasetSession(new InProcessRunner()), plan)
}

/** Names of folders and files whose names begin with a dot. */
const hidden = (folder: string): string[] => {
  return fs.readdirSync(folder).filter((name) => name.startsWith('.'))
}

/** Makes a folder as a write does that has not ended. */
function stage(folder: string, id: string, writer?: string): string {
  const staging = path.join(folder, `.typeray-write-${id}`)
  fs.mkdirSync(path.join(staging, 'attempt-x'), { recursive: true })
  if (writer !== undefined) fs.writeFileSync(path.join(staging, 'writer'), writer)
  return path.basename(staging)
}

test('the next write to a folder removes what a killed program has staged there', async () => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'typeray-killed-'))
  try {
    await dataset().writeJson(folder)
    const driver = startDriver(
      `import * as ray from 'typeray'
       import { range } from 'typeray/data'
       await ray.init({ numCpus: 2 })
       const rows = range(4, { overrideNumBlocks: 4 })
       // One block is never there, so that the others stay staged.
       const stuck = rows.map((row) => row.id === 3 ? new Promise(() => undefined) : row)
       await stuck.writeJson(process.argv[2])`,
      { args: [folder] },
    )
    const staged = (): string[] => {
      return hidden(folder).flatMap((name) => {
        const all = fs.readdirSync(path.join(folder, name), { recursive: true })
        return all.map(String).filter((file) => file.endsWith('.json'))
      })
    }
    await until(() => staged().length > 0)
    // It is alive: a write beside it leaves it alone.
    await dataset().writeJson(folder)
    assert.equal(hidden(folder).length, 1)
    driver.kill('SIGKILL')
    await driver.ended
    assert.deepEqual(await rowsOf(readJson(folder, { int64: 'number' })), rows)
    assert.equal(hidden(folder).length, 1)
    await dataset().writeJson(folder, { mode: 'append' })
    assert.deepEqual(hidden(folder), [])
    assert.deepEqual(await rowsOf(readJson(folder, { int64: 'number' })), [...rows, ...rows])
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})

test('what another machine has staged goes when nothing was added for a week', async () => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'typeray-killed-'))
  try {
    const weekAgo = new Date(Date.now() - 8 * 24 * 3600 * 1000)
    const young = [stage(folder, 'a', 'another boot 1 1 1'), stage(folder, 'b')]
    const old = [
      stage(folder, 'c', 'another boot 1 1 1'),
      stage(folder, 'd'),
      stage(folder, 'e-over'),
    ]
    for (const name of old) {
      for (const inner of fs.readdirSync(path.join(folder, name))) {
        fs.utimesSync(path.join(folder, name, inner), weekAgo, weekAgo)
      }
      fs.utimesSync(path.join(folder, name), weekAgo, weekAgo)
    }
    await dataset().writeJson(folder)
    assert.deepEqual(hidden(folder).sort(), young)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})
