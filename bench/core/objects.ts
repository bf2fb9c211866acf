// Rows about objects: small and large puts, gets, and waiting.
//
// Python drops a ref the moment its variable dies. JavaScript says late or never, so rows that put
// large objects say `free()` where Python's count would reach zero.
import * as ray from 'typeray'
import { randomBytes } from '../limits/memory-copy.js'
import type { OpenProbe, ProbeTable } from '../probe.js'
import { batch, inSession, rate } from './session.js'
import { put100Small, put10Times80Mb, smallTask, tenThousandRefs } from './work.js'

const getCalls = rate(1, async () => {
  const value = ray.put(0)
  return () => ray.get(value)
})

const putCalls = rate(1, async () => () => {
  ray.put(0)
})

const multiClientPutCalls = rate(1000, async () => {
  const task = ray.remote(put100Small)
  return batch(10, () => task.remote())
})

const putGigabytes = rate(0.8, async () => {
  const array = new BigInt64Array(100 * 1024 * 1024)
  return () => ray.put(array).free()
})

const multiClientPutGigabytes = rate(8, async () => {
  const task = ray.remote(put10Times80Mb)
  return batch(10, () => task.remote())
})

const get10kRefs = rate(1, async () => {
  const container = ray.remote(tenThousandRefs).remote()
  return () => ray.get(container)
})

const wait1kRefs = rate(1, async () => async () => {
  let notReady = Array.from({ length: 1000 }, () => smallTask.remote())
  // As in Ray's row: only the first round asks for copies.
  let fetchLocal = true
  while (notReady.length > 0) {
    ;[, notReady] = await ray.wait(notReady, { fetchLocal })
    fetchLocal = false
  }
})

/** Objects come and go, so that the store can use its pages again. */
const putWarm = (length: number): OpenProbe =>
  rate(length / 1e9, async () => {
    const data = randomBytes(length)
    return () => ray.put(data).free()
  })

/** A new session, whose store has no pages yet, is filled once. */
const putCold =
  (length: number, count: number): OpenProbe =>
  async () => {
    const data = randomBytes(length)
    return {
      kind: 'sample',
      async sample() {
        await ray.init()
        const startedMs = performance.now()
        const refs = Array.from({ length: count }, () => ray.put(data))
        const elapsedMs = performance.now() - startedMs
        for (const ref of refs) ref.free()
        await ray.shutdown()
        return (count * length) / 1e6 / elapsedMs
      },
    }
  }

const get100Mb = inSession(async () => {
  const ref = ray.put(randomBytes(100e6))
  return { kind: 'duration', unitMs: 1, step: () => ray.get(ref) }
})

export const objectProbes: ProbeTable = {
  'single client get calls (Plasma Store)': getCalls,
  'single client put calls (Plasma Store)': putCalls,
  'multi client put calls (Plasma Store)': multiClientPutCalls,
  'single client put gigabytes': putGigabytes,
  'multi client put gigabytes': multiClientPutGigabytes,
  'single client get object containing 10k refs': get10kRefs,
  'single client wait 1k refs': wait1kRefs,
  'put 80 MB, warm pages': putWarm(80e6),
  'put 80 MB, cold pages': putCold(80e6, 10),
  'put 800 MB, warm pages': putWarm(800e6),
  'put 800 MB, cold pages': putCold(800e6, 1),
  'get 100 MB zero-copy': get100Mb,
}
