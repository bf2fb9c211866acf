// SIGKILL of a worker, whatever it is doing.

import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import {
  cpusAreFree,
  killPid,
  linesOf,
  storeIsEmpty,
  storeUsedBytes,
  until,
  withSession,
  workerRows,
} from './fault-session.js'

const pidOf = ray.remote(() => process.pid)

async function sessionIsWell(): Promise<void> {
  const pids = await ray.get([pidOf.remote(), pidOf.remote()])
  assert.ok(pids.every((pid) => pid > 0))
  await cpusAreFree()
  await storeIsEmpty()
}

async function firstLine(file: string): Promise<number> {
  return until(`a line in ${path.basename(file)}`, () => Number(linesOf(file)[0] ?? 0))
}

test('idle workers may die: the next task finds another', async () => {
  await withSession({}, async () => {
    await until(
      'idle workers',
      async () => (await workerRows()).filter((row) => row.state === 'idle').length === 2,
    )
    for (const { pid } of await workerRows()) killPid(pid)
    assert.equal((await ray.get(pidOf.options({ maxRetries: 1 }).remote())) > 0, true)
    await sessionIsWell()
  })
})

test('workers that die while they start are replaced', async () => {
  await withSession({}, async ({ workerPids }) => {
    for (let round = 0; round < 6; round++) {
      const pids = await until('new workers', () => {
        const found = workerPids()
        return found.length > 0 ? found : undefined
      })
      for (const pid of pids) killPid(pid)
      await until('their end', () => workerPids().every((pid) => !pids.includes(pid)))
    }
    await sessionIsWell()
  })
})

test('a running task is run again elsewhere', async () => {
  await withSession({}, async ({ folder }) => {
    const log = path.join(folder, 'runs')
    const spinOnce = ray.remote((file: string) => {
      appendFileSync(file, `${process.pid}\n`)
      while (readLines(file) < 2);
      return process.pid
    })
    const readLines = (file: string): number => linesOf(file).length
    const ref = spinOnce.remote(log)
    const pid = await firstLine(log)
    killPid(pid)
    assert.notEqual(await ray.get(ref), pid)
    await sessionIsWell()
  })
})

test('an actor restarts, with its calls in order', async () => {
  await withSession({}, async () => {
    const Counter = ray.remote(
      class {
        n = 0
        pid(): number {
          return process.pid
        }
        add(i: number): [number, number] {
          return [i, ++this.n]
        }
      },
    )
    const counter = Counter.options({ maxRestarts: 2, maxTaskRetries: -1 }).remote()
    for (let round = 0; round < 2; round++) {
      const pid = await ray.get(counter.pid.remote())
      const refs = Array.from({ length: 500 }, (_, i) => counter.add.remote(i))
      killPid(pid)
      const results = await ray.get(refs)
      assert.deepEqual(
        results.map(([i]) => i),
        [...results.keys()],
      )
      const counts = results.map(([, n]) => n)
      for (let i = 1; i < counts.length; i++) {
        assert.ok(counts[i] === counts[i - 1]! + 1 || counts[i] === 1, `call ${i} kept its place`)
      }
      assert.notEqual(await ray.get(counter.pid.remote()), pid)
    }
    killPid(await ray.get(counter.pid.remote()))
    const error = await ray.get(counter.add.remote(0)).catch((e: unknown) => e)
    assert.ok(error instanceof ray.ActorDiedError, String(error))
    assert.match(error.message, /SIGKILL/)
    assert.match(error.message, /maxRestarts/)
    await sessionIsWell()
  })
})

test('a call in flight to an actor that does not retry may or may not have run', async () => {
  await withSession({}, async () => {
    const Spinner = ray.remote(
      class {
        pid(): number {
          return process.pid
        }
        spin(): void {
          for (;;);
        }
      },
    )
    const spinner = Spinner.options({ maxRestarts: 1 }).remote()
    const pid = await ray.get(spinner.pid.remote())
    const ref = spinner.spin.remote()
    killPid(pid)
    const error = await ray.get(ref).catch((e: unknown) => e)
    assert.ok(error instanceof ray.ActorUnavailableError, String(error))
    assert.match(error.message, /may or may not have run/)
    assert.notEqual(await ray.get(spinner.pid.remote()), pid)
    ray.kill(spinner)
    await sessionIsWell()
  })
})

test('the room of a put that was never finished comes back', async () => {
  await withSession({ objectStoreMemory: 256 * 1024 * 1024 }, async ({ folder }) => {
    const log = path.join(folder, 'runs')
    const putAndPut = ray.remote({ maxRetries: 0 }, (file: string) => {
      const big = new Uint8Array(100 * 1024 * 1024).fill(7)
      appendFileSync(file, `${process.pid}\n`)
      for (;;) ray.put(big)
    })
    for (let round = 0; round < 3; round++) {
      const file = `${log}-${round}`
      const ref = putAndPut.remote(file)
      const pid = await firstLine(file)
      await until('the put', async () => (await storeUsedBytes()) > 0)
      killPid(pid)
      await assert.rejects(ray.get(ref), ray.WorkerCrashedError)
    }
    await sessionIsWell()
    const whole = ray.put(new Uint8Array(200 * 1024 * 1024).fill(1))
    const read = await ray.get(whole)
    assert.equal(read[read.length - 1], 1)
    ray.free(whole)
  })
})

test('what a dead worker had mapped and borrowed is let go', async () => {
  await withSession({}, async ({ folder }) => {
    const log = path.join(folder, 'runs')
    const hold = ray.remote(
      { maxRetries: 0 },
      async (refs: ray.ObjectRef<Uint8Array>[], file: string) => {
        const held = await ray.get(refs)
        const own = [ray.put(new Uint8Array(1e6)), ray.put({ inside: refs[0] })]
        const child = ray.remote((list: unknown[]) => list.length)
        await ray.get(child.remote([...own, ...refs]))
        appendFileSync(file, `${process.pid}\n`)
        await new Promise(() => undefined)
        return [held, own]
      },
    )
    let refs: ray.ObjectRef<Uint8Array>[] | null = [1, 2, 3].map((n) =>
      ray.put(new Uint8Array(5e6).fill(n)),
    )
    const running = hold.remote(refs, log)
    const pid = await firstLine(log)
    killPid(pid)
    await assert.rejects(ray.get(running), ray.WorkerCrashedError)
    assert.deepEqual(await firstBytes(refs), [1, 2, 3])
    ray.free(refs)
    refs = null
    await sessionIsWell()
  })
})

/** In a function of its own, so that the views do not live on in a variable. */
async function firstBytes(
  refs: readonly ray.ObjectRef<Uint8Array>[],
): Promise<(number | undefined)[]> {
  return (await ray.get(refs)).map((value) => value[0])
}

test('a ref whose owner died says so, or still has its value', async () => {
  await withSession({}, async ({ folder }) => {
    const log = path.join(folder, 'runs')
    const parent = ray.remote({ maxRetries: 0 }, (file: string) => {
      const never = ray.remote(() => new Promise<number>(() => undefined))
      return { pid: process.pid, put: ray.put([1, 2, 3]), pending: never.remote(), file }
    })
    const { pid, put, pending } = await ray.get(parent.remote(log))
    const waiting = ray.get(pending).catch((e: unknown) => e)
    killPid(pid)
    const error = await waiting
    assert.ok(error instanceof ray.OwnerDiedError, String(error))
    const value = await ray.get(put).catch((e: unknown) => e)
    if (value instanceof Error) assert.ok(value instanceof ray.OwnerDiedError, String(value))
    else assert.deepEqual(value, [1, 2, 3])
    await sessionIsWell()
  })
})

test('a generator whose worker dies begins again and repeats no item', async () => {
  await withSession({}, async ({ folder }) => {
    const log = path.join(folder, 'runs')
    const produce = ray.remote(function* (file: string, bytes: number) {
      appendFileSync(file, `${process.pid}\n`)
      for (let i = 0; i < 40; i++) yield new Uint8Array(bytes).fill(i)
    })
    // The loop is a function of its own, so that the last ref does not live on in a variable.
    const readAll = async (file: string, bytes: number): Promise<(number | undefined)[]> => {
      const options = { numReturns: 'streaming', generatorBackpressureNumObjects: 4 } as const
      const stream = produce.options(options).remote(file, bytes)
      const seen: (number | undefined)[] = []
      for await (const ref of stream as unknown as AsyncIterable<ray.ObjectRef<Uint8Array>>) {
        seen.push(...(await firstBytes([ref])))
        if (seen.length === 10) killPid(await firstLine(file))
      }
      return seen
    }
    for (const bytes of [10, 300_000]) {
      const seen = await readAll(`${log}-${bytes}`, bytes)
      assert.deepEqual(seen, [...seen.keys()], `items of ${bytes} bytes`)
      assert.equal(seen.length, 40)
      assert.equal(linesOf(`${log}-${bytes}`).length, 2)
    }
    // Those too that the dead worker had stored ahead and not yet told of.
    await storeIsEmpty()
    await cpusAreFree()
  })
})

test('workers leased by a worker that dies are free again', async () => {
  await withSession({ numCpus: 3 }, async ({ folder }) => {
    const log = path.join(folder, 'runs')
    const parent = ray.remote({ maxRetries: 0 }, async (file: string) => {
      const child = ray.remote(() => {
        appendFileSync(`${file}-children`, `${process.pid}\n`)
        for (;;);
      })
      const refs = [child.remote(), child.remote()]
      appendFileSync(file, `${process.pid}\n`)
      await ray.get(refs)
    })
    const ref = parent.remote(log)
    const pid = await firstLine(log)
    await until('both children', () => linesOf(`${log}-children`).length === 2)
    killPid(pid)
    await assert.rejects(ray.get(ref), ray.WorkerCrashedError)
    await cpusAreFree(3)
    await storeIsEmpty()
  })
})
