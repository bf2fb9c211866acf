// The environments that change what the inspector, the loaders or the imports are.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { fixtures } from './programs.js'

const run = promisify(execFile)
const env: NodeJS.ProcessEnv = {
  ...process.env,
  CLOSURE_MODULE: new URL('../../src/closure/index.js', import.meta.url).href,
  CLOSURE_WORKER: path.join(fixtures, 'worker.mjs'),
}
delete env['NODE_TEST_CONTEXT']

async function answer(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(process.execPath, args, { env, timeout: 60_000 })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
}

const driver = path.join(fixtures, 'environment.mjs')

describe('functions by value', { concurrency: 2 }, () => {
  it('keep one identity per class across processes', async () => {
    assert.deepEqual(await answer(path.join(fixtures, 'identity.mjs')), {
      sameId: true,
      original: true,
      oneClassPerWorker: true,
      oneClassSentOn: true,
      idSentOn: true,
      shared: [1, 1, 2, 2],
      sharedByLaterClosure: [2, 3, 3],
      sharedSentOn: [3, 4, 4],
      sharedLater: [2, 2],
      imported: true,
      sameReference: true,
      submitDuringImport: ['function', true],
    })
  })

  it('work beside a debugger, except that shared variables are refused', async () => {
    const { byValue, byReference, shared } = await answer('--inspect=0', driver)
    assert.deepEqual([byValue, byReference], [true, true])
    assert.match(String(shared), /inc and get may share the variable n.*without a debugger/)
  })

  it('are refused without the inspector, except what a CommonJS module exports', async () => {
    const { byValue, byReference } = await answer(
      '--experimental-permission',
      '--allow-fs-read=*',
      driver,
    )
    assert.match(
      String(byValue),
      /inspector of this process is not available.*--experimental-permission/,
    )
    assert.equal(byReference, true)
  })

  it('work under vitest, whose imports are proxies', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'closure-vitest-'))
    try {
      const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))
      symlinkSync(modules, path.join(folder, 'node_modules'))
      copyFileSync(path.join(fixtures, 'vitest-case.txt'), path.join(folder, 'case.test.ts'))
      copyFileSync(path.join(fixtures, 'lib.ts'), path.join(folder, 'lib.ts'))
      writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}')
      const command = path.join(modules, 'vitest/vitest.mjs')
      // By default a test has 5 s, and on a busy machine a worker needs as much to start.
      const args = [command, 'run', '--root', folder, '--testTimeout', '60000']
      const { stdout } = await run(process.execPath, args, {
        env: { ...env, NO_COLOR: '1' },
        cwd: folder,
        timeout: 90_000,
      })
      assert.match(stdout, /Tests +1 passed/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
