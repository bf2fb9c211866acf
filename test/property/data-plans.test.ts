// Random plans over random tables do what they would to arrays, however they are run.

import { test } from 'node:test'
import fc from 'fast-check'
import { runPlan, ways } from './plan-ways.js'

const sizes = fc.array(fc.nat(8), { minLength: 1, maxLength: 4 })
const seed = fc.nat(2 ** 31 - 1)
const seeds = fc.record({
  tables: seed,
  left: sizes,
  right: sizes,
  steps: fc.array(seed, { minLength: 2, maxLength: 6 }),
})

for (const way of ways) {
  test(`random plans do to ${way.name} what they do to arrays`, async () => {
    await fc.assert(
      fc.asyncProperty(seeds, (each) => runPlan(way, each)),
      { numRuns: 40, seed: 1, includeErrorInReport: true },
    )
  })
}
