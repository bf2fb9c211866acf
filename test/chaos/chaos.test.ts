// A cluster of three nodes whose workers, nodes and GCS are killed on a seeded clock, and whose
// links break, while task graphs, streams, actors with state and large objects are at work: every
// result must be right, and nothing may be left behind.
//
// SECONDS=600 for a long run, SEED=n for one seed. Who dies follows from the seed and the timing.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { Prng } from '../../src/base/prng.js'
import * as ray from '../../src/index.js'
import { type Nodes, withNodes } from '../integration/many-nodes.js'
import { Strikes } from './strikes.js'
import { graph, storyOf, tally } from './workload.js'

const first = Number(process.env['SEED'] ?? Date.now() % 0x7fff_ffff)
const seeds = process.env['SEED'] === undefined ? [first, first + 1] : [first]
const seconds = Number(process.env['SECONDS'] ?? 30)
/** A graph that takes longer hangs, as far as one can tell on a machine with other things to do. */
const graphMsMax = 90_000
const graphsMin = 3
const longerMsMax = 60_000
const logLinesShown = 40

/** Lines that the links of all processes have written, counted. */
function faultsIn(file: string): Record<string, number> {
  const counts: Record<string, number> = { request: 0, flight: 0, response: 0 }
  if (!existsSync(file)) return counts
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line !== '') counts[line] = (counts[line] ?? 0) + 1
  }
  return counts
}

function endOfLogs({ sessions }: Nodes): string {
  return sessions
    .flatMap(({ sessionDir, pid }) => {
      const logs = path.join(sessionDir, 'logs')
      const names = readdirSync(logs).filter((name) => /^(raylet|node)\./.test(name))
      return names.map((name) => {
        const lines = readFileSync(path.join(logs, name), 'utf8').trimEnd().split('\n')
        return `== node ${pid}, ${name}\n${lines.slice(-logLinesShown).join('\n')}`
      })
    })
    .join('\n')
}

/** Rejects with what is waited for when it hangs. */
async function within<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} hangs`)), graphMsMax)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

async function run(nodes: Nodes, seed: number, faultLog: string): Promise<void> {
  const random = new Prng(seed)
  const session = await ray.init({ address: nodes.sessions[0]!.sessionDir })
  const strikes = new Strikes(nodes, new Prng(seed + 1))
  const deadline = performance.now() + seconds * 1000
  const problems: string[] = []
  let graphs = 0
  const hasSeenAll = (): boolean =>
    graphs >= graphsMin &&
    Object.values({ ...strikes.counts, ...faultsIn(faultLog) }).every((n) => n > 0)
  // On a slow machine it goes on until there was something of everything.
  const isOver = (): boolean => {
    const lateMs = performance.now() - deadline
    return problems.length > 0 || lateMs > longerMsMax || (lateMs > 0 && hasSeenAll())
  }
  const work = async (): Promise<void> => {
    while (!isOver()) {
      problems.push(...(await within('a graph', graph(random))))
      graphs++
    }
  }
  const count = async (): Promise<void> => {
    problems.push(...(await tally(isOver)))
  }
  const breaking = async (): Promise<void> => {
    while (!isOver()) {
      await strikes.next()
      const pauseMs = random.integer(100, 900)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
  const noting = (error: unknown): void => void problems.push(storyOf(error))
  try {
    const all = [work(), work(), within('an actor', count()), count(), breaking()]
    await Promise.all(all.map((each) => each.catch(noting)))
    const faults = faultsIn(faultLog)
    const summary = { seed, graphs, ...strikes.counts, ...faults }
    console.log(`${session.sessionName}: ${JSON.stringify(summary)}`)
    if (problems.length > 0) console.log(strikes.history.join('\n'), `\n${endOfLogs(nodes)}`)
    assert.deepEqual(problems, [])
    assert.ok(graphs >= graphsMin, `${graphs} graphs`)
    for (const [what, n] of Object.entries({ ...strikes.counts, ...faults })) {
      assert.ok(n > 0, `nothing happened to any ${what}: ${JSON.stringify(summary)}`)
    }
  } finally {
    await ray.shutdown()
  }
}

for (const seed of seeds) {
  void test(`every result is right while all is breaking (seed ${seed})`, async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'chaos-'))
    const faultLog = path.join(folder, 'faults')
    const variables = {
      TYPERAY_LINK_FAULTS: `${seed % 1000}:300`,
      TYPERAY_LINK_FAULTS_LOG: faultLog,
    }
    try {
      await withNodes(
        3,
        (nodes) => run(nodes, seed, faultLog),
        { numCpus: 2, validate: false },
        { variables },
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}
