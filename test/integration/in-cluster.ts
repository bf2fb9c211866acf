// Many small tests in one cluster: starting one for each would take most of their time.

import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type ClusterOptions, type TestCluster, withCluster } from '../../src/testing/index.js'

export type Tests = Readonly<Record<string, (cluster: TestCluster) => Promise<void>>>

/** Runs the tests one after the other; their names are sentences. */
export function inCluster(title: string, options: ClusterOptions, tests: Tests): void {
  const { deadlineMs = 170_000 } = options
  void test(title, (t) =>
    withCluster({ ...options, deadlineMs }, async (cluster) => {
      for (const [name, run] of Object.entries(tests)) {
        await t.test(name, { timeout: deadlineMs / 2 }, () => run(cluster))
      }
    }),
  )
}

/** What a promise is rejected with. Fails if it is not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const value = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in value) return value.error
  throw new Error('The promise was not rejected.', { cause: value.value })
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Collects garbage of this process, and lets finalisers run. */
export async function collectGarbage(): Promise<void> {
  gc()
  await new Promise((resolve) => setImmediate(resolve))
}
