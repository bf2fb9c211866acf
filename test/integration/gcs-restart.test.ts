// The GCS of a head dies and comes back, while the nodes and their programs go on.

import assert from 'node:assert/strict'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { until } from '../../src/testing/index.js'
import { withNodes } from './many-nodes.js'
import { isAlive, type SessionFile } from '../../src/node/session-file.js'

/** The process of the GCS, a child of the head's node process; undefined between two of them. */
function gcsOf({ pid }: SessionFile): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return children.map(Number).find((child) => commandOf(child).includes('gcs-main'))
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

async function killGcs(head: SessionFile): Promise<void> {
  await until(() => gcsOf(head) !== undefined)
  const old = gcsOf(head) ?? assert.fail()
  process.kill(old, 'SIGKILL')
  await until(() => gcsOf(head) !== old)
}

/** For a program that waits where the test wants to do something. */
const pauseHere = `
  const pause = (name) => new Promise((resolve) => {
    const idle = setInterval(() => {}, 1000)
    process.once('SIGUSR2', () => {
      clearInterval(idle)
      resolve()
    })
    console.log(name)
  })
`

const headOf = (sessions: readonly SessionFile[]): SessionFile => sessions[0] ?? assert.fail()

test('no task is lost with the GCS, and actors that are made meanwhile wait and go on', () =>
  withNodes(
    2,
    async ({ sessions, driver }) => {
      const program = driver(`
        ${pauseHere}
        await ray.init({ namespace: 'app' })
        const sleepy = ray.remote(async (i) => {
          await new Promise((resolve) => setTimeout(resolve, 2))
          return i
        })
        class Counter {
          count = 0
          increment() { return ++this.count }
        }
        const Remote = ray.remote(Counter).options({ numCpus: 0 })
        const before = Remote.options({ name: 'before', lifetime: 'detached' }).remote()
        await ray.get(before.increment.remote())
        const group = ray.placementGroup([{ slot: 1 }], 'PACK', { name: 'group' })
        await ray.get(group.ready())
        const refs = Array.from({ length: 1000 }, (_, i) => sleepy.remote(i))
        await ray.get(refs[20])
        await pause('kill now')
        const meanwhile = Remote.options({ name: 'meanwhile' }).remote()
        console.log('made', await ray.get(meanwhile.increment.remote()))
        const values = await ray.get(refs)
        console.log('tasks', values.length, values.every((value, i) => value === i))
        const found = await ray.getActor('before')
        console.log('found', await ray.get(found.increment.remote()))
        console.log('group', (await ray.getPlacementGroup('group')).id === group.id)
        ray.kill(found)
      `)
      await program.said('kill now')
      await killGcs(headOf(sessions))
      program.kill('SIGUSR2')
      const { code, stdout, stderr } = await program.ended
      assert.equal(code, 0, stderr)
      assert.equal(stdout, 'kill now\nmade 1\ntasks 1000 true\nfound 2\ngroup true\n')
    },
    { resources: { slot: 1 } },
  ))

test('what is detached is found after the GCS died again and again, and listed with its job', () =>
  withNodes(1, async ({ sessions, run }) => {
    const head = headOf(sessions)
    const made = await run(`
      const { jobId } = await ray.init({ namespace: 'app' })
      class Counter {
        count = 0
        increment() { return ++this.count }
      }
      const lasting = { name: 'counter', lifetime: 'detached' }
      const counter = ray.remote(Counter).options(lasting).remote()
      await ray.get(counter.increment.remote())
      const group = ray.placementGroup([{ CPU: 1 }], 'PACK', { name: 'g', lifetime: 'detached' })
      await ray.get(group.ready())
      console.log(jobId)
    `)
    for (let n = 0; n < 3; n++) await killGcs(head)
    const found = await run(`
      import { list, listJobs } from 'typeray/state'
      await ray.init({ namespace: 'app' })
      const counter = await ray.getActor('counter')
      console.log(await ray.get(counter.increment.remote()))
      const group = await ray.getPlacementGroup('g')
      const states = Object.values(await ray.placementGroupTable()).map(({ state }) => state)
      console.log(states.join())
      const jobs = await listJobs()
      console.log(jobs.map(({ jobId, status }) => jobId + ' ' + status).join(', '))
      console.log((await ray.availableResources()).CPU)
      const endless = () => new Promise((resolve) => setTimeout(resolve, 1e6))
      const running = ray.remote({ numCpus: 0, name: 'endless' }, endless).remote()
      let tasks = await list('tasks')
      while (!tasks.rows.some(({ state }) => state === 'RUNNING')) tasks = await list('tasks')
      console.log(tasks.rows.map(({ name }) => name).join(), tasks.warnings.join(' '))
      ray.cancel(running)
      ray.removePlacementGroup(group)
      ray.kill(counter)
    `)
    const jobs = `${made.trim()} SUCCEEDED, 00000002 RUNNING`
    const said = 'Tasks that had ended before the GCS was started again are not listed.'
    const [listed = '', ...rest] = found.trim().split('\n').reverse()
    assert.deepEqual(rest.reverse(), ['2', 'CREATED', jobs, 'undefined'])
    assert.match(listed, /endless/)
    assert.ok(listed.endsWith(said), listed)
  }))

test('an actor restarts while the GCS is away, and its callers hear of it', () =>
  withNodes(1, async ({ sessions, driver }) => {
    const head = headOf(sessions)
    const program = driver(`
      ${pauseHere}
      await ray.init()
      class Counter {
        count = 0
        increment() { return ++this.count }
        pid() { return process.pid }
      }
      const counter = ray.remote(Counter).options({ maxRestarts: 1, maxTaskRetries: 1 }).remote()
      await ray.get(counter.increment.remote())
      console.log(await ray.get(counter.pid.remote()))
      await pause('kill now')
      console.log('again', await ray.get(counter.increment.remote()))
    `)
    await program.said('kill now')
    const gcs = gcsOf(head) ?? assert.fail()
    // Frozen, it hears of nothing: the raylet has to say it to the next one.
    process.kill(gcs, 'SIGSTOP')
    process.kill(Number(program.stdout.split('\n')[0]), 'SIGKILL')
    await until(() => /Counter, has ended/.test(raylogOf(head)))
    process.kill(gcs, 'SIGKILL')
    program.kill('SIGUSR2')
    const { code, stdout, stderr } = await program.ended
    assert.equal(code, 0, stderr)
    assert.match(stdout, /again 1\n$/)
  }))

test('a GCS that hangs is killed and started again', () =>
  withNodes(
    1,
    async ({ sessions, driver }) => {
      const head = headOf(sessions)
      const program = driver(`
        ${pauseHere}
        await ray.init()
        class Counter {
          count = 0
          increment() { return ++this.count }
        }
        const Remote = ray.remote(Counter).options({ numCpus: 0 })
        const before = Remote.remote()
        await ray.get(before.increment.remote())
        await pause('stop now')
        const meanwhile = Remote.remote()
        console.log('made', await ray.get(meanwhile.increment.remote()))
        console.log('before', await ray.get(before.increment.remote()))
      `)
      await program.said('stop now')
      const old = gcsOf(head) ?? assert.fail()
      process.kill(old, 'SIGSTOP')
      program.kill('SIGUSR2')
      const { code, stdout, stderr } = await program.ended
      assert.equal(code, 0, stderr)
      assert.equal(stdout, 'stop now\nmade 1\nbefore 2\n')
      assert.match(raylogOf(head), new RegExp(`GCS, pid ${old}, has not answered for 4000 ms`))
    },
    {},
    { variables: { TYPERAY_NODE_DEADLINE_MS: '4000' } },
  ))

test('a detached actor of another node that dies while the GCS is away is started again', () =>
  withNodes(2, async ({ sessions, run }) => {
    const [head, other] = sessions
    assert.ok(head && other)
    const pid = await run(`
      await ray.init({ namespace: 'app' })
      class Counter {
        count = 0
        increment() { return ++this.count }
        pid() { return process.pid }
      }
      const counter = ray.remote(Counter).options({
        name: 'counter', lifetime: 'detached', maxRestarts: -1,
        schedulingStrategy: { nodeId: '${other.nodeId}', soft: false },
      }).remote()
      await ray.get([counter.increment.remote(), counter.increment.remote()])
      console.log(await ray.get(counter.pid.remote()))
    `)
    const gcs = gcsOf(head) ?? assert.fail()
    // Frozen, it hears of nothing: the raylet has to say it to the next one.
    process.kill(gcs, 'SIGSTOP')
    process.kill(Number(pid), 'SIGKILL')
    await until(() => /Counter, has ended/.test(raylogOf(other)))
    process.kill(gcs, 'SIGKILL')
    const again = await run(`
      await ray.init({ namespace: 'app' })
      const counter = await ray.getActor('counter')
      let count
      while (count === undefined) {
        count = await ray.get(counter.increment.remote()).catch((error) => {
          if (!(error instanceof ray.ActorUnavailableError)) throw error
        })
      }
      console.log(count, await ray.get(counter.pid.remote()) !== ${pid.trim()})
      ray.kill(counter)
    `)
    assert.equal(again, '1 true\n')
  }))

test('a node that joins after the GCS died gets code and files that were sent before', (t) =>
  withNodes(1, async ({ sessions, driver, join }) => {
    const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'project-')))
    t.after(() => rmSync(folder, { recursive: true }))
    writeFileSync(path.join(folder, 'words.txt'), 'one two three')
    const program = driver(`
      import { readFileSync } from 'node:fs'
      ${pauseHere}
      await ray.init({ runtimeEnv: { workingDir: ${JSON.stringify(folder)} } })
      const read = ray.remote(() => readFileSync('words.txt', 'utf8'))
      console.log(await ray.get(read.remote()))
      await pause('kill now')
      const alive = async () => (await ray.nodes()).filter((node) => node.alive).length
      while ((await alive()) < 2) await new Promise((resolve) => setTimeout(resolve, 20))
      console.log('later', await ray.get(read.options({ resources: { later: 1 } }).remote()))
    `)
    await program.said('kill now')
    await killGcs(headOf(sessions))
    await join({ resources: { later: 1 } })
    program.kill('SIGUSR2')
    const { code, stdout, stderr } = await program.ended
    assert.equal(code, 0, stderr)
    assert.match(stdout, /later one two three\n$/)
  }))

function raylogOf({ sessionDir }: SessionFile): string {
  const logs = path.join(sessionDir, 'logs')
  const texts = readdirSync(logs).filter((name) => name.startsWith('raylet'))
  return texts.map((name) => readFileSync(path.join(logs, name), 'utf8')).join('')
}

test('a head whose GCS cannot go on ends, and says why', () =>
  withNodes(1, async ({ sessions, token, driver }) => {
    const head = headOf(sessions)
    // Somebody else opens the tables: from now on they are theirs.
    const { openStorage, storagePlace } = await import('../../src/gcs/storage/open-storage.js')
    const other = await openStorage(storagePlace('lmdb', path.join(head.sessionDir, 'gcs')))
    assert.ok((await other.load('nodes')).length === 1)
    assert.ok(!JSON.stringify(await other.load('cluster')).includes(token))
    await other.close()
    // Its job is the next thing to be stored.
    await driver('await ray.init()').ended
    await until(() => !isAlive(head))
    const said = readFileSync(path.join(head.sessionDir, 'logs', 'node.err'), 'utf8')
    assert.match(said, /Another head has taken over the tables of the cluster at /)
    assert.match(said, /this node ends, because another head has taken over the tables/)
  }))
