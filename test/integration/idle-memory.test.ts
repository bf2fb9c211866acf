import assert from 'node:assert/strict'
import fs from 'node:fs'
import * as ray from '../../src/index.js'
import { until } from '../../src/testing/index.js'
import { inCluster } from './in-cluster.js'

const pieceBytes = 64 * 1024
const pieces = 4096

/** Holds 256 MB in pieces, and lets go of all but the last, behind which the heap does not end. */
function fillPieces() {
  const held = Array.from({ length: pieces }, () => new Uint8Array(pieceBytes).fill(1))
  Object.assign(globalThis, { last: held.at(-1) })
  return { pid: process.pid, filled: held.reduce((sum, piece) => sum + piece.length, 0) }
}

/** Memory of a process that it shares with nobody, in bytes. */
function privateBytes(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

inCluster(
  'Memory of idle workers',
  { numCpus: 1 },
  {
    async 'what tasks have let go of leaves the worker, and it works on'() {
      const fill = ray.remote(fillPieces)
      const { pid } = await ray.get(fill.remote())
      const what = 'half of what the worker held is gone'
      await until(() => privateBytes(pid) < (pieces * pieceBytes) / 2, { what })
      assert.equal((await ray.get(fill.remote())).filled, pieces * pieceBytes)
    },
  },
)
