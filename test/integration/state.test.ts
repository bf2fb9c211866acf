// What `typeray/state` says of a session, and what `ray.timeline` makes of it.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as state from '../../src/state/index.js'
import { until } from '../../src/testing/index.js'
import { collectGarbage, inCluster, rejection } from './in-cluster.js'

class Counter {
  #n = 0

  increment(): number {
    return ++this.#n
  }

  async wait(file: string): Promise<void> {
    while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  pid(): number {
    return process.pid
  }
}

/** Computes without a pause until the file is there. */
function spin(file: string): number {
  while (!existsSync(file));
  return process.pid
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'state-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
let files = 0
const newFile = (): string => path.join(folder, String(++files))

const settings = { objectStoreMemory: 64e6, numCpus: 2 }

inCluster('the state of a session', settings, {
  'tasks that have ended are listed with what ran them, and those that failed with why': async ({
    ray,
    session,
  }) => {
    const double = ray.remote(function doubleTask(x: number) {
      return x * 2
    })
    const broken = ray.remote(function brokenTask(): number {
      throw new RangeError('too far')
    })
    const crash = ray.remote({ maxRetries: 0 }, function crashTask() {
      process.kill(process.pid, 'SIGKILL')
    })
    await ray.get([1, 2, 3].map((x) => double.remote(x)))
    const ref = broken.remote()
    await rejection(ray.get(ref))
    // Told by its worker before the next task ends that.
    await until(async () => (await state.getTask(ref.id)).length > 0)
    await rejection(ray.get(crash.remote()))
    const failed = await until(async () => {
      const rows = await state.listTasks({ filters: [['state', '=', 'FAILED']], detail: true })
      return rows.length >= 2 ? rows : undefined
    })
    const one = failed.find((row) => row.name === 'brokenTask')
    assert.equal(one?.taskId, ref.id)
    assert.equal(one.errorType, 'RAY_TASK_ERROR')
    assert.match(one.errorMessage ?? '', /RangeError: too far/)
    const other = failed.find((row) => row.name === 'crashTask')
    assert.equal(other?.errorType, 'RAY_WORKER_CRASHED')
    const doubled = await until(async () => {
      const rows = await state.listTasks({ filters: [['name', '=', 'doubleTask']], detail: true })
      return rows.length === 3 ? rows : undefined
    })
    for (const row of doubled) {
      assert.equal(row.state, 'FINISHED')
      assert.equal(row.type, 'NORMAL_TASK')
      assert.equal(row.nodeId, session.nodeId)
      assert.equal(row.jobId, session.jobId)
      assert.ok((row.endTimeMs ?? 0) >= (row.startTimeMs ?? Infinity))
    }
    const [found] = await state.getTask(ref.id)
    assert.equal(found?.state, 'FAILED')
    assert.deepEqual(await state.getTask('nonsense'), [])
  },

  'a retried task is listed once for each attempt': async ({ ray }) => {
    const flaky = ray.remote({ maxRetries: 1, retryExceptions: true }, function flakyTask() {
      throw new Error('again')
    })
    const ref = flaky.remote()
    await rejection(ray.get(ref))
    const attempts = (await state.getTask(ref.id)).map((row) => row.attemptNumber)
    assert.deepEqual(attempts.sort(), [0, 1])
  },

  'tasks under way are listed, those too whose worker computes and answers nobody': async ({
    ray,
  }) => {
    const go = newFile()
    const remoteSpin = ray.remote(spin)
    const refs = [1, 2, 3].map(() => remoteSpin.remote(go))
    const rows = await until(async () => {
      const found = await state.listTasks({ filters: [['name', '=', 'spin']] })
      return found.some((row) => row.state === 'RUNNING') && found.length === 3 ? found : undefined
    })
    assert.ok(
      rows.some((row) => row.state !== 'RUNNING'),
      'two CPUs cannot run three',
    )
    assert.ok(rows.some((row) => row.workerPid !== null))
    writeFileSync(go, '')
    await ray.get(refs)
    await until(async () => {
      const found = await state.listTasks({ filters: [['name', '=', 'spin']] })
      return found.length === 3 && found.every((row) => row.state === 'FINISHED')
    })
  },

  'a task that waits in get says so, and its child names it as its parent': async ({ ray }) => {
    const go = newFile()
    const child = ray.remote(async function childTask() {
      while (!existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 10))
    })
    const parent = ray.remote(async function parentTask() {
      await ray.get(child.remote())
    })
    const ref = parent.remote()
    const rows = await until(async () => {
      const found = await state.listTasks({ filters: [['state', '!=', 'FINISHED']] })
      const waits = found.find(({ state: now }) => now === 'RUNNING_IN_RAY_GET')
      const runs = found.find((row) => row.name === 'childTask' && row.state === 'RUNNING')
      return waits === undefined || runs === undefined ? undefined : [waits, runs]
    })
    assert.equal(rows[0]?.taskId, ref.id)
    assert.equal(rows[1]?.parentTaskId, ref.id)
    writeFileSync(go, '')
    await ray.get(ref)
  },

  'calls and creations of actors are tasks of their kind, and an actor is a row': async ({
    ray,
  }) => {
    const actor = ray.remote(Counter).options({ name: 'seen' }).remote()
    const pid = await ray.get(actor.pid.remote())
    const [row] = await state.listActors({ filters: [['name', '=', 'seen']], detail: true })
    assert.equal(row?.state, 'ALIVE')
    assert.equal(row.className, 'Counter')
    assert.equal(row.pid, pid)
    assert.equal(row.isDetached, false)
    const go = newFile()
    const waiting = actor.wait.remote(go)
    await until(async () => {
      const calls = await state.listTasks({ filters: [['actorId', '=', row.actorId]] })
      const states = new Map(calls.map((each) => [each.name, each]))
      return (
        states.get('Counter.constructor')?.type === 'ACTOR_CREATION_TASK' &&
        states.get('Counter.pid')?.state === 'FINISHED' &&
        states.get('Counter.wait')?.state === 'RUNNING'
      )
    })
    writeFileSync(go, '')
    await ray.get(waiting)
    ray.kill(actor)
    const dead = await until(async () => {
      const found = await state.getActor(row.actorId)
      return found?.state === 'DEAD' ? found : undefined
    })
    assert.equal(dead.deathCause?.type, 'kill')
    await until(async () => {
      const worker = (await state.listWorkers({ detail: true })).find((each) => each.pid === pid)
      return worker?.isAlive === false && worker.exitType === 'INTENDED_USER_EXIT'
    })
  },

  'objects are listed by holder, with their size, and go with their last ref': async ({ ray }) => {
    await (async () => {
      const ref = ray.put(new Uint8Array(3_000_000))
      const [row, ...more] = await state.getObjects(ref.id)
      assert.deepEqual(more, [])
      assert.equal(row?.referenceType, 'PINNED_IN_MEMORY')
      assert.equal(row.pid, process.pid)
      assert.ok((row.objectSize ?? 0) >= 3_000_000)
      const { totalSizeMb } = await state.summarizeObjects()
      assert.ok(totalSizeMb >= 3)
    })()
    await until(async () => {
      await collectGarbage()
      return (await state.listObjects({ filters: [['isStored', '=', true]] })).length === 0
    })
  },

  'nodes, jobs, workers and placement groups are rows': async ({ ray, session, workerPids }) => {
    const [node] = await state.listNodes({ detail: true })
    assert.equal(node?.nodeId, session.nodeId)
    assert.equal(node.resourcesTotal['CPU'], 2)
    const [job] = await state.listJobs({ detail: true })
    assert.equal(job?.jobId, session.jobId)
    assert.equal(job.driverPid, process.pid)
    assert.equal(job.status, 'RUNNING')
    const alive = await state.listWorkers({ filters: [['isAlive', '=', true]] })
    assert.ok(alive.some((row) => row.workerType === 'DRIVER' && row.pid === process.pid))
    const pids = new Set(workerPids())
    assert.ok(alive.some((row) => row.workerType === 'WORKER' && pids.has(row.pid)))
    const group = ray.placementGroup([{ CPU: 1 }], 'PACK', { name: 'shelf' })
    await ray.get(group.ready())
    const row = await state.getPlacementGroup(group.id)
    assert.equal(row?.state, 'CREATED')
    assert.equal(row.name, 'shelf')
    assert.equal(row.creatorJobId, session.jobId)
    ray.removePlacementGroup(group)
    await until(async () => (await state.getPlacementGroup(group.id))?.state === 'REMOVED')
  },

  'a task with enableTaskEvents: false is not listed, and the limit counts the rest': async ({
    ray,
  }) => {
    const quiet = ray.remote({ enableTaskEvents: false }, function quietTask() {
      return 1
    })
    const loud = ray.remote(function loudTask(x: number) {
      return x
    })
    await ray.get([quiet.remote(), quiet.remote()])
    await ray.get(Array.from({ length: 50 }, (_, x) => loud.remote(x)))
    const filters: state.Filter[] = [['name', '=', 'loudTask']]
    const found = await until(async () => {
      const answer = await state.list('tasks', { filters, limit: 10 })
      return answer.numFiltered === 50 ? answer : undefined
    })
    assert.equal(found.rows.length, 10)
    assert.deepEqual(await state.listTasks({ filters: [['name', '=', 'quietTask']] }), [])
    const { summary } = await state.summarizeTasks()
    assert.deepEqual(summary['loudTask']?.stateCounts, { FINISHED: 50 })
  },

  'calls of an actor are listed unless it, its method or the call says otherwise': async ({
    ray,
  }) => {
    class Mixed {
      usual() {
        return 1
      }
      other() {
        return 2
      }
      last() {
        return 3
      }
    }
    const Some = ray.remote({ methods: { other: { enableTaskEvents: false } } }, Mixed)
    const None = ray.remote(
      { enableTaskEvents: false, methods: { other: { enableTaskEvents: true } } },
      Mixed,
    )
    const [some, none] = [Some.remote(), None.remote()]
    for (const actor of [some, none]) {
      const { usual, other, last } = actor
      const quiet = last.options({ enableTaskEvents: false })
      await ray.get([usual.remote(), other.remote(), quiet.remote(), last.remote()])
    }
    const calls = async (actor: object): Promise<string[]> => {
      const filters: state.Filter[] = [
        ['actorId', '=', ray.actorId(actor)],
        ['type', '=', 'ACTOR_TASK'],
      ]
      return (await state.listTasks({ filters })).map((row) => row.name).sort()
    }
    await until(async () => (await calls(some)).length === 2 && (await calls(none)).length > 0)
    assert.deepEqual(await calls(some), ['Mixed.last', 'Mixed.usual'])
    assert.deepEqual(await calls(none), ['Mixed.other'])
  },

  'an option, column or limit that does not exist is refused by name': async () => {
    const wrong = (options: object): Promise<unknown> =>
      rejection((async () => state.listTasks(options))())
    assert.match(String(await wrong({ filter: [] })), /'filter' is not an option/)
    assert.match(String(await wrong({ filters: [['nam', '=', 'x']] })), /'nam' is not a column/)
    assert.match(String(await wrong({ filters: [['name', '<', 'x']] })), /'=' or '!='/)
    assert.match(String(await wrong({ limit: 1e9 })), /'limit'/)
    assert.match(String(await wrong({ address: 'session_none' })), /no session at/)
  },

  'a session can be asked from outside by its folder, and the timeline is a trace': async ({
    ray,
    session,
  }) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'trace-'))
    try {
      const [job] = await state.listJobs({ address: ray.getRuntimeContext().sessionDir })
      assert.equal(job?.jobId, session.jobId)
      const file = path.join(folder, 'trace.json')
      const step = ray.remote(function stepTask(x: number) {
        return x
      })
      await ray.get([step.remote(1), step.remote(2)])
      const steps = await until(async () => {
        const events = await ray.timeline(file)
        const found = events.filter(({ name, ph }) => name === 'stepTask' && ph === 'X')
        return found.length === 2 ? found : undefined
      })
      for (const { dur, args } of steps) {
        assert.ok(dur >= 0)
        assert.equal(args['state'], 'FINISHED')
      }
      assert.ok(Array.isArray(JSON.parse(readFileSync(file, 'utf8'))))
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
})
