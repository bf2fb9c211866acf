import type { MetricDefinition, MetricKind } from './aggregator-actor.js'
import { reporter } from './reporter.js'

/** Values of tags by their keys. */
export type Tags = Readonly<Record<string, string>>

/**
 * What is said of a metric once. Its name is exported as it is given: Ray puts `ray_` before it,
 * and a dashboard that was made for Ray needs the name with that prefix here.
 */
export interface MetricOptions {
  /** A sentence for those who read the metric. */
  readonly description?: string
  /** Names of the tags that values are told apart by. */
  readonly tagKeys?: readonly string[]
}

/** What is said of a histogram once. */
export interface HistogramOptions extends MetricOptions {
  /** Upper bounds of the buckets, ascending and above zero. */
  readonly boundaries: readonly number[]
}

const nameForm = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const tagForm = /^[a-zA-Z_][a-zA-Z0-9_]*$/

function define(kind: MetricKind, name: string, options: Partial<HistogramOptions>) {
  const { description = '', tagKeys = [], boundaries = [] } = options
  if (typeof name !== 'string' || !nameForm.test(name)) {
    throw new TypeError(
      `A metric's name has letters, digits, '_' and ':', and does not begin with a digit; got ` +
        `'${String(name)}'.`,
    )
  }
  for (const key of tagKeys) {
    if (typeof key === 'string' && tagForm.test(key) && key !== 'le') continue
    throw new TypeError(`Metric ${name}: '${String(key)}' cannot be the key of a tag.`)
  }
  return { name, kind, description, tagKeys: [...tagKeys], boundaries: [...boundaries] }
}

function checkFinite(metric: string, value: number): void {
  if (typeof value === 'number' && !Number.isNaN(value)) return
  throw new TypeError(`Metric ${metric}: the value must be a number, not ${String(value)}.`)
}

function refuseUnknown({ name, tagKeys }: MetricDefinition, tags: Tags): void {
  for (const [key, value] of Object.entries(tags)) {
    if (!tagKeys.includes(key)) {
      throw new TypeError(
        `Metric ${name} has no tag '${key}'. Its tags are: ${tagKeys.join(', ') || 'none'}.`,
      )
    }
    if (typeof value !== 'string') {
      throw new TypeError(`Metric ${name}: tag '${key}' must be a string, not ${typeof value}.`)
    }
  }
}

/** What all metrics have in common. A copy in another process records into the same metric. */
abstract class Metric {
  /** @internal */
  readonly definition: MetricDefinition
  /** @internal */
  defaultTags: Tags = {}

  /** @internal */
  constructor(definition: MetricDefinition) {
    this.definition = definition
  }

  /** Values for tags that a call leaves out. Returns the metric itself. */
  setDefaultTags(tags: Tags): this {
    refuseUnknown(this.definition, tags)
    this.defaultTags = { ...tags }
    return this
  }

  /** @internal The values of all tags in order. */
  tagValues(tags: Tags): string[] {
    const { name, tagKeys } = this.definition
    if (Object.keys(tags).length > 0) refuseUnknown(this.definition, tags)
    return tagKeys.map((key) => {
      const value = tags[key] ?? this.defaultTags[key]
      if (value !== undefined) return value
      throw new TypeError(
        `Metric ${name} needs a value for its tag '${key}', here or by setDefaultTags.`,
      )
    })
  }
}

/**
 * A number that only grows. What all processes count is added up.
 *
 * @example
 * const requests = new Counter('requests', { tagKeys: ['route'] })
 * requests.inc(1, { route: '/home' })
 */
export class Counter extends Metric {
  constructor(name: string, options: MetricOptions = {}) {
    super(define('counter', name, options))
  }

  /** Adds a number above zero; 1 if left out. */
  inc(value = 1, tags: Tags = {}): void {
    checkFinite(this.definition.name, value)
    if (value <= 0) {
      throw new RangeError(
        `Counter ${this.definition.name}: value must be above zero, not ${value}.`,
      )
    }
    reporter.change(this.definition, this.tagValues(tags)).value += value
  }
}

/**
 * A number that goes up and down. Each process has its own, told apart by the label `WorkerId`; it
 * is gone from the text when its process has ended.
 *
 * @example
 * const depth = new Gauge('queue_depth', { description: 'Jobs that wait.' })
 * depth.set(17)
 */
export class Gauge extends Metric {
  constructor(name: string, options: MetricOptions = {}) {
    super(define('gauge', name, options))
  }

  /** Sets the number of this process. */
  set(value: number, tags: Tags = {}): void {
    checkFinite(this.definition.name, value)
    reporter.change(this.definition, this.tagValues(tags)).value = value
  }
}

/**
 * How often values fall into ranges. What all processes observe is added up.
 *
 * @example
 * const latency = new Histogram('latency_ms', { boundaries: [1, 10, 100] })
 * latency.observe(7)
 */
export class Histogram extends Metric {
  constructor(name: string, options: HistogramOptions) {
    super(define('histogram', name, options))
    const { boundaries } = this.definition
    const isRising = boundaries.every((each, i) => each > (i === 0 ? 0 : (boundaries[i - 1] ?? 0)))
    if (boundaries.length > 0 && isRising) return
    throw new RangeError(
      `Histogram ${name}: boundaries must be numbers above zero, ascending; got ` +
        `[${boundaries.join(', ')}].`,
    )
  }

  /** Counts a value in its range. */
  observe(value: number, tags: Tags = {}): void {
    checkFinite(this.definition.name, value)
    const { boundaries } = this.definition
    const change = reporter.change(this.definition, this.tagValues(tags))
    let bucket = 0
    while (bucket < boundaries.length && value > (boundaries[bucket] ?? Infinity)) bucket++
    change.buckets[bucket] = (change.buckets[bucket] ?? 0) + 1
    change.value += value
  }
}
