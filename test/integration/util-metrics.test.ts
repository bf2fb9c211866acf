import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { runDriver, until } from '../../src/testing/index.js'
import { Counter, Gauge, Histogram, metricsText, serveMetrics } from '../../src/util/index.js'
import { test } from 'node:test'
import { inCluster } from './in-cluster.js'

/** Waits until the text has all of these lines. */
async function hasLines(...lines: readonly (string | RegExp)[]): Promise<void> {
  let text = ''
  const has = (line: string | RegExp): boolean =>
    typeof line === 'string' ? text.split('\n').includes(line) : line.test(text)
  const missing = async () => {
    text = await metricsText()
    return lines.every(has)
  }
  await until(missing, { timeoutMs: 60_000, what: lines.join('; ') }).catch((cause: unknown) => {
    throw new Error(`Not all of ${lines.join('; ')} in:\n${text}`, { cause })
  })
}

inCluster(
  'Metrics',
  { numCpus: 2 },
  {
    async 'counts of all processes are added up, also when they have ended'() {
      const counter = new Counter('jobs', { description: 'Jobs done.', tagKeys: ['kind'] })
      counter.inc(5, { kind: 'a' })
      const Worker = ray.remote(
        { numCpus: 0 },
        class {
          count(n: number) {
            counter.inc(n, { kind: 'a' })
            counter.inc(1, { kind: 'b' })
          }
          exit() {
            counter.inc(1, { kind: 'last' })
            process.exit(0)
          }
        },
      )
      const workers = [Worker.remote(), Worker.remote()]
      await ray.get(workers.map((worker) => worker.count.remote(10)))
      await ray.get(workers.map((worker) => worker.count.remote(100)))
      await hasLines('jobs{kind="a"} 225', 'jobs{kind="b"} 4')
      for (const worker of workers) worker.exit.remote()
      await ray.get(ray.remote(() => counter.inc(1000, { kind: 'a' })).remote())
      await hasLines('# HELP jobs Jobs done.', '# TYPE jobs counter', 'jobs{kind="a"} 1225')
      await hasLines('jobs{kind="last"} 2')
    },

    async 'a gauge is the last value of each process'() {
      const gauge = new Gauge('depth')
      gauge.set(1)
      gauge.set(7)
      const { workerId } = ray.getRuntimeContext()
      const other = await ray.get(
        ray
          .remote(() => {
            gauge.set(-2.5)
            return ray.getRuntimeContext().workerId
          })
          .remote(),
      )
      await hasLines(`depth{WorkerId="${workerId}"} 7`, `depth{WorkerId="${other}"} -2.5`)
    },

    async 'a gauge leaves the text with its process, and a count does not'() {
      const gauge = new Gauge('held')
      const counter = new Counter('holders')
      gauge.set(1)
      const Holder = ray.remote(
        { numCpus: 0 },
        class {
          hold(value: number) {
            counter.inc()
            gauge.set(value)
            return ray.getRuntimeContext().workerId
          }
        },
      )
      const holders = [Holder.remote(), Holder.remote()] as const
      const ids = await Promise.all(holders.map((holder) => holder.hold.remote(2).get()))
      const own = `held{WorkerId="${ray.getRuntimeContext().workerId}"} 1`
      await hasLines(own, ...ids.map((id) => `held{WorkerId="${id}"} 2`))
      ray.kill(holders[0])
      await until(async () => !(await metricsText()).includes(String(ids[0])))
      await hasLines(own, `held{WorkerId="${String(ids[1])}"} 2`, 'holders 2')
    },

    async 'a histogram counts values up to each bound'() {
      const histogram = new Histogram('took', { boundaries: [1, 10], tagKeys: ['of'] })
      histogram.setDefaultTags({ of: 'x' })
      for (const value of [0.5, 1, 5, 50]) histogram.observe(value)
      await ray.get(ray.remote(() => histogram.observe(10, { of: 'x' })).remote())
      await hasLines(
        'took_bucket{of="x",le="1"} 2',
        'took_bucket{of="x",le="10"} 4',
        'took_bucket{of="x",le="+Inf"} 5',
        'took_sum{of="x"} 66.5',
        'took_count{of="x"} 5',
      )
    },

    async 'names, tags and values that make no sense are refused'() {
      assert.throws(() => new Counter('not a name'), TypeError)
      assert.throws(() => new Counter('c', { tagKeys: ['a-b'] }), TypeError)
      assert.throws(() => new Histogram('h', { boundaries: [] }), RangeError)
      assert.throws(() => new Histogram('h', { boundaries: [2, 1] }), RangeError)
      const counter = new Counter('c', { tagKeys: ['a'] })
      assert.throws(() => counter.inc(1), /needs a value for its tag 'a'/)
      assert.throws(() => counter.inc(0, { a: 'x' }), RangeError)
      assert.throws(() => counter.inc(1, { b: 'x' }), /has no tag 'b'/)
      assert.throws(() => counter.inc(1, { a: 1 as unknown as string }), /must be a string/)
      assert.throws(() => new Gauge('g').set(NaN), TypeError)
    },

    async 'Prometheus can fetch them'() {
      new Counter('fetched').inc(3)
      const server = await serveMetrics()
      const response = await fetch(server.url)
      assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
      assert.match(await response.text(), /^fetched 3$/m)
      assert.equal((await fetch(server.url.replace('metrics', 'else'))).status, 404)
      await server.close()
    },
  },
)

test('metrics keep no program running, and start nothing without a session', async () => {
  const program = `
    import * as ray from 'typeray'
    import { Counter, serveMetrics } from 'typeray/util'
    const counter = new Counter('jobs')
    counter.inc()
    console.log(ray.isInitialized())
    await serveMetrics()
    await ray.init({ numCpus: 1 })
    counter.inc()
    console.log('done')
  `
  const { code, stdout } = await runDriver(program)
  assert.equal(stdout, 'false\ndone\n')
  assert.equal(code, 0)
})
