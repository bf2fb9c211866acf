// Every example is a program of its own: it prints what its comments promise, and ends by itself.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { runExample } from './run-example.js'

const words = '0 Learning, 1 Ray, 2 Flexible, 3 Distributed, 4 Python, 5 for'

const expected: Readonly<Record<string, readonly RegExp[]>> = {
  'remote-function': [/^\[ 1, 4, 9, 16 \]$/m],
  resources: [/^four tasks .*: \d/m, /^two tasks .*: \d/m, /^three tasks .*: \d/m],
  'chained-futures': [/^HELLO WORLD$/m],
  counter: [/^\[ 1, 2, 3 \]$/m, /^13$/m],
  put: [/ 4500000$/m],
  retrieve: [/^serial: \d/m, /^parallel: \d/m, new RegExp(`(${words}\\s[^]*){2}`)],
  'data-tracker': [/'7 Learning'/, /^retrieved 8 items$/m],
  'nested-tasks': [/^10000 \[ 0, 1, 2, 3, 4 \] true$/m],
  wait: [/^page \d$/m, /(page \d\s*){4}/],
  iris: [
    /^ +5\.1 +2\.9 +3\.6 +1 +1$/m,
    /^2 of 60 rows$/m,
    /^the first of the batches has 8 rows$/m,
    /^8 batches, petals of 257\.64 cm\^2$/m,
    /^written: 60 rows of 6 columns$/m,
  ],
  'prepare-for-model': [
    /^3 files planned, and called 0 times: a dataset is lazy$/m,
    /^Physical plan$/m,
    /^8809 trips, mean tip 0\.973$/m,
    /^mapBatches\(TipModel\): 8809 rows$/m,
  ],
  taxi: [
    /^byFunctions: 6968 of 9000 trips$/m,
    /^byFunctions: 1742 at night, tips 0\.0889, per mile 5\.1535$/m,
    /^byExpressions: 6968 of 9000 trips$/m,
    /^byExpressions: 1742 at night, tips 0\.0889, per mile 5\.1535$/m,
  ],
  dataset: [
    /^Bremen +37 +12\.25 +false$/m,
    /^9990 trips, 5000 of them long$/m,
    /^income 1278720$/m,
  ],
}

for (const [name, patterns] of Object.entries(expected)) {
  test(`the example ${name} prints its result and ends`, async () => {
    const output = await runExample(name)
    for (const pattern of patterns) assert.match(output, pattern)
  })
}

test('the flights job agrees with one pass of SQL over the same rows', async () => {
  const out = mkdtempSync(path.join(tmpdir(), 'typeray-flights-'))
  try {
    const output = await runExample('flights', ['--rows', '600000', '--out', out, '--verify'])
    assert.match(output, /^Verified against a single pass of SQL\.$/m)
    assert.match(output, /599,99\d clean flights \(\d dropped\) in 3 files/)
    assert.match(output, /^JFK +\d+,\d+ +\d+\.\d min$/m)
    assert.match(output, /worker \d+: \d+ blocks/)
    assert.deepEqual(
      readdirSync(out).sort(),
      [0, 1, 2].map((i) => `part-0000${i}.parquet`),
    )
  } finally {
    rmSync(out, { recursive: true })
  }
})
