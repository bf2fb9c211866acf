// Who is charged for the death of a worker: tasks that had started, and nobody else.

import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { cpusAreFree, killPid, linesOf, storeIsEmpty, until, withSession } from './fault-session.js'

test('a task runs maxRetries times again, and then its failure is told', async () => {
  await withSession({}, async ({ folder }) => {
    const log = path.join(folder, 'runs')
    const die = ray.remote((file: string, goodAt: number) => {
      const { attempt } = ray.getRuntimeContext() as { attempt?: number }
      appendFileSync(file, `${String(attempt)}\n`)
      if (linesSoFar(file) <= goodAt) process.kill(process.pid, 'SIGKILL')
      return linesSoFar(file)
    })
    const linesSoFar = linesOf2
    const error = await ray
      .get(die.options({ maxRetries: 2 }).remote(log, 100))
      .catch((e: unknown) => e)
    assert.ok(error instanceof ray.WorkerCrashedError, String(error))
    assert.match(error.message, /signal SIGKILL/)
    assert.equal(linesOf(log).length, 3, 'once, and twice again')
    const second = path.join(folder, 'second')
    assert.equal(await ray.get(die.options({ maxRetries: 3 }).remote(second, 3)), 4)
    const third = path.join(folder, 'third')
    assert.equal(await ray.get(die.options({ maxRetries: -1 }).remote(third, 6)), 7, 'for ever')
    await cpusAreFree()
  })
})

// Not an import: it travels with the task.
function linesOf2(file: string): number {
  return linesOf(file).length
}

test('tasks behind the one that killed its worker are not charged and not lost', async () => {
  await withSession({ numCpus: 1 }, async ({ folder }) => {
    const log = path.join(folder, 'runs')
    const work = ray.remote({ maxRetries: 0 }, (i: number, file: string, killAt: number) => {
      appendFileSync(file, `${i}\n`)
      if (i === killAt) process.kill(process.pid, 'SIGKILL')
      return i
    })
    // Short tasks first, so that many are in flight to the worker at once.
    const warm = path.join(folder, 'warm')
    await ray.get(Array.from({ length: 200 }, (_, i) => work.remote(i, warm, -1)))
    await new Promise((resolve) => setImmediate(resolve))
    await ray.get(Array.from({ length: 200 }, (_, i) => work.remote(i, warm, -1)))
    for (const killAt of [0, 1, 17, 150, 299]) {
      const file = `${log}-${killAt}`
      const refs = Array.from({ length: 300 }, (_, i) => work.remote(i, file, killAt))
      const results = await Promise.allSettled(refs.map((ref) => ray.get(ref)))
      const lines = linesOf(file).map(Number)
      assert.equal(new Set(lines).size, lines.length, `none ran twice (killed at ${killAt})`)
      for (const [i, result] of results.entries()) {
        if (result.status === 'fulfilled') assert.equal(result.value, i)
        else {
          assert.ok(result.reason instanceof ray.WorkerCrashedError, String(result.reason))
          assert.ok(
            lines.includes(i),
            `${i} failed although it had not started (killed at ${killAt})`,
          )
        }
      }
      const failed = results.filter(({ status }) => status === 'rejected').length
      // Those whose results were still in the worker have run, but nobody knows.
      assert.ok(failed >= 1 && failed <= 256, `${failed} failed (killed at ${killAt})`)
    }
    await cpusAreFree(1)
    await storeIsEmpty()
  })
})

test('a task that may run once never runs twice, however its worker dies', async () => {
  await withSession({}, async ({ folder }) => {
    const log = path.join(folder, 'runs')
    const work = ray.remote({ maxRetries: 0 }, (i: number, file: string) => {
      appendFileSync(file, `${i} ${process.pid}\n`)
      const end = performance.now() + (i % 7 === 0 ? 5 : 0.2)
      while (performance.now() < end);
      return i
    })
    const refs: ray.ObjectRef<number>[] = []
    let next = 0
    const submit = (count: number): void => {
      for (let n = 0; n < count; n++) refs.push(work.remote(next++, log))
    }
    const kills = 12
    for (let round = 0; round < kills; round++) {
      submit(100)
      const from = linesOf(log).length
      const line: string = await until('progress', () =>
        linesOf(log)
          .slice(from)
          .at(-1 - (round % 3)),
      )
      killPid(Number(line.split(' ')[1]))
    }
    const results = await Promise.allSettled(refs.map((ref) => ray.get(ref)))
    const ran = linesOf(log).map((line) => Number(line.split(' ')[0]))
    assert.equal(new Set(ran).size, ran.length, 'none ran twice')
    let early = 0
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled') assert.equal(result.value, i)
      else if (!ran.includes(i)) early++
    }
    // A task is claimed a moment before it writes its line, and each kill may hit that moment once.
    assert.ok(early <= kills, `${early} failed although they had not started`)
    await cpusAreFree()
  })
})
