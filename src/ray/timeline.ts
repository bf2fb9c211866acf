import { writeFile } from 'node:fs/promises'
import { liveTasksMax, taskEventsMax } from '../base/limits.js'
import { requireSession } from './session.js'

/** One event of a trace as Chrome and Perfetto read them. Times are in microseconds since 1970. */
export interface TraceEvent {
  /** What the bar is called: the function. */
  readonly name: string
  /** `task`, or nothing for the names of processes. */
  readonly cat: string
  /** `X` for a bar, `M` for a name. */
  readonly ph: 'X' | 'M'
  /** Where the bar begins. */
  readonly ts: number
  /** How long it is. */
  readonly dur: number
  /** The node, counted from 1. */
  readonly pid: number
  /** Process id of the worker. */
  readonly tid: number
  /** Ids, states and names. */
  readonly args: Readonly<Record<string, unknown>>
}

/**
 * What ran when on which worker: the last tasks that have ended, as a trace for chrome://tracing or
 * ui.perfetto.dev. Written to the file if one is given.
 *
 * Follows `ray.timeline` of Ray.
 *
 * @example
 * await ray.timeline('trace.json')
 *
 * @throws TypeError for what is no path; what Node throws when the file cannot be written.
 */
export async function timeline(file?: string): Promise<TraceEvent[]> {
  if (file !== undefined && (typeof file !== 'string' || file === '')) {
    throw new TypeError('ray.timeline takes the path of a file, or nothing.')
  }
  const answer = (await requireSession().query({
    what: 'state',
    resource: 'tasks',
    filters: [],
    limit: taskEventsMax + liveTasksMax,
    detail: true,
  })) as { readonly rows: readonly Readonly<Record<string, unknown>>[] }
  const events = traceOf(answer.rows)
  if (file !== undefined) await writeFile(file, JSON.stringify(events))
  return events
}

/** Rows of tasks, with details, as a trace. */
export function traceOf(rows: readonly Readonly<Record<string, unknown>>[]): TraceEvent[] {
  const nodes = new Map<unknown, number>()
  const workers = new Map<number, number>()
  const bars: TraceEvent[] = []
  for (const row of rows) {
    const { startTimeMs: start, endTimeMs: end, nodeId } = row
    if (typeof start !== 'number' || typeof end !== 'number') continue
    const pid = nodes.get(nodeId) ?? nodes.size + 1
    nodes.set(nodeId, pid)
    const tid = Number(row['workerPid'] ?? 0)
    workers.set(tid, pid)
    const { taskId, attemptNumber, state, actorId, jobId } = row
    bars.push({
      name: String(row['name']),
      cat: 'task',
      ph: 'X',
      ts: start * 1000,
      dur: (end - start) * 1000,
      pid,
      tid,
      args: { taskId, attemptNumber, state, actorId, jobId },
    })
  }
  const named = { cat: '', ph: 'M', ts: 0, dur: 0 } as const
  return [
    ...[...nodes].map(([nodeId, pid]) => ({
      ...named,
      name: 'process_name',
      pid,
      tid: 0,
      args: { name: `node ${String(nodeId)}` },
    })),
    ...[...workers].map(([tid, pid]) => ({
      ...named,
      name: 'thread_name',
      pid,
      tid,
      args: { name: `worker pid=${tid}` },
    })),
    ...bars.reverse(),
  ]
}
