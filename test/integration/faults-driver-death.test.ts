// The death of the driver, of the raylet, and of both.
//
// A driver that must die is a program of its own. It prints what the test waits for.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { currentCore } from '../../src/worker/index.js'
import { killPid, type Marked, until, withMark } from './fault-session.js'

const library = new URL('../../src/index.js', import.meta.url).href
const worker = new URL('../../src/worker/index.js', import.meta.url).href

const header = `
import * as ray from ${JSON.stringify(library)}
import { currentCore } from ${JSON.stringify(worker)}
await ray.init({ numCpus: 2, objectStoreMemory: 64e6 })
const say = (text) => process.stdout.write(text + '\\n')
say('raylet ' + currentCore().welcome.rayletPid)
const spin = ray.remote(() => { console.log('spinning'); for (;;); })
`

interface Driver {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; signal: string | null }>
  output(): string
  rayletPid(): Promise<number>
}

function start(body: string, { environment }: Marked): Driver {
  const args = ['--input-type=module', '--eval', header + body]
  const child = spawn(process.execPath, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const rayletPid = async (): Promise<number> =>
    Number((await until('the raylet', () => /^raylet (\d+)$/m.exec(text)))[1])
  return { child, ended, output: () => text, rayletPid }
}

async function says(driver: Driver, pattern: RegExp, times = 1): Promise<void> {
  const all = new RegExp(pattern, 'g')
  await until(`${String(pattern)} in:\n${driver.output()}`, () => {
    return (driver.output().match(all) ?? []).length >= times
  })
}

test('a driver killed while its workers spin leaves nothing', async () => {
  await withMark(async (marked) => {
    const driver = start(
      `ray.put(new Uint8Array(20e6)); await ray.get([spin.remote(), spin.remote()])`,
      marked,
    )
    await says(driver, /spinning/, 2)
    marked.watch()
    driver.child.kill('SIGKILL')
    await driver.ended
  })
})

test('a driver killed while it spins itself leaves nothing', async () => {
  await withMark(async (marked) => {
    const driver = start(
      `const ref = spin.remote(); const C = ray.remote(class { m() { return 1 } })
       const c = C.options({ name: 'x' }).remote(); await ray.get(c.m.remote())
       say('busy'); for (;;) ray.put(new Uint8Array(1e6))`,
      marked,
    )
    await says(driver, /busy/)
    marked.watch()
    driver.child.kill('SIGKILL')
    await driver.ended
  })
})

test('a driver killed while it starts leaves nothing', async () => {
  await withMark(async (marked) => {
    const driver = start('', marked)
    await until('a process of the session', () => marked.pids().length >= 2)
    driver.child.kill('SIGKILL')
    await driver.ended
  })
})

test('driver and raylet killed together leave nothing but workers, which end too', async () => {
  await withMark(async (marked) => {
    const driver = start(`await ray.get([spin.remote(), spin.remote()])`, marked)
    await says(driver, /spinning/, 2)
    marked.watch()
    killPid(await driver.rayletPid())
    driver.child.kill('SIGKILL')
    await driver.ended
  })
})

test('when the raylet dies every pending call fails, and the program can begin again', async () => {
  await withMark(async (marked) => {
    for (let round = 0; round < 2; round++) {
      await ray.init({ numCpus: 2, objectStoreMemory: 64e6 })
      const spin = ray.remote(() => {
        for (;;);
      })
      const one = ray.remote(() => 1)
      const Actor = ray.remote(
        class {
          one(): number {
            return 1
          }
          never(): Promise<number> {
            return new Promise(() => undefined)
          }
        },
      )
      const actor = Actor.options({ numCpus: 0 }).remote()
      await ray.get(actor.one.remote())
      const stored = ray.put(new Uint8Array(1e6))
      const pending = [spin.remote(), spin.remote(), one.remote(), actor.never.remote()]
      const gets = pending.map((ref) => ray.get(ref).catch((error: unknown) => error))
      const wait = ray.wait(pending as ray.ObjectRef[], { numReturns: 1 }).catch((error: unknown) => error)
      marked.watch()
      killPid(currentCore()!.welcome.rayletPid)
      for (const error of await Promise.all(gets)) {
        assert.ok(error instanceof ray.LocalRayletDiedError, String(error))
      }
      await wait
      await assert.rejects(ray.get(stored), ray.LocalRayletDiedError)
      assert.throws(() => one.remote(), ray.LocalRayletDiedError)
      assert.throws(() => ray.put(new Uint8Array(1e6)), ray.LocalRayletDiedError)
      await assert.rejects(ray.availableResources(), ray.LocalRayletDiedError)
      assert.equal(ray.isInitialized(), false)
    }
    await ray.init({ numCpus: 1, objectStoreMemory: 64e6 })
    const two = ray.remote(() => 2)
    assert.equal(await ray.get(two.remote()), 2)
    await ray.shutdown()
  })
})

test('a put that waits for the raylet when it dies fails too', async () => {
  await withMark(async (marked) => {
    const driver = start(
      `process.kill(currentCore().welcome.rayletPid, 'SIGSTOP')
       say('stopped')
       try { ray.put(new Uint8Array(1e6)) } catch (error) { say('failed ' + error.name) }
       process.exit(7)`,
      marked,
    )
    await says(driver, /stopped/)
    killPid(await driver.rayletPid())
    assert.deepEqual(await driver.ended, { code: 7, signal: null })
    assert.match(driver.output(), /failed LocalRayletDiedError/)
  })
})

test('a raylet that dies takes an idle program with it in peace', async () => {
  await withMark(async (marked) => {
    const driver = start(
      `const ref = spin.remote()
       process.kill(currentCore().welcome.rayletPid, 'SIGKILL')
       try { await ray.get(ref) } catch (error) { say('got ' + error.name) }
       await ray.shutdown()
       await ray.init({ numCpus: 1 })
       say('again ' + await ray.get(ray.remote(() => 5).remote()))`,
      marked,
    )
    const { code } = await driver.ended
    assert.match(driver.output(), /got LocalRayletDiedError[^]*again 5/)
    assert.equal(code, 0, driver.output())
  })
})
