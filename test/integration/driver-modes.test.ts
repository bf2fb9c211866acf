// Every way to run a driver: the cases of the closures, and what a class, an error, a ref and a
// handle are on the other side, all through the public API and with real workers.

import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { caseResults, type CaseResult, type Program } from '../closure/programs.js'
import { apiPrograms, runCommand } from './driver-programs.js'

async function resultsOf({ name, command, frame }: Program): Promise<CaseResult[]> {
  const env = { DRIVER_NAME: name, DRIVER_FRAME: frame.source }
  return caseResults(await runCommand(command, { env }))
}

describe('a driver', { concurrency: 2 }, () => {
  const programs = apiPrograms()
  after(() => programs.remove())
  for (const mode of programs.modes()) {
    it(`works as ${mode.name}`, async () => {
      const results = await resultsOf(mode)
      const failed = results.filter((result) => result.problem !== undefined)
      assert.deepEqual(failed, [])
      assert.ok(results.length > 120, `only ${results.length} results`)
    })
  }
})
