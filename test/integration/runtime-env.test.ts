import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as ray from '../../src/index.js'
import { withCluster } from '../../src/testing/index.js'
import { inCluster, rejection } from './in-cluster.js'

const read = (name: string) => process.env[name]

class Reader {
  read(name: string) {
    return process.env[name]
  }
}

function withColor(color: string): ray.TaskOptions & { runtimeEnv: ray.RuntimeEnv } {
  return { runtimeEnv: { envVars: { SHADE: color } } }
}

inCluster(
  'Runtime environments of tasks and actors',
  { numCpus: 2 },
  {
    async 'variables reach the task and the actor that ask for them, and no others'() {
      const task = ray.remote(read)
      assert.equal(await ray.get(task.options(withColor('red')).remote('SHADE')), 'red')
      assert.equal(await ray.get(task.options(withColor('blue')).remote('SHADE')), 'blue')
      assert.equal(await ray.get(task.remote('SHADE')), undefined)
      const actor = ray.remote(withColor('green'), Reader).remote()
      assert.equal(await ray.get(actor.read.remote('SHADE')), 'green')
      assert.equal(await ray.get(actor.read.remote('TYPERAY_ENVIRONMENT')), undefined)
    },

    async 'what a task submits inherits its variables, one by one'() {
      const inner = ray.remote(() => [process.env['SHADE'], process.env['SIZE']])
      const sized = { runtimeEnv: { envVars: { SIZE: 'big' } } }
      const outer = ray.remote(withColor('red'), async () =>
        ray.get([inner.remote(), inner.options(sized).remote()]),
      )
      assert.deepEqual(await ray.get(outer.remote()), [
        ['red', undefined],
        ['red', 'big'],
      ])
    },

    async 'a task runs in its working directory'() {
      const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'typeray-work-')))
      try {
        const where = ray.remote({ runtimeEnv: { workingDir: folder } }, () => process.cwd())
        assert.equal(await ray.get(where.remote()), folder)
      } finally {
        rmSync(folder, { recursive: true })
      }
    },

    async 'a hook has run before the first task and before the actor, once for each worker'() {
      const setupHook = async () => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        process.env['HOOKS'] = `${process.env['HOOKS'] ?? ''}x`
      }
      const runtimeEnv = { setupHook }
      const task = ray.remote({ runtimeEnv }, read)
      assert.deepEqual(await ray.get([1, 2, 3].map(() => task.remote('HOOKS'))), ['x', 'x', 'x'])
      const actor = ray.remote({ runtimeEnv }, Reader).remote()
      assert.equal(await ray.get(actor.read.remote('HOOKS')), 'x')
      const inside = ray.remote(async (each: { task: typeof task }) =>
        ray.get(each.task.remote('HOOKS')),
      )
      assert.equal(await ray.get(inside.remote({ task })), 'x')
    },

    async 'a hook that throws fails tasks and actors with its error as the cause'() {
      class NoLicence extends Error {}
      const setupHook = () => {
        throw new NoLicence('none left')
      }
      const task = ray.remote({ runtimeEnv: { setupHook } }, read)
      const errors = await Promise.all([1, 2].map(() => rejection(ray.get(task.remote('X')))))
      for (const error of errors) {
        assert.ok(error instanceof ray.RuntimeEnvSetupError, String(error))
        assert.match(error.message, /setup hook of runtimeEnv failed.*none left/)
        assert.match(String(error.cause), /none left/)
      }
      const actor = ray.remote({ runtimeEnv: { setupHook } }, Reader).remote()
      const error = await rejection(ray.get(actor.read.remote('X')))
      assert.match(String(error), /none left/)
    },

    async 'a hook that does not return in time fails its tasks'() {
      const setupHook = () => new Promise(() => undefined)
      const task = ray.remote({ runtimeEnv: { setupHook, setupTimeoutMs: 20 } }, read)
      const error = await rejection(ray.get(task.remote('X')))
      assert.ok(error instanceof ray.RuntimeEnvSetupError, String(error))
      assert.match(error.message, /not returned within 20 ms/)
    },

    async 'a hook that computes past its time is stopped, and the tasks say so'() {
      const setupHook = () => {
        for (;;);
      }
      const runtimeEnv = { setupHook, setupTimeoutMs: 20 }
      // With retries, which would each take as long and end alike.
      const task = ray.remote({ runtimeEnv }, read)
      const error = await rejection(ray.get(task.remote('X')))
      assert.ok(error instanceof ray.RuntimeEnvSetupError, String(error))
      assert.match(error.message, /setup hook of runtimeEnv has not returned within 20 ms/)
      const actor = ray.remote({ runtimeEnv, maxRestarts: 5 }, Reader).remote()
      assert.match(String(await rejection(ray.get(actor.read.remote('X')))), /has not returned/)
    },

    async 'what cannot be built is refused by name'() {
      for (const name of ['pip', 'conda', 'container', 'imageUri', 'pyModules']) {
        assert.throws(() => ray.remote({ runtimeEnv: { [name]: [] } }, read), new RegExp(name))
      }
      const slip = { runtimeEnv: { env_vars: {} } } as ray.TaskOptions
      assert.throws(() => ray.remote(slip, read), /Did you mean 'envVars'/)
      const bad = (runtimeEnv: object) => () => ray.remote({ runtimeEnv }, read)
      assert.throws(bad({ envVars: { A: 1 } }), /envVars\.A.*must be a text/)
      assert.throws(bad({ setupHook: 'x' }), /must be a function/)
      assert.throws(bad({ workingDir: '/no/such/folder' }), /no folder/)
      assert.throws(bad({ setupTimeoutMs: 0 }), RangeError)
      assert.throws(() => ray.remote({ runtimeEnv: [] as object }, read), TypeError)
      await Promise.resolve()
    },
  },
)

test('an environment of ray.init holds for all workers, and tasks add to it', async () => {
  const runtimeEnv = {
    envVars: { SHADE: 'red', SIZE: 'big' },
    setupHook: () => {
      process.env['HOOKS'] = `${process.env['HOOKS'] ?? ''}x`
    },
  }
  await withCluster({ numCpus: 2, runtimeEnv }, async () => {
    const task = ray.remote(() => ['SHADE', 'SIZE', 'HOOKS'].map((name) => process.env[name]))
    assert.deepEqual(await ray.get(task.remote()), ['red', 'big', 'x'])
    assert.deepEqual(await ray.get(task.options(withColor('blue')).remote()), ['blue', 'big', 'x'])
    assert.equal(process.env['SHADE'], undefined)
  })
})

test('a hook of ray.init that cannot travel is refused, and leaves nothing behind', async () => {
  const socket = Promise.resolve()
  const setupHook = () => socket
  await assert.rejects(ray.init({ numCpus: 1, runtimeEnv: { setupHook } }), /socket/)
  assert.equal(ray.isInitialized(), false)
  await withCluster({ numCpus: 1 }, async () => {
    assert.equal(await ray.get(ray.remote(() => 1).remote()), 1)
  })
})
