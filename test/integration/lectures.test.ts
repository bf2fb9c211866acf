// The pipelines of the lectures on real data: the results are those of Ray Data 2.58 on the same
// files, noted here, and computed again where its Python is.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { testData } from '../contract/read-in-process.js'
import { repository } from './driver-programs.js'
import { runExample, runToEnd } from './run-example.js'

const rayMs = 150_000
const python = process.env.TYPERAY_BENCH_RAY_PYTHON ?? ''

interface Pipeline {
  readonly example: string
  readonly data: { readonly folder?: string; readonly skip?: string }
  readonly input: string
  /** What Ray's program prints of the same data. */
  readonly lines: readonly string[]
}

const taxi = testData('taxi')
const pipelines: readonly Pipeline[] = [
  {
    example: 'iris',
    data: testData('iris'),
    input: 'iris.csv',
    lines: [
      '3 of 150 rows',
      'the first of the batches has 8 rows',
      '19 batches, petals of 869.11 cm^2',
      'written: 150 rows of 6 columns',
    ],
  },
  {
    example: 'taxi',
    data: taxi,
    input: 'parquet',
    lines: [
      'byFunctions: 232985 of 240000 trips',
      'byFunctions: 22132 at night, tips 0.1583, per mile 9.1882',
      'byExpressions: 232985 of 240000 trips',
      'byExpressions: 22132 at night, tips 0.1583, per mile 9.1882',
    ],
  },
  {
    example: 'prepare-for-model',
    data: taxi,
    input: 'parquet',
    lines: ['238086 trips, mean tip 2.715'],
  },
]

for (const { example, data, input, lines } of pipelines) {
  const { folder = '', skip = false } = data
  const file = path.join(folder, input)
  test(`the example ${example} gives the results of Ray Data on real data`, { skip }, async () => {
    const printed = (await runExample(example, [file])).split('\n')
    const shared = printed.filter((line) => lines.includes(line))
    assert.deepEqual(shared, lines)
  })

  const noRay = python === '' ? 'TYPERAY_BENCH_RAY_PYTHON names no Python with Ray' : false
  test(`the results noted of ${example} are Ray's`, { skip: skip || noRay }, async () => {
    const out = mkdtempSync(path.join(tmpdir(), 'typeray-lectures-'))
    try {
      const program = path.join(repository, 'test/integration/fixtures/lectures.py')
      const printed = await runToEnd(python, [program, example, file, out], rayMs)
      assert.deepEqual(printed.trim().split('\n'), lines)
    } finally {
      rmSync(out, { recursive: true })
    }
  })
}
