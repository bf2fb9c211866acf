// A worker whose heap is exhausted.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { withMark } from './fault-session.js'

const library = new URL('../../src/index.js', import.meta.url).href

test('a task that exhausts its heap ends in OutOfMemoryError, an actor in ActorDiedError', async () => {
  await withMark(async ({ environment }) => {
    const program = `
      import * as ray from ${JSON.stringify(library)}
      await ray.init({ numCpus: 1, objectStoreMemory: 64e6, logToDriver: false })
      const grow = () => { const all = []; for (;;) all.push(new Array(1000).fill(all.length)) }
      const task = ray.remote({ maxRetries: 0 }, grow)
      const error = await ray.get(task.remote()).catch((e) => e)
      console.log(error instanceof ray.OutOfMemoryError, error.message)
      const Hog = ray.remote(class { grow() { grow() } })
      const died = await ray.get(Hog.remote().grow.remote()).catch((e) => e)
      console.log(died instanceof ray.ActorDiedError, died.message)
      console.log(await ray.get(ray.remote(() => 'alive').remote()))`
    const args = ['--max-old-space-size=60', '--input-type=module', '--eval', program]
    const options = { env: environment, encoding: 'utf8', timeout: 50_000 } as const
    const { stdout, stderr, status } = spawnSync(process.execPath, args, options)
    assert.equal(status, 0, stderr)
    const [first, second] = stdout.split(/^(?=true|false)/m)
    assert.match(first ?? '', /^true [^]*heap out of memory/)
    assert.match(second ?? '', /^true [^]*heap out of memory/)
    assert.match(stdout, /alive/)
  })
})
