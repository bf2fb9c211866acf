// typeray status

import { byteSize, resourceAmount } from '../base/byte-size.js'
import { ask } from './ask.js'

interface NodeRow {
  readonly nodeId: string
  readonly alive: boolean
  readonly isDraining?: boolean
  readonly address: string
  readonly resources: Record<string, number>
  readonly available?: Record<string, number>
  /** What requests wait for there, in all. */
  readonly waiting?: Record<string, number>
}
interface WorkerRow {
  readonly state: string
}
interface InfeasibleRow {
  readonly name: string
  readonly count: number
  readonly why: string
}
interface Said<T> {
  readonly values: readonly T[]
  readonly silent: number
}

export async function status(options: { readonly address?: string }): Promise<void> {
  const facts = await ask(options, async (observer, session) => ({
    session,
    nodes: (await observer.query({ what: 'nodes' })) as NodeRow[],
    total: (await observer.query({ what: 'clusterResources' })) as Record<string, number>,
    free: (await observer.query({ what: 'availableResources' })) as Record<string, number>,
    infeasible: (await observer.query({ what: 'infeasible' })) as InfeasibleRow[],
    workers: (await observer.query({ what: 'everyNode', question: 'workers' })) as Said<
      readonly WorkerRow[]
    >,
    stores: (await observer.query({ what: 'everyNode', question: 'storeStatistics' })) as Said<
      Readonly<Record<'arenaBytes' | 'usedBytes' | 'fileBytes' | 'objects', number>>
    >,
  }))
  const { session, nodes, total, free, infeasible, workers, stores } = facts
  const stored = (what: keyof (typeof stores.values)[number]): number =>
    stores.values.reduce((sum, store) => sum + store[what], 0)
  const alive = nodes.filter((node) => node.alive).length
  const seconds = Math.round((Date.now() - session.startedAtMs) / 1000)
  const lines = [
    `Session ${session.sessionName}, process ${session.pid}, for ${seconds} s`,
    `Address ${session.sessionDir}`,
    '',
    `Nodes    ${alive} alive, ${nodes.length - alive} dead`,
    ...nodes.filter((node) => node.alive && nodes.length > 1).map(describe),
    `Workers  ${byState(workers.values.flat())}${silence(workers.silent)}`,
    '',
    'Resources in use',
    ...Object.keys(total).map((name) => {
      const used = (total[name] ?? 0) - (free[name] ?? 0)
      return `  ${resourceAmount(name, used)} of ${resourceAmount(name, total[name] ?? 0)} ${name}`
    }),
    ...waitingLines(nodes),
    ...infeasibleLines(infeasible),
    '',
    'Objects',
    `  ${stored('objects')} stored, ${byteSize(stored('usedBytes'))} of ` +
      `${byteSize(stored('arenaBytes'))} in use${silence(stores.silent)}`,
    `  ${byteSize(stored('fileBytes'))} on disk`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

/**
 * What is used up is not in `available`; a node that has not said what it has has nothing in use.
 */
function describe({ nodeId, address, isDraining, resources, available }: NodeRow): string {
  const cpus = resources['CPU'] ?? 0
  const used = available === undefined ? 0 : cpus - (available['CPU'] ?? 0)
  const how = isDraining === true ? ', draining' : ''
  const where = address || 'runs nothing'
  return `  ${nodeId}  ${where}  ${resourceAmount('CPU', used)} of ${cpus} CPU in use${how}`
}

/** What is asked for and not there, over all nodes. */
function waitingLines(nodes: readonly NodeRow[]): string[] {
  const all = new Map<string, number>()
  for (const { waiting = {} } of nodes) {
    for (const [name, value] of Object.entries(waiting)) {
      if (value > 0) all.set(name, (all.get(name) ?? 0) + value)
    }
  }
  if (all.size === 0) return ['', 'Nothing waits for resources']
  const list = [...all].map(([name, value]) => `  ${resourceAmount(name, value)} ${name}`)
  return ['', 'Waited for, beyond what is free', ...list]
}

/** What waits for a node to join that is large enough. */
function infeasibleLines(rows: readonly InfeasibleRow[]): string[] {
  if (rows.length === 0) return []
  const lines = rows.map(({ name, count, why }) => {
    const times = count === 1 ? '' : ` (${count})`
    return `  ${name}${times}: ${why}`
  })
  return ['', 'Infeasible, waits for nodes to join', ...lines]
}

function silence(nodes: number): string {
  return nodes === 0 ? '' : `, without ${nodes} nodes that have not answered`
}

function byState(workers: readonly WorkerRow[]): string {
  const counts = new Map<string, number>()
  for (const { state } of workers) counts.set(state, (counts.get(state) ?? 0) + 1)
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ') || 'none'
}
