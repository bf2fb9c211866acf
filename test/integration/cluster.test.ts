// `typeray start --head`, and the programs that join what it has started.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../../src/testing/index.js'
import { withFolder, withHead } from './head-cluster.js'

const counter = `
class Counter {
  n = 0
  increment() { return ++this.n }
  async viaTask() { return ray.get(ray.remote((n) => n * 10).remote(this.n)) }
}
`

void test('a second driver finds a detached actor after its creator has gone', () =>
  withHead([], async ({ run }) => {
    const created = await run(`
      ${counter}
      await ray.init({ namespace: 'shop' })
      const options = { name: 'counter', lifetime: 'detached' }
      const actor = ray.remote(Counter).options(options).remote()
      console.log(await ray.get(actor.increment.remote()))
      const taken = ray.remote(Counter).options(options).remote()
      await ray.get(taken.increment.remote()).catch((error) => console.log(error.message))
    `)
    assert.match(created, /^1\n.*counter.*already taken/)
    const found = await run(`
      const session = await ray.init({ namespace: 'shop' })
      const actor = await ray.getActor('counter')
      console.log(session.jobId, await ray.get(actor.increment.remote()))
      console.log(await ray.get(actor.viaTask.remote()))
      await ray.shutdown()
      console.log('still', ray.isInitialized())
    `)
    assert.equal(found, '00000002 2\n20\nstill false\n')
    const elsewhere = await run(`
      await ray.init({ namespace: 'other' })
      await ray.getActor('counter').catch((error) => console.log('not here'))
      const actor = await ray.getActor('counter', { namespace: 'shop' })
      console.log(await ray.get(actor.increment.remote()))
    `)
    assert.equal(elsewhere, 'not here\n3\n')
  }))

void test('tasks that a detached actor runs, and those it waits for, outlive its job', () =>
  withHead([], async ({ folder, run, driver }) => {
    const file = (name: string): string => path.join(folder, name)
    const program = `
      import { appendFileSync, existsSync } from 'node:fs'
      class Boss {
        begin(log, go) {
          const wait = async (name) => {
            appendFileSync(log, name + '\\n')
            while (!existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 5))
            return name
          }
          const inner = ray.remote({ numCpus: 0.5 }, wait)
          const outer = ray.remote({ numCpus: 1.5 }, async () => inner.remote('inner').get())
          const after = ray.remote({ numCpus: 2 }, () => 'after')
          this.results = [outer.remote(), after.remote()]
        }
        end() { return ray.get(this.results) }
      }
      await ray.init({ namespace: 'shop' })
      const boss = ray.remote({ name: 'boss', lifetime: 'detached', numCpus: 0 }, Boss).remote()
      const log = ${JSON.stringify(file('log'))}
      await ray.get(boss.begin.remote(log, ${JSON.stringify(file('go'))}))
      while (!existsSync(log)) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    `
    await run(program)
    const other = driver(`
      await ray.init({ namespace: 'shop' })
      const boss = await ray.getActor('boss')
      console.log('joined')
      console.log((await ray.get(boss.end.remote())).join())
    `)
    await other.said('joined')
    writeFileSync(file('go'), '')
    const { stdout, stderr } = await other.ended
    assert.equal(stdout, 'joined\ninner,after\n', stderr)
    assert.equal(readFileSync(file('log'), 'utf8'), 'inner\n')
  }))

void test('a detached actor that is killed is restarted although its job is over', () =>
  withHead([], async ({ run }) => {
    await run(`
      class Counter {
        n = 0
        increment() { return ++this.n }
        pid() { return process.pid }
      }
      await ray.init({ namespace: 'shop' })
      const actor = ray.remote(Counter).options({
        name: 'counter', lifetime: 'detached', maxRestarts: 1, maxTaskRetries: -1,
      }).remote()
      await ray.get(actor.increment.remote())
    `)
    const out = await run(`
      await ray.init({ namespace: 'shop' })
      const actor = await ray.getActor('counter')
      const pid = await ray.get(actor.pid.remote())
      process.kill(pid, 'SIGKILL')
      console.log(await ray.get(actor.increment.remote()))
      console.log((await ray.get(actor.pid.remote())) !== pid)
    `)
    assert.equal(out, '1\ntrue\n')
  }))

void test('a class stays for a program that uses it when its job and its actor are gone', () =>
  withHead([], async ({ run }) => {
    await run(`
      class Item {
        constructor(n) { this.n = n }
        double() { return 2 * this.n }
      }
      class Maker {
        make(n) { return new Item(n) }
      }
      await ray.init({ namespace: 'shop' })
      const actor = ray.remote(Maker).options({ name: 'maker', lifetime: 'detached' }).remote()
      console.log((await ray.get(actor.make.remote(1))).double())
    `)
    const out = await run(`
      await ray.init({ namespace: 'shop' })
      const actor = await ray.getActor('maker')
      const item = await ray.get(actor.make.remote(21))
      ray.kill(actor)
      await ray.get(actor.make.remote(1)).catch((error) => console.log(error.name))
      console.log(item.double(), await ray.get(ray.remote((it) => it.double()).remote(item)))
    `)
    assert.equal(out, 'ActorDiedError\n42 42\n')
  }))

void test("a driver's actors and placement groups end with it, however it ends, others stay", () =>
  withHead(['--num-cpus', '3'], async ({ run, driver }) => {
    const stays = driver(`
      await ray.init()
      const stays = ray.placementGroup([{ CPU: 1 }])
      await ray.get(stays.ready())
      console.log('held')
      await new Promise((resolve) => setTimeout(resolve, 1e6))
    `)
    await stays.said('held')
    const take = `
      await ray.init({ namespace: 'x' })
      class A { ping() { return 1 } }
      const options = { name: 'a', numCpus: 1 }
      const actor = ray.remote(A).options(options).remote()
      const group = ray.placementGroup([{ CPU: 1 }])
      await Promise.all([ray.get(actor.ping.remote()), ray.get(group.ready())])
      console.log('taken', (await ray.availableResources()).CPU ?? 0)
    `
    assert.equal(await run(take), 'taken 0\n')
    const killed = driver(`${take}\nawait new Promise((r) => setTimeout(r, 1e6))`)
    await killed.said('taken 0')
    killed.kill('SIGKILL')
    await killed.ended
    // The third finds the name and the CPUs free again.
    assert.equal(await run(take), 'taken 0\n')
    // That it may restart changes nothing, and its end is no crash.
    const ended = await run(`
      import { listActors } from 'typeray/state'
      const { jobId } = await ray.init()
      const mayRestart = ray.remote({ maxRestarts: -1, numCpus: 0 }, class { ping() {} }).remote()
      await ray.get(mayRestart.ping.remote())
      await ray.shutdown()
      await ray.init()
      for (;;) {
        const actors = await listActors({ detail: true })
        const { numRestarts, deathCause } = actors.find((actor) => actor.jobId === jobId)
        if (deathCause === null) continue
        console.log(numRestarts, deathCause.message)
        break
      }
    `)
    assert.match(ended, /^0 Actor .* its job \d+ has finished/)
    stays.kill('SIGKILL')
    await stays.ended
  }))

void test('a detached placement group and its actor outlive the driver', () =>
  withHead([], async ({ run }) => {
    await run(`
      ${counter}
      await ray.init({ namespace: 'shop' })
      const group = ray.placementGroup([{ CPU: 1 }], 'PACK', { lifetime: 'detached' })
      await ray.get(group.ready())
      const schedulingStrategy = { placementGroup: group }
      const actor = ray.remote(Counter)
        .options({ name: 'inside', lifetime: 'detached', numCpus: 1, schedulingStrategy }).remote()
      await ray.get(actor.increment.remote())
    `)
    const out = await run(`
      await ray.init({ namespace: 'shop' })
      const actor = await ray.getActor('inside')
      console.log(await ray.get(actor.increment.remote()), (await ray.availableResources()).CPU)
    `)
    assert.equal(out, '2 1\n')
  }))

void test('two drivers work at the same time, and the end of one leaves the other alone', () =>
  withHead([], async ({ run, driver }) => {
    const slow = driver(`
      await ray.init()
      const double = ray.remote((x) => x * 2)
      console.log(await ray.get(double.remote(1)))
      process.stdin.resume()
      const big = ray.put(new Uint8Array(1_000_000).fill(7))
      console.log('put')
      while (!(await import('node:fs')).existsSync(process.env.GO)) await ray.get(double.remote(2))
      console.log((await ray.get(big))[999_999], await ray.get(double.remote(3)))
    `, { env: { GO: '/nonexistent' } }) // prettier-ignore
    await slow.said('put')
    const quick = `
      await ray.init()
      const triple = ray.remote((x) => x * 3)
      console.log(await ray.get([triple.remote(1), triple.remote(2)]))
    `
    assert.equal(await run(quick), '[ 3, 6 ]\n')
    assert.equal(await run(quick), '[ 3, 6 ]\n')
    slow.kill('SIGINT')
    assert.equal((await slow.ended).code, 130)
  }))

void test('an address is taken from the option, the environment, or the cluster started last', () =>
  withHead([], async ({ run, folder, cli }) => {
    const status = await cli('status')
    const address = /^Address (.*)$/m.exec(status.stdout)?.[1] ?? ''
    assert.equal(statSync(path.join(address, 'session.json')).mode & 0o777, 0o600)
    assert.equal(statSync(path.dirname(address)).mode & 0o777, 0o700)
    const print = `
      console.log((await ray.init({ address: process.env.GIVEN })).sessionName)
      await ray.shutdown()
    `
    const name = path.basename(address)
    const elsewhere = { TYPERAY_TMPDIR: path.join(folder, 'other') }
    const asked = (env: Record<string, string>): Promise<string> => run(print, { env })
    assert.equal(await asked({ GIVEN: address, ...elsewhere }), `${name}\n`)
    assert.equal(await asked({ GIVEN: name }), `${name}\n`)
    assert.equal(await asked({ GIVEN: 'auto' }), `${name}\n`)
    assert.notEqual(await asked({ GIVEN: 'local' }), `${name}\n`)
    const sync = `
      console.log(await ray.get(ray.remote(() => 7).remote()))
      console.log(ray.getRuntimeContext().sessionName)
    `
    const env = { ...elsewhere, TYPERAY_ADDRESS: address }
    assert.equal(await run(sync, { env }), `7\n${name}\n`)
    assert.equal(await run(sync, { env: { TYPERAY_ADDRESS: '' } }), `7\n${name}\n`)
    const refused = await run(
      `await ray.init({ numCpus: 4 }).catch((error) => console.log(error.message))`,
    )
    assert.match(refused, /'numCpus'.*describes a node to start.*typeray start/)
  }))

void test('a cluster that is not there is said to be so, and a dead one too', () =>
  withFolder(async ({ run, cli, folder }, traces) => {
    const tried = (address: string): Promise<string> =>
      run(`await ray.init({ address: '${address}' }).catch((error) => console.log(error.message))`)
    assert.match(await tried('auto'), /No cluster is running.*typeray start --head/)
    assert.match(await tried('session_1'), /no session at .*session_1/)
    assert.match(await tried('10.0.0.1:6379'), /the cluster at 10\.0\.0\.1:6379 needs a token/)
    assert.match((await cli('status')).stderr, /^typeray: No session is running/)
    assert.equal((await cli('status')).code, 1)
    assert.equal((await cli('start')).code, 1)
    assert.equal((await cli('start', '--head')).code, 0)
    const second = await cli('start', '--head')
    assert.equal(second.code, 1)
    assert.match(second.stderr, /^typeray: A cluster runs already: .*\n$/)
    const address = readFileSync(path.join(folder, 'current'), 'utf8')
    const { pid } = JSON.parse(readFileSync(path.join(address, 'session.json'), 'utf8')) as {
      pid: number
    }
    process.kill(pid, 'SIGKILL')
    await traces.assertNone()
    assert.match(await tried('auto'), /is dead: its process \d+ is gone/)
    assert.match(await tried(address), /is dead/)
    // Whoever asks for nothing in particular gets a session of its own.
    assert.equal(await run(`console.log(await ray.get(ray.remote(() => 5).remote()))`), '5\n')
    assert.match((await cli('stop')).stdout, /^The session \S+ was dead already\.\nNo cluster is/)
    assert.match(await tried('auto'), /No cluster is running/)
  }))

void test('a cluster with --block ends with the process that was started, however that ends', () =>
  withFolder(async ({ environment, run }, traces) => {
    const entry = fileURLToPath(new URL('../../src/cli/cli-main.js', import.meta.url))
    const args = [entry, 'start', '--head', '--block', '--num-cpus', '2']
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await until(() => text.includes('Ctrl-C'))
    assert.equal(await run(`console.log(await ray.get(ray.remote(() => 5).remote()))`), '5\n')
    child.kill('SIGKILL')
    await traces.assertNone()
  }))
