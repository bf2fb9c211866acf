// What this process has recorded and not yet reported.
//
// The first value after a quiet time is reported as soon as the event loop turns, later ones at
// most every `reportMs`. So a task that counts once is not late, and one that counts in a loop
// costs a message now and then. Nothing here keeps a program running.

import { type ActorHandle, getRuntimeContext, isInitialized, remote } from '../../ray/index.js'
import {
  AggregatorActor,
  type MetricDefinition,
  type MetricReport,
  type SeriesChange,
} from './aggregator-actor.js'

const reportMs = 500
const place = {
  name: 'metrics',
  namespace: 'typeray.metrics',
  lifetime: 'detached',
  getIfExists: true,
  numCpus: 0,
} as const
const RemoteAggregator = remote(AggregatorActor)

interface Recorded {
  readonly definition: MetricDefinition
  readonly series: Map<string, SeriesChange>
}

class Reporter {
  /** By name; emptied by every report. */
  #recorded = new Map<string, Recorded>()
  #lastReportMs = -Infinity
  #isDue = false
  /** Of the session that it was made in. */
  #aggregator: { session: string; handle: ActorHandle<AggregatorActor> } | undefined
  #isWatchingExit = false

  /** Where the value of those tags is kept until it is reported. */
  change(definition: MetricDefinition, tags: readonly string[]): SeriesChange {
    let recorded = this.#recorded.get(definition.name)
    if (recorded === undefined) {
      recorded = { definition, series: new Map() }
      this.#recorded.set(definition.name, recorded)
    }
    const key = tags.length === 1 ? (tags[0] ?? '') : JSON.stringify(tags)
    let change = recorded.series.get(key)
    if (change === undefined) {
      const buckets = definition.kind === 'histogram' ? definition.boundaries.length + 1 : 0
      change = { tags, value: 0, buckets: Array<number>(buckets).fill(0) }
      recorded.series.set(key, change)
    }
    if (!this.#isDue) this.#schedule()
    return change
  }

  #schedule(): void {
    this.#isDue = true
    if (!this.#isWatchingExit) {
      this.#isWatchingExit = true
      process.on('exit', () => this.report())
    }
    const delayMs = Math.max(0, this.#lastReportMs + reportMs - performance.now())
    setTimeout(() => this.report(), delayMs).unref()
  }

  /** Sends what there is, if there is a session to send it to. */
  report(): void {
    this.#isDue = false
    if (this.#recorded.size === 0 || !isInitialized()) return
    this.#lastReportMs = performance.now()
    const reports: MetricReport[] = [...this.#recorded.values()].map(({ definition, series }) => ({
      definition,
      series: [...series.values()],
    }))
    this.#recorded = new Map()
    this.aggregator().add.remote(getRuntimeContext().workerId, reports)
  }

  aggregator(): ActorHandle<AggregatorActor> {
    const { sessionName: session } = getRuntimeContext()
    if (this.#aggregator?.session !== session) {
      this.#aggregator = { session, handle: RemoteAggregator.options(place).remote() }
    }
    return this.#aggregator.handle
  }
}

export const reporter = new Reporter()
