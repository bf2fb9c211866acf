// Every way to run a driver: the cases of the closures, and what a class, an error, a ref and a
// handle are on the other side, all through the public API and with real workers.

import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { Program } from '../closure/programs.js'
import { apiPrograms, runCommand } from './driver-programs.js'

interface Result {
  readonly name: string
  readonly problem?: string
}

async function resultsOf({ name, command, frame }: Program): Promise<Result[]> {
  const env = { DRIVER_NAME: name, DRIVER_FRAME: frame.source }
  const { stdout, stderr } = await runCommand(command, { env })
  const line = stdout.split('\n').find((text) => text.startsWith('@results '))
  assert.ok(line, `the program printed no results:\n${stdout}${stderr}`)
  return JSON.parse(line.slice('@results '.length)) as Result[]
}

describe('a driver', { concurrency: 2 }, () => {
  const programs = apiPrograms()
  after(() => programs.remove())
  const modes = [
    programs.javascript('node-esm', true),
    programs.javascript('node-cjs', false),
    programs.compiled('tsc-esm', true),
    programs.compiled('tsc-cjs', false),
    programs.tsx('tsx-esm', true),
    programs.tsx('tsx-cjs', false),
    programs.tsxImport('import-tsx-esm', true),
    programs.tsxImport('import-tsx-cjs', false),
    programs.bundled('esbuild-bundle'),
  ]
  for (const mode of modes) {
    it(`works as ${mode.name}`, async () => {
      const results = await resultsOf(mode)
      const failed = results.filter((result) => result.problem !== undefined)
      assert.deepEqual(failed, [])
      assert.ok(results.length > 120, `only ${results.length} results`)
    })
  }
})
