// Typeray's side of the suite `cluster`.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as ray from 'typeray'
import type { SessionFile } from '../../src/node/session-file.js'
import { descendantsOf } from '../process-tree.js'
import type { OpenProbe, ProbeTable } from '../probe.js'
import { batch } from '../core/session.js'
import { type BenchNodes, on, openNodes } from './nodes.js'

const GiB = 1024 ** 3
const pollMs = 5

const smallValue = (): string => 'ok'

function node(nodes: BenchNodes, n: number): SessionFile {
  const session = nodes.sessions[n]
  if (session === undefined) throw new Error(`there is no node ${n}`)
  return session
}

const roundTrip: OpenProbe = async () => {
  const nodes = await openNodes(2)
  const task = ray.remote(smallValue).options(on(node(nodes, 1)))
  await ray.get(task.remote())
  return {
    kind: 'rate',
    unitsPerStep: 1,
    step: () => ray.get(task.remote()),
    close: () => nodes.close(),
  }
}

const tasksAsync: OpenProbe = async () => {
  const nodes = await openNodes(2)
  const task = ray.remote(smallValue)
  return {
    kind: 'rate',
    unitsPerStep: 1000,
    step: batch(1000, () => task.remote()),
    close: () => nodes.close(),
  }
}

/** Reads an object that is on another node, and says how long it took. */
class Reader {
  async readMs([ref]: readonly [ray.ObjectRef<Uint8Array>]): Promise<number> {
    const startedMs = performance.now()
    const bytes = await ray.get(ref)
    const elapsedMs = performance.now() - startedMs
    if (bytes[0] !== 1 || bytes[bytes.length - 1] !== 2) throw new Error('other bytes have come')
    return elapsedMs
  }
}

function marked(length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(7)
  bytes[0] = 1
  bytes[length - 1] = 2
  return bytes
}

const transfer: OpenProbe = async () => {
  const nodes = await openNodes(2, { objectStoreMemory: 3 * GiB })
  const reader = ray
    .remote(Reader)
    .options(on(node(nodes, 1)))
    .remote()
  const bytes = marked(GiB)
  const once = async (): Promise<number> => {
    const ref = ray.put(bytes)
    const elapsedMs = await ray.get(reader.readMs.remote([ref]))
    ray.free([ref])
    return GiB / 1e6 / elapsedMs
  }
  // Pages that were never touched cost more than the transfer, and a copy that is not collected yet
  // sends the next one to others.
  for (let n = 0; n < 4; n++) await once()
  return { kind: 'sample', sample: once, close: () => nodes.close() }
}

const broadcast: OpenProbe = async () => {
  const nodes = await openNodes(5, { objectStoreMemory: 1.2 * GiB })
  const readers = nodes.sessions
    .slice(1)
    .map((session) => ray.remote(Reader).options(on(session)).remote())
  const bytes = marked(GiB / 4)
  const inTurn = async (): Promise<number> => {
    const ref = ray.put(bytes)
    const startedMs = performance.now()
    for (const reader of readers) await ray.get(reader.readMs.remote([ref]))
    const elapsedMs = performance.now() - startedMs
    ray.free([ref])
    return elapsedMs
  }
  const atOnce = async (): Promise<number> => {
    const ref = ray.put(bytes)
    const startedMs = performance.now()
    await ray.get(readers.map((reader) => reader.readMs.remote([ref])))
    const elapsedMs = performance.now() - startedMs
    ray.free([ref])
    return elapsedMs
  }
  for (let n = 0; n < 5; n++) await atOnce()
  return {
    kind: 'sample',
    sample: async () => (await inTurn()) / (await atOnce()),
    close: () => nodes.close(),
  }
}

const nodeKilled: OpenProbe = async () => {
  const nodes = await openNodes(1)
  return {
    kind: 'sample',
    async sample() {
      const victim = await nodes.join()
      const folder = mkdtempSync(path.join(os.tmpdir(), 'bench-kill-'))
      const file = path.join(folder, 'begun')
      const runs = ray.remote({ maxRetries: -1 }, async (begun: string, doomed: string) => {
        if (ray.getRuntimeContext().nodeId !== doomed)
          return performance.timeOrigin + performance.now()
        writeFileSync(begun, '')
        return new Promise<number>(() => undefined)
      })
      const soft = { schedulingStrategy: { nodeId: victim.nodeId, soft: true } }
      const result = runs.options(soft).remote(file, victim.nodeId)
      while (!existsSync(file)) await pause()
      const killedAt = Date.now()
      process.kill(victim.pid, 'SIGKILL')
      const againAt = await ray.get(result)
      rmSync(folder, { recursive: true })
      return (againAt - killedAt) / 1000
    },
    close: () => nodes.close(),
  }
}

const gcsRestart: OpenProbe = async () => {
  const nodes = await openNodes(2)
  const task = ray.remote(smallValue)
  const spread = { schedulingStrategy: 'SPREAD' as const }
  await ray.get(task.remote())
  return {
    kind: 'sample',
    async sample() {
      const gcs = descendantsOf(node(nodes, 0).pid).find((pid) =>
        commandOf(pid).includes('gcs-main'),
      )
      if (gcs === undefined) throw new Error('the head has no process for its GCS')
      const killedAt = performance.now()
      process.kill(gcs, 'SIGKILL')
      // An actor needs the GCS; a task might not.
      const actor = ray
        .remote(Reader)
        .options({ numCpus: 0, ...spread })
        .remote()
      await ray.get(actor.__ray_ready__.remote())
      const elapsedMs = performance.now() - killedAt
      ray.kill(actor)
      return elapsedMs / 1000
    },
    close: () => nodes.close(),
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return readdirSync('/proc').includes(String(pid)) ? '?' : ''
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pollMs))

export const clusterProbes: ProbeTable = {
  'remote task round trip': roundTrip,
  'tasks async over 2 nodes': tasksAsync,
  '1 GiB object node to node': transfer,
  'broadcast of 256 MiB to 4 nodes, over one after another': broadcast,
  'SIGKILL of a node to its tasks elsewhere': nodeKilled,
  'GCS restart to first new task': gcsRestart,
}
