// Keeps the metrics of all processes of a session, so that what a worker has counted outlives it.
//
// Counters and histograms of all processes are added up. A gauge is a state of one process: each
// process has its own, told apart by the label WorkerId, and it ends with its process.

import { livingWorkers } from '../../ray/index.js'

/** What kind of number a metric is. */
export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** What is said of a metric once. */
export interface MetricDefinition {
  readonly name: string
  readonly kind: MetricKind
  readonly description: string
  readonly tagKeys: readonly string[]
  /** Upper bounds of a histogram's buckets, ascending. */
  readonly boundaries: readonly number[]
}

/** What one process has recorded since its last report, for one combination of tags. */
export interface SeriesChange {
  /** Values of the tags, in the order of `tagKeys`. */
  readonly tags: readonly string[]
  /** To add; a gauge's to set. */
  value: number
  /** Observations by bucket, the last one for those above all bounds. */
  readonly buckets: number[]
}

/** All that one process has recorded of one metric since its last report. */
export interface MetricReport {
  readonly definition: MetricDefinition
  readonly series: readonly SeriesChange[]
}

interface Value {
  readonly labels: Readonly<Record<string, string>>
  readonly metricName?: string
  readonly value: number
}

interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** Who has set it, when it is a gauge. */
  readonly workerId: string | undefined
  value: number
  readonly buckets: number[]
}

interface Known {
  readonly definition: MetricDefinition
  /** By the values of the labels. */
  readonly series: Map<string, Series>
}

export class AggregatorActor {
  readonly #metrics = new Map<string, Known>()

  add(workerId: string, reports: readonly MetricReport[]): void {
    for (const { definition, series } of reports) {
      const known = this.#metric(definition)
      // Two processes may use one name for different things; the first stays what it is.
      if (known.definition.kind !== definition.kind) continue
      for (const change of series) add(known, change, workerId)
    }
  }

  #metric(definition: MetricDefinition): Known {
    let known = this.#metrics.get(definition.name)
    if (known === undefined) {
      known = { definition, series: new Map() }
      this.#metrics.set(definition.name, known)
    }
    return known
  }

  async #forgetEnded(): Promise<void> {
    const gauges = [...this.#metrics.values()].filter(({ definition }) => isGauge(definition))
    if (gauges.every(({ series }) => series.size === 0)) return
    // Who reports while the answer is on its way is alive, and not looked at this time.
    const known = gauges.flatMap(({ series }) => [...series].map((entry) => ({ series, entry })))
    const living = await livingWorkers()
    for (const { series, entry } of known) {
      const [key, { workerId }] = entry
      if (workerId !== undefined && !living.has(workerId)) series.delete(key)
    }
  }

  /** All metrics in the text format of Prometheus. */
  async text(): Promise<string> {
    await this.#forgetEnded()
    const { default: prometheus } = await import('prom-client')
    const registry = new prometheus.Registry()
    for (const known of this.#metrics.values()) {
      const { name, kind: type, description } = known.definition
      const help = description === '' ? name : description
      const values = [...known.series.values()].flatMap((series) => valuesOf(known, series))
      const get = () => Promise.resolve({ name, help, type, values, aggregator: 'sum' })
      registry.registerMetric({ name, get } as unknown as InstanceType<typeof prometheus.Counter>)
    }
    return registry.metrics()
  }
}

const isGauge = ({ kind }: MetricDefinition): boolean => kind === 'gauge'

function add({ definition, series }: Known, change: SeriesChange, workerId: string): void {
  const isOwn = isGauge(definition)
  const labels = Object.fromEntries(
    definition.tagKeys.map((key, i) => [key, change.tags[i] ?? ''] as const),
  )
  if (isOwn) labels['WorkerId'] ??= workerId
  const key = JSON.stringify(Object.values(labels))
  const known = series.get(key)
  if (known === undefined) {
    series.set(key, {
      labels,
      workerId: isOwn ? workerId : undefined,
      value: change.value,
      buckets: [...change.buckets],
    })
    return
  }
  known.value = isOwn ? change.value : known.value + change.value
  change.buckets.forEach((count, i) => {
    known.buckets[i] = (known.buckets[i] ?? 0) + count
  })
}

function valuesOf({ definition }: Known, { labels, value, buckets }: Series): Value[] {
  const { name, kind, boundaries } = definition
  if (kind !== 'histogram') return [{ labels, value }]
  let count = 0
  const values: Value[] = buckets.map((inBucket, i) => {
    count += inBucket
    const le = i < boundaries.length ? String(boundaries[i]) : '+Inf'
    return { labels: { ...labels, le }, metricName: `${name}_bucket`, value: count }
  })
  return [
    ...values,
    { labels, metricName: `${name}_sum`, value },
    { labels, metricName: `${name}_count`, value: count },
  ]
}
