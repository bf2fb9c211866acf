// Every case, in every way that people run JavaScript: a driver program serialises, a child process
// rebuilds and calls.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { caseResults, fixtures, Programs, type CaseResult, type Program } from './programs.js'

const closureModule = new URL('../../src/closure/index.js', import.meta.url).href

async function run({ command, frame }: Program): Promise<CaseResult[]> {
  const [file = '', ...args] = command
  const harness = pathToFileURL(path.join(fixtures, 'harness.mjs')).href
  // Preloaded by NODE_OPTIONS so that it works the same for every command; children drop it.
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NODE_OPTIONS: `--import ${pathToFileURL(path.join(fixtures, 'preload.mjs')).href}`,
    CLOSURE_MODULE: closureModule,
    CLOSURE_HARNESS: harness,
    CLOSURE_WORKER: path.join(fixtures, 'worker.mjs'),
    CLOSURE_FRAME: frame.source,
    CLOSURE_MAIN: command.at(-1),
  }
  delete env['NODE_TEST_CONTEXT']
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  await once(child, 'close')
  return caseResults({ stdout: output, stderr: errors })
}

describe('functions by value', { concurrency: 2 }, () => {
  const programs = new Programs()
  after(() => programs.remove())
  for (const mode of programs.modes()) {
    it(`work when the program runs as ${mode.name}`, async () => {
      const results = await run(mode)
      const failed = results.filter((result) => result.problem !== undefined)
      assert.deepEqual(failed, [])
      assert.ok(results.length > 110, `only ${results.length} results`)
    })
  }
})
